// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
import NIOCore
@testable import SocketIOMongoAdapter
import Testing

@Suite("Where tailable cursors are opened again")
struct TailTests {
    private static let now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private static func time(_ time: UInt32, _ increment: UInt32 = 1) -> BSONTimestamp { BSONTimestamp(time: time, increment: increment) }

    private static func after(_ seconds: Int64) -> NIODeadline { now + .seconds(seconds) }

    private static func error(_ code: MongoErrorCode) -> MongoError {
        .fromServer(BSONDocument { $0.append("code", code.rawValue) }, attempts: 1, isWrite: false)
    }

    private static let first = ObjectID()
    private static let own = ObjectID()

    private static func expectOpening(
        of machine: inout TailStateMachine,
        _ marker: ObjectID = ObjectID(),
        marker time: BSONTimestamp?,
        oldest: BSONTimestamp?,
        hasAnchor: Bool = false,
        hasFirst: Bool = false,
        now: NIODeadline = now,
        isLossy: Bool,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let found = TailStateMachine.Found(marker: marker, time: time, oldest: oldest, hasAnchor: hasAnchor, hasFirst: hasFirst)
        let wasLossy = machine.opened(found, now: now)
        #expect(wasLossy == isLossy, sourceLocation: sourceLocation)
    }

    /// A cursor that was open, whose node has read a document of its own of 2 000 s.
    private static func opened() -> TailStateMachine {
        var machine = TailStateMachine()
        expectOpening(of: &machine, first, marker: time(1_000), oldest: time(1_000), isLossy: false)
        machine.passed(first)
        machine.writes(own)
        machine.read(own, at: time(2_000))
        return machine
    }

    @Test func `A cursor reads on from a minute before the last own document that came back`() {
        var machine = TailStateMachine()
        #expect(machine.open(now: Self.now).start == nil)
        Self.expectOpening(of: &machine, Self.first, marker: Self.time(1_000, 3), oldest: Self.time(5), isLossy: false)
        machine.writes(Self.own)
        machine.read(Self.own, at: Self.time(2_000))
        machine.failed(Self.error(.interruptedAtShutdown), now: Self.now)
        let opening = machine.open(now: Self.now)
        #expect(opening.start == Self.time(1_940, 0))
        #expect(opening.anchors == [Self.own, Self.first])
        #expect(opening.first == Self.first && opening.needsSetUp)
        Self.expectOpening(of: &machine, marker: Self.time(3_000), oldest: Self.time(5), isLossy: false)
        #expect(machine.open(now: Self.now).start == Self.time(1_940, 0))
        #expect(!machine.open(now: Self.now).needsSetUp)
    }

    @Test func `A node that has just started never reads what is before its marker`() {
        var machine = TailStateMachine()
        Self.expectOpening(of: &machine, Self.first, marker: Self.time(1_000), oldest: Self.time(5), isLossy: false)
        #expect(machine.isBeforeFirst)
        // The same time, or a later one that was claimed, but a place before the marker.
        machine.passed(ObjectID())
        machine.passed(nil)
        #expect(machine.isBeforeFirst)
        machine.passed(Self.first)
        #expect(!machine.isBeforeFirst)
        machine.ended()
        #expect(machine.open(now: Self.now).start == Self.time(1_000))
        Self.expectOpening(of: &machine, marker: Self.time(1_010), oldest: Self.time(5), hasAnchor: true, hasFirst: true, isLossy: false)
        #expect(machine.isBeforeFirst)
        machine.passed(Self.first)
        #expect(!machine.isBeforeFirst)
        // The collection has moved on: there is nothing before the marker, and nothing to wait for.
        Self.expectOpening(of: &machine, marker: Self.time(9_000), oldest: Self.time(8_000), isLossy: true)
        #expect(!machine.isBeforeFirst)
    }

    @Test func `What others claim of their time does not move the position`() {
        var machine = Self.opened()
        // A document that this node has not written, though it says so.
        machine.read(ObjectID(), at: Self.time(.max))
        machine.read()
        #expect(machine.open(now: Self.now).start == Self.time(1_940, 0))
        // The oldest document claims to be of the future, after something was overwritten: it counts as that of now.
        Self.expectOpening(of: &machine, marker: Self.time(3_000), oldest: Self.time(.max), isLossy: true)
        #expect(machine.open(now: Self.now).start == Self.time(2_940, 0))
        // As long as a document of this node is there, nothing was.
        Self.expectOpening(of: &machine, marker: Self.time(3_001), oldest: Self.time(.max), hasAnchor: true, isLossy: false)
        let later = ObjectID()
        machine.writes(later)
        machine.read(later, at: Self.time(3_002))
        #expect(machine.open(now: Self.now).start == Self.time(2_942, 0))
    }

    @Test func `An own document counts once, and those before it not any more`() {
        var machine = Self.opened()
        let ids = (0..<100).map { _ in ObjectID() }
        for id in ids { machine.writes(id) }
        machine.read(ids[99], at: Self.time(2_500))
        // A new primary has them in another place; the older one is read again.
        machine.read(ids[98], at: Self.time(9_000))
        machine.read(ids[99], at: Self.time(9_000))
        #expect(machine.open(now: Self.now).start == Self.time(2_440, 0))
    }

    @Test func `What was overwritten before it was read is a loss, and told once`() {
        var machine = Self.opened()
        Self.expectOpening(of: &machine, marker: Self.time(3_000), oldest: Self.time(2_000), isLossy: false)
        Self.expectOpening(of: &machine, marker: Self.time(3_000), oldest: nil, isLossy: false)
        Self.expectOpening(of: &machine, marker: Self.time(3_000), oldest: Self.time(2_000, 2), isLossy: true)
        // It ends before it has read anything.
        machine.failed(Self.error(.cappedPositionLost), now: Self.now)
        #expect(machine.open(now: Self.now).start == Self.time(1_940, 0))
        Self.expectOpening(of: &machine, marker: Self.time(3_001), oldest: Self.time(2_000, 2), isLossy: false)
        Self.expectOpening(of: &machine, marker: Self.time(3_001), oldest: Self.time(2_000, 3), isLossy: true)
    }

    @Test
    func `Three losses in a minute make the node unhealthy and patient; after a minute without one it is well`() {
        var machine = Self.opened()
        for index in 1...3 {
            #expect(!machine.isUnstable(now: Self.after(Int64(index))))
            machine.failed(Self.error(.cappedPositionLost), now: Self.after(Int64(index)))
            Self.expectOpening(
                of: &machine,
                marker: Self.time(9_000),
                oldest: Self.time(2_000 + UInt32(index)),
                now: Self.after(Int64(index)),
                isLossy: true
            )
            machine.read()
        }
        #expect(machine.isUnstable(now: Self.after(3)))
        #expect(machine.open(now: Self.after(3)).pause == .seconds(5))
        #expect(machine.isUnstable(now: Self.after(62)))
        #expect(!machine.isUnstable(now: Self.after(63)))
        #expect(machine.open(now: Self.after(63)).pause == .zero)
    }

    @Test
    func `A node that is unhealthy stays so with each further loss; losses that are far apart make none unhealthy`() {
        var machine = StreamStability()
        for second in [0, 61, 122, 183] as [Int64] { machine.lost(now: Self.after(second)) }
        #expect(!machine.isUnstable(now: Self.after(183)))
        machine.lost(now: Self.after(184))
        machine.lost(now: Self.after(185))
        #expect(machine.isUnstable(now: Self.after(185)))
        machine.lost(now: Self.after(244))
        #expect(machine.isUnstable(now: Self.after(303)))
        #expect(!machine.isUnstable(now: Self.after(304)))
    }

    @Test
    func `A cursor that cannot be opened for reasons that nobody knows makes the node unhealthy`() {
        var machine = Self.opened()
        var pauses: [TimeAmount] = []
        for second in 1...7 as ClosedRange<Int64> {
            #expect(!machine.isUnstable(now: Self.after(second)))
            machine.failed(Self.error(MongoErrorCode(rawValue: 4711)), now: Self.after(second))
            pauses.append(machine.open(now: Self.after(second)).pause)
        }
        #expect(pauses == [0, 400, 800, 1_600, 3_200, 5_000, 5_000].map { .milliseconds($0) })
        #expect(machine.isUnstable(now: Self.after(7)))
        #expect(!machine.isUnstable(now: Self.after(67)))
    }

    @Test(
        arguments: [nil, .shutdownInProgress, .notWritablePrimary, .interruptedAtShutdown, .notPrimaryNoSecondaryOk, .cappedPositionLost]
            as [MongoErrorCode?]
    )
    func `A server that goes, comes or steps down does not, however often`(code: MongoErrorCode?) {
        var machine = Self.opened()
        for _ in 0..<50 { machine.failed(code.map(Self.error) ?? .simulated(.network), now: Self.now) }
        for _ in 0..<50 { machine.ended() }
        #expect(!machine.isUnstable(now: Self.now))
        #expect(machine.open(now: Self.now).pause == .seconds(5))
        machine.read()
        #expect(machine.open(now: Self.now).pause == .zero)
    }
}
#endif
