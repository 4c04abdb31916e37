// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCore
@testable import SocketIOMongoAdapter
import Testing

@Suite("The order of ids")
struct IDDisorderTests {
    private static let year: UInt32 = 31_536_000
    private static let now: UInt32 = 1_700_000_000

    /// An id of some seconds after ``now``.
    private static func id(_ seconds: Int64, _ number: UInt64 = 0) -> MessageID {
        MessageID(seconds: UInt32(clamping: Int64(now) + seconds), process: 7, counter: number)
    }

    /// - Returns: Seconds after ``now``.
    private static func earliest(_ disorder: IDDisorder, after id: MessageID) -> Int64 {
        Int64(disorder.earliest(after: [id], now: now)[0]) - Int64(now)
    }

    private static func disorder(_ ids: [MessageID], writeTimeout: Int64 = 30) -> IDDisorder {
        var disorder = IDDisorder(writeTimeout: writeTimeout)
        for id in ids { disorder.read(id) }
        return disorder
    }

    @Test
    func `What was written after a document that was read is where it was read; what is not known is a minute out of order`() {
        let disorder = Self.disorder((-200...0).map { Self.id($0) })
        #expect(Self.earliest(disorder, after: Self.id(-50)) == -50)
        // Written before all that was read, or not read yet.
        #expect(Self.earliest(disorder, after: Self.id(-230)) == -290)
        #expect(Self.earliest(disorder, after: Self.id(0, 1)) == -60)
        #expect(Self.earliest(IDDisorder(), after: Self.id(-7)) == -67)
        #expect(IDDisorder().earliest(after: [MessageID(seconds: 7, process: 1, counter: 1)], now: Self.now) == [0])
    }

    @Test
    func `A message may be written as late as the write timeout allows`() {
        let disorder = Self.disorder((-500 ... -300).map { Self.id($0) }, writeTimeout: 90)
        #expect(disorder.limit == 90)
        #expect(Self.earliest(disorder, after: Self.id(-299)) == -389)
        #expect(IDDisorder(writeTimeout: 86_400).limit == 86_400)
    }

    @Test(arguments: [300, 31_536_000] as [Int64])
    func `After a packet of a clock that is ahead, nothing is left out`(ahead: Int64) {
        var ids = (-100 ... -60).map { Self.id($0) }
        let fast = Self.id(-60 + ahead)
        ids.append(fast)
        ids += (-59...0).map { Self.id($0) }
        let disorder = Self.disorder(ids)
        #expect(Self.earliest(disorder, after: fast) == -59)
        // The others do not have to read more than before.
        #expect(Self.earliest(disorder, after: Self.id(-80)) == -80)
        #expect(Self.earliest(disorder, after: Self.id(-20)) == -20)
        // A packet that was not read may be of that clock too.
        #expect(Self.earliest(disorder, after: Self.id(1)) <= 1 - (ahead - 1))
    }

    @Test
    func `After a packet of a clock that is ahead, written before this node has read anything, all is read`() {
        let disorder = Self.disorder((-20...0).map { Self.id($0) })
        #expect(Self.earliest(disorder, after: Self.id(300)) == -Int64(Self.now))
        let later = Self.disorder((-20...400).map { Self.id($0) })
        #expect(later.earliest(after: [Self.id(300, 1)], now: Self.now + 400).map { Int64($0) - Int64(Self.now) } == [-20])
    }

    @Test
    func `A clock that is behind moves the beginning as far, for what was written before its message only`() {
        let disorder = Self.disorder([Self.id(-9), Self.id(-8), Self.id(-Int64(Self.year)), Self.id(-7), Self.id(-6)])
        #expect(Self.earliest(disorder, after: Self.id(-8)) == -Int64(Self.year))
        #expect(Self.earliest(disorder, after: Self.id(-7)) == -7)
    }

    @Test
    func `A bounded number of documents is remembered, the latest ones`() {
        var disorder = IDDisorder()
        let count = IDDisorder.capacity + 100
        for number in 0..<count { disorder.read(Self.id(Int64(number / 100) - 700, UInt64(number))) }
        #expect(Self.earliest(disorder, after: Self.id(-700, 99)) == -760)
        #expect(Self.earliest(disorder, after: Self.id(-699, 100)) == -699)
        let last = count - 1
        #expect(Self.earliest(disorder, after: Self.id(Int64(last / 100) - 700, UInt64(last))) == Int64(last / 100) - 700)
    }
}
#endif
