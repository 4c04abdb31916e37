// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
import NIOCore
@testable import SocketIOMongoAdapter
import Testing

@Suite("Where streams are opened again")
struct PositionTests {
    typealias Position = ChangeStreamStateMachine.Position

    private static func token(_ text: String) -> BSONDocument { BSONDocument { $0.append("_data", text) } }

    /// An error reply of the server.
    private static func error(_ code: MongoErrorCode, labels: [String] = [], message: String = "", time: UInt32? = 99) -> MongoError {
        let reply = BSONDocument { reply in
            reply.append("code", code.rawValue)
            reply.append("errmsg", message)
            if let time { reply.append("operationTime", BSONTimestamp(time: time, increment: 1)) }
            if !labels.isEmpty {
                reply.appendArray("errorLabels") { array in
                    for label in labels { array.append(label) }
                }
            }
        }
        return .fromServer(reply, attempts: 1, isWrite: false)
    }

    private static let now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private static let restarted = Position.at(BSONTimestamp(time: 99, increment: 1))

    /// A stream that was open and has read up to `b`.
    private static func opened() -> ChangeStreamStateMachine {
        var machine = ChangeStreamStateMachine()
        machine.opened(token: token("a"))
        machine.read(upTo: token("b"))
        return machine
    }

    @Test
    func `The first stream begins now, further ones after what was read last`() {
        var machine = ChangeStreamStateMachine()
        #expect(machine.open(now: Self.now) == .init(position: .now))
        machine.opened(token: Self.token("a"))
        #expect(machine.open(now: Self.now).position == .after(Self.token("a")))
        machine.read(upTo: Self.token("b"))
        machine.read(upTo: nil)
        #expect(machine.open(now: Self.now) == .init(position: .after(Self.token("b"))))
    }

    @Test(
        arguments: [
            .cursorNotFound, .networkTimeout, .shutdownInProgress, .primarySteppedDown, .cursorKilled, .notWritablePrimary,
            .interruptedAtShutdown, .interruptedDueToReplStateChange, .notPrimaryNoSecondaryOk, .unauthorized,
        ] as [MongoErrorCode]
    )
    func `A broken connection, a killed cursor, a step-down: on from the token, nothing lost`(code: MongoErrorCode) {
        var machine = Self.opened()
        for _ in 0..<20 { machine.failed(Self.error(code), now: Self.now) }
        let opening = machine.open(now: Self.now)
        #expect(opening.position == .after(Self.token("b")))
        #expect(!opening.isLossy && !opening.needsSetUp)
        #expect(opening.pause == .seconds(5))
        machine = Self.opened()
        machine.failed(.simulated(.network), now: Self.now)
        #expect(machine.open(now: Self.now) == .init(position: .after(Self.token("b"))))
        machine.failed(Self.error(MongoErrorCode(rawValue: 4711), labels: ["ResumableChangeStreamError"]), now: Self.now)
        #expect(machine.open(now: Self.now).position == .after(Self.token("b")))
    }

    @Test
    func `A dropped collection is set up again, and nothing before it is lost`() {
        var machine = Self.opened()
        machine.ended()
        #expect(machine.open(now: Self.now) == .init(position: .after(Self.token("b")), needsSetUp: true))
        machine.failed(Self.error(.invalidResumeToken), now: Self.now)
        machine.failed(Self.error(.invalidResumeToken), now: Self.now)
        #expect(machine.open(now: Self.now).position == .after(Self.token("b")))
        machine.opened(token: Self.token("c"))
        #expect(!machine.open(now: Self.now).needsSetUp)
    }

    @Test
    func `A token that stays refused is given up`() {
        var machine = Self.opened()
        for _ in 0..<3 { machine.failed(Self.error(.invalidResumeToken), now: Self.now) }
        #expect(machine.open(now: Self.now).position == Self.restarted)
        #expect(machine.open(now: Self.now).isLossy)
    }

    @Test
    func `Lost history: on at the server's time of the error, which counts as a loss until a stream is open`() {
        for error in [
            Self.error(.changeStreamHistoryLost), Self.error(.changeStreamFatalError),
            Self.error(MongoErrorCode(rawValue: 4711), labels: ["NonResumableChangeStreamError"]),
        ] {
            var machine = Self.opened()
            machine.failed(error, now: Self.now)
            #expect(machine.open(now: Self.now).position == Self.restarted)
            #expect(machine.open(now: Self.now).isLossy)
            // The next attempt fails for another reason: the time is kept.
            machine.failed(.simulated(.network), now: Self.now)
            #expect(machine.open(now: Self.now).position == Self.restarted)
            #expect(machine.open(now: Self.now).isLossy)
            machine.opened(token: nil)
            #expect(machine.open(now: Self.now).position == Self.restarted)
            #expect(!machine.open(now: Self.now).isLossy)
            machine.read(upTo: Self.token("c"))
            #expect(machine.open(now: Self.now).position == .after(Self.token("c")))
        }
    }

    @Test
    func `Three restarts in a minute make the node unhealthy and patient; after a minute without one it is well`() {
        var machine = Self.opened()
        for index in 0..<3 {
            #expect(!machine.isUnstable(now: Self.now + .seconds(Int64(index))))
            machine.failed(Self.error(.changeStreamHistoryLost), now: Self.now + .seconds(Int64(index)))
            machine.opened(token: Self.token("c"))
        }
        #expect(machine.isUnstable(now: Self.now + .seconds(3)))
        #expect(machine.open(now: Self.now + .seconds(3)).pause == .seconds(5))
        machine.opened(token: Self.token("d"))
        machine.read(upTo: Self.token("e"))
        #expect(machine.isUnstable(now: Self.now + .seconds(61)))
        #expect(!machine.isUnstable(now: Self.now + .seconds(62)))
        #expect(machine.open(now: Self.now + .seconds(62)).pause == .zero)
    }

    // MARK: Events that nobody can read

    private static func unreadable(_ token: String, time: UInt32? = 99) -> MongoError {
        let text = "BSONObj size: 16777473 (0x1000101) is invalid. Size must be between 0 and 16793600(16MB) First element: _id: { "
        return error(.bsonObjectTooLarge, message: text + token, time: time)
    }

    /// A stream that has met such an event twice, the second time with nothing before it.
    private static func stepped(_ error: MongoError) -> ChangeStreamStateMachine {
        var machine = opened()
        machine.failed(error, now: now)
        machine.failed(error, now: now)
        return machine
    }

    @Test
    func `What stands before an event that nobody can read is read one by one; then the event is stepped over, by its token`() {
        let error = Self.unreadable(#"_data: "82637FA1B2000000012B" }"#)
        var machine = Self.opened()
        machine.failed(error, now: Self.now)
        #expect(machine.open(now: Self.now) == .init(position: .after(Self.token("b")), readsSingly: true))
        machine.opened(token: Self.token("b"))
        machine.read(upTo: Self.token("c"))
        // Something else happens meanwhile.
        machine.failed(.simulated(.network), now: Self.now)
        #expect(machine.open(now: Self.now) == .init(position: .after(Self.token("c")), readsSingly: true))
        machine.read(upTo: Self.token("d"))
        machine.failed(error, now: Self.now)
        #expect(machine.open(now: Self.now) == .init(position: .after(Self.token("82637FA1B2000000012B")), isLossy: true))
    }

    @Test
    func `Of a token that the server has cut off, the time is known: the stream goes on right behind it`() {
        let machine = Self.stepped(Self.unreadable(#"_data: "8200000050000000032B022C01..." }"#))
        #expect(machine.open(now: Self.now).position == .at(BSONTimestamp(time: 0x50, increment: 4)))
        #expect(machine.open(now: Self.now).isLossy && !machine.open(now: Self.now).readsSingly)
        #expect(
            Self.stepped(Self.unreadable(#"_data: "8200000050FFFFFFFF2B..." }"#)).open(now: Self.now).position
                == .at(BSONTimestamp(time: 0x51, increment: 0))
        )
        // A start in the future would be deaf.
        #expect(Self.stepped(Self.unreadable(#"_data: "82637FA1B2000000032B..." }"#)).open(now: Self.now).position == Self.behindError)
    }

    private static let behindError = Position.at(BSONTimestamp(time: 99, increment: 2))

    @Test(
        "Without a token that can be read, the stream goes on right behind the time of the error, where it cannot meet the event again",
        arguments: [
            "", #"_data: ""#, #"_data: "8200000050000000""#, #"_data: "zz""#, #"_data: "827F"#, #"_data: "9200000050000000032B..."#,
        ]
    )
    func unreadableWithoutToken(text: String) {
        #expect(Self.stepped(Self.unreadable(text)).open(now: Self.now).position == Self.behindError)
    }

    @Test
    func `Events that nobody can read make no node unhealthy, however many there are; a stream without any position begins now`() {
        var machine = Self.opened()
        for index in 0..<10 {
            let error = Self.unreadable("_data: \"820000005\(index)000000032B...", time: nil)
            machine.failed(error, now: Self.now)
            machine.failed(error, now: Self.now)
            machine.read(upTo: nil)
            #expect(machine.open(now: Self.now).position == .at(BSONTimestamp(time: 0x50 + UInt32(index), increment: 4)))
        }
        #expect(!machine.isUnstable(now: Self.now))
        machine = ChangeStreamStateMachine()
        machine.failed(Self.unreadable("", time: nil), now: Self.now)
        #expect(machine.open(now: Self.now).position == .now)
    }

    // MARK: Other errors

    @Test
    func `Other errors are given five attempts`() {
        var machine = Self.opened()
        for _ in 0..<4 { machine.failed(Self.error(MongoErrorCode(rawValue: 4711)), now: Self.now) }
        #expect(machine.open(now: Self.now).position == .after(Self.token("b")))
        machine.failed(Self.error(MongoErrorCode(rawValue: 4711)), now: Self.now)
        #expect(machine.open(now: Self.now).position == Self.restarted)
    }

    @Test
    func `Without a time in the reply the stream begins now, never at this machine's time`() {
        var machine = Self.opened()
        machine.failed(Self.error(.changeStreamHistoryLost, time: nil), now: Self.now)
        #expect(machine.open(now: Self.now).position == .now)
        #expect(machine.open(now: Self.now).isLossy)
    }
}
#endif
