// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import SocketIOTestSupport
import SocketIOText
import Testing

@testable import SocketIOCore

@Suite struct RoomLimitTests {
    private let loop = EmbeddedEventLoop()

    private func index(_ sockets: Int, limits: RoomLimits = .init()) -> (RoomIndex, [FakeSocket]) {
        let index = RoomIndex(limits: limits)
        let sockets = (0..<sockets).map { FakeSocket("s\($0)", on: loop) }
        for socket in sockets { index.add(socket) }
        return (index, sockets)
    }

    private func finish(_ index: RoomIndex) -> Int {
        var turns = 1
        while index.work() { turns += 1 }
        return turns
    }

    @Test func `joining and leaving costs the same in many rooms as in few`() {
        let (index, _) = index(1, limits: .init(perSocket: .max))
        let clock = ContinuousClock()
        func time(_ rooms: Range<Int>) -> Duration {
            clock.measure { for room in rooms { index.join("s0", room: "r\(room)") } }
        }
        let few = time(0..<2_000)
        _ = time(2_000..<40_000)
        let many = time(40_000..<42_000)
        // Linear cost would be twenty times as much.
        #expect(many < few * 8 + .milliseconds(20))
        for room in 0..<42_000 where room % 3 > 0 { index.leave("s0", room: "r\(room)") }
        #expect(index.rooms(of: "s0") == NameSet((0..<14_000).map { "r\($0 * 3)" } + ["s0"]))
        index.remove("s0")
        #expect(index.roomCount == 0)
    }

    @Test func `the index of a socket's rooms survives any order of joins and leaves`() {
        let (index, _) = index(1)
        var expected = Set<Int>()
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5_000 {
            let room = Int.random(in: 0..<30, using: &generator)
            if Bool.random(using: &generator) {
                index.join("s0", room: "r\(room)")
                expected.insert(room)
            } else {
                index.leave("s0", room: "r\(room)")
                expected.remove(room)
            }
            #expect(index.rooms(of: "s0").count == expected.count + 1)
        }
        #expect(index.rooms(of: "s0") == NameSet(expected.map { "r\($0)" } + ["s0"]))
        #expect(index.roomCount == expected.count)
    }

    @Test func `a socket is in as many rooms as it may, and names are as long as they may`() {
        let (index, _) = index(1, limits: .init(perSocket: 3, nameBytes: 4))
        for room in ["a", "b", "c"] { #expect(index.join("s0", room: room) == .joined) }
        #expect(index.join("s0", room: "d") == .refused(.socketIsFull))
        #expect(index.join("s0", room: "a") == .unchanged)
        #expect(index.join("s0", room: "aé12") == .refused(.nameTooLong))
        index.leave("s0", room: "a")
        #expect(index.join("s0", room: "aé1") == .joined)
    }

    @Test func `a room is its bytes`() {
        let (index, _) = index(2)
        index.join("s0", room: "user:Jos\u{e9}")
        index.join("s1", room: "user:Jose\u{301}")
        #expect(index.selected(BroadcastOptions(rooms: ["user:Jos\u{e9}"])).map(\.id) == ["s0"])
        #expect(index.selected(BroadcastOptions(rooms: ["user:Jose\u{301}"])).map(\.id) == ["s1"])
        #expect(index.roomCount == 2)
    }

    @Test func `a large change takes several turns, and nothing that follows can see that`() {
        let (index, sockets) = index(300)
        let rooms = (0..<100).map { "r\($0)" }
        var scheduled = 0
        index.onWork = { _ in scheduled += 1 }
        index.change(.join, BroadcastOptions(), rooms: rooms)
        #expect(scheduled == 1 && !index.isSettled)
        // One that comes late is not concerned.
        index.add(FakeSocket("late", on: loop))
        #expect(index.selected(BroadcastOptions(rooms: ["r99"])).count == 300)
        #expect(index.selected(BroadcastOptions(except: ["r98"])).map(\.id) == ["late"])
        #expect(index.rooms(of: "s7").count == 101)
        index.leave("s7", room: "r50")
        index.change(.leave, BroadcastOptions(rooms: ["s8"]), rooms: ["r51"])
        index.remove("s9")
        #expect(finish(index) >= 20)
        #expect(index.isSettled)
        #expect(index.rooms(of: "s7").count == 100 && index.rooms(of: "s8").count == 100)
        #expect(!index.rooms(of: "s7").contains("r50") && !index.rooms(of: "s8").contains("r51"))
        #expect(index.selected(BroadcastOptions(rooms: ["r0"])).count == 299)
        #expect(index.rooms(of: "late") == ["late"])
        withExtendedLifetime(sockets) {}
    }

    @Test func `changes of the same rooms are applied in their order`() {
        let (index, sockets) = index(300)
        let rooms = (0..<100).map { "r\($0)" }
        index.change(.join, BroadcastOptions(), rooms: rooms)
        index.change(.leave, BroadcastOptions(), rooms: rooms)
        index.change(.join, BroadcastOptions(rooms: ["s1"]), rooms: ["r5"])
        var settled = false
        index.whenSettled { settled = true }
        #expect(index.rooms(of: "s1") == ["s1", "r5"])
        #expect(index.rooms(of: "s2") == ["s2"])
        #expect(index.selected(BroadcastOptions(rooms: rooms)).map(\.id) == ["s1"])
        _ = finish(index)
        #expect(settled)
        #expect(index.rooms(of: "s1") == ["s1", "r5"] && index.rooms(of: "s2") == ["s2"])
        #expect(index.roomCount == 1)
        withExtendedLifetime(sockets) {}
    }

    @Test func `what limits refuse in a large change is reported once, with its number`() {
        let (index, sockets) = index(200, limits: .init(perSocket: 10))
        var refusals: [RoomRefusal] = []
        index.onRefusal = { refusals.append($0) }
        index.change(.join, BroadcastOptions(), rooms: (0..<50).map { "r\($0)" })
        _ = finish(index)
        #expect(refusals.map(\.reason) == [.socketIsFull] && refusals.first?.count == 200 * 40)
        // No more can pile up than is kept.
        for _ in 0..<200 { index.change(.join, BroadcastOptions(), rooms: (0..<1_000).map { "x\($0)" }) }
        #expect(refusals.contains { $0.reason == .tooManyChanges })
        withExtendedLifetime(sockets) {}
    }

    @Test func `many sockets end in several turns, and get nothing meanwhile`() {
        let (index, sockets) = index(1_000)
        for socket in sockets { index.join(socket.id, room: "all") }
        index.disconnect(BroadcastOptions(), closeConnection: false)
        #expect(index.selected(BroadcastOptions(rooms: ["all"])).isEmpty)
        #expect(index.selected(BroadcastOptions()).isEmpty)
        let late = FakeSocket("late", on: loop)
        index.add(late)
        #expect(!index.park(sockets[0], as: sockets[0]))
        #expect(finish(index) >= 10)
        #expect(sockets.allSatisfy { $0.disconnections == 1 } && !late.isDisconnected)
    }

    @Test func `a room that is named often is met once`() {
        let (index, sockets) = index(5_000)
        for socket in sockets { index.join(socket.id, room: "all") }
        let often = BroadcastOptions(rooms: Array(repeating: "all", count: 10_000))
        let time = ContinuousClock().measure { #expect(index.selected(often).count == 5_000) }
        // Fifty million members took seconds.
        #expect(time < .seconds(1))
    }

    @Test func `a description carries no more than it may, and says what is missing`() {
        let object = EncodedValue(format: .messagePack, bytes: ByteBuffer(bytes: [0x81, 0xa1, 0x61, 0xc0]))
        let large = EncodedValue(format: .json, bytes: ByteBuffer(repeating: 0x20, count: 40_000))
        var description = SocketDescription(
            id: "s",
            handshake: Handshake(headers: ["a": "b"], url: "/", auth: large),
            rooms: NameSet((0..<4_000).map { "room-\($0)" } + ["s"]),
            data: object
        )
        description.limit(to: 32 << 10)
        #expect(description.omitted == [.rooms, .auth])
        #expect(description.rooms == ["s"] && description.handshake.auth == nil)
        #expect(description.handshake.headers["a"] == "b" && description.data.bytes == object.bytes)
        #expect(description.estimatedByteCount <= 32 << 10)
        description.data = large
        description.limit(to: 32 << 10)
        #expect(description.omitted == [.rooms, .auth, .data])
        #expect(description.data.bytes == ByteBuffer(bytes: [0x80]))
    }
}
