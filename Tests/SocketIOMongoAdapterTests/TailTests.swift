#if MongoDB
import MongoClient
import NIOCore
@testable import SocketIOMongoAdapter
import Testing

@Suite("Where tailable cursors are opened again")
struct TailTests {
    private static let now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private static func time(_ time: UInt32, _ increment: UInt32 = 1) -> BSONTimestamp { BSONTimestamp(time: time, increment: increment) }

    private static func after(_ seconds: Int64) -> NIODeadline { now + .seconds(seconds) }

    private static func error(_ code: Int32) -> MongoError {
        .fromServer(BSONDocument { $0.append("code", code) }, attempts: 1, isWrite: false)
    }

    private static func expectOpening(
        of machine: inout TailStateMachine,
        marker: BSONTimestamp,
        oldest: BSONTimestamp?,
        now: NIODeadline = now,
        isLossy: Bool,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let wasLossy = machine.opened(marker: marker, oldest: oldest, now: now)
        #expect(wasLossy == isLossy, sourceLocation: sourceLocation)
    }

    /// A cursor that was open and has read up to 2 000 s.
    private static func opened() -> TailStateMachine {
        var machine = TailStateMachine()
        expectOpening(of: &machine, marker: time(1_000), oldest: time(1_000), isLossy: false)
        machine.read(upTo: time(2_000))
        return machine
    }

    @Test("A cursor reads on from a minute before the newest that was read")
    func position() {
        var machine = TailStateMachine()
        #expect(machine.open(now: Self.now).start == nil)
        Self.expectOpening(of: &machine, marker: Self.time(1_000, 3), oldest: Self.time(5), isLossy: false)
        #expect(machine.open(now: Self.now).start == Self.time(940, 0))
        machine.read(upTo: Self.time(2_000))
        // Documents of a new primary may be older than those of the old one.
        machine.read(upTo: Self.time(1_999))
        machine.failed(Self.error(11_600), now: Self.now)
        #expect(machine.open(now: Self.now) == .init(newest: Self.time(2_000), needsSetUp: true, pause: .zero))
        #expect(machine.open(now: Self.now).start == Self.time(1_940, 0))
        Self.expectOpening(of: &machine, marker: Self.time(3_000), oldest: Self.time(5), isLossy: false)
        #expect(machine.open(now: Self.now) == .init(newest: Self.time(2_000), needsSetUp: false, pause: .zero))
    }

    @Test("What was overwritten before it was read is a loss, and told once")
    func overtaken() {
        var machine = Self.opened()
        Self.expectOpening(of: &machine, marker: Self.time(3_000), oldest: Self.time(2_000), isLossy: false)
        Self.expectOpening(of: &machine, marker: Self.time(3_000), oldest: nil, isLossy: false)
        Self.expectOpening(of: &machine, marker: Self.time(3_000), oldest: Self.time(2_000, 2), isLossy: true)
        // It ends before it has read anything.
        machine.failed(Self.error(136), now: Self.now)
        #expect(machine.open(now: Self.now).start == Self.time(1_940, 0))
        Self.expectOpening(of: &machine, marker: Self.time(3_001), oldest: Self.time(2_000, 2), isLossy: false)
        Self.expectOpening(of: &machine, marker: Self.time(3_001), oldest: Self.time(2_000, 3), isLossy: true)
    }

    @Test("Three losses in a minute make the node unhealthy and patient; after a minute without one it is well")
    func unstable() {
        var machine = Self.opened()
        for index in 1...3 {
            #expect(!machine.isUnstable(now: Self.after(Int64(index))))
            machine.failed(Self.error(136), now: Self.after(Int64(index)))
            Self.expectOpening(
                of: &machine,
                marker: Self.time(9_000),
                oldest: Self.time(2_000 + UInt32(index)),
                now: Self.after(Int64(index)),
                isLossy: true
            )
            machine.read(upTo: nil)
        }
        #expect(machine.isUnstable(now: Self.after(3)))
        #expect(machine.open(now: Self.after(3)).pause == .seconds(5))
        #expect(machine.isUnstable(now: Self.after(62)))
        #expect(!machine.isUnstable(now: Self.after(63)))
        #expect(machine.open(now: Self.after(63)).pause == .zero)
    }

    @Test("A node that is unhealthy stays so with each further loss; losses that are far apart make none unhealthy")
    func stability() {
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

    @Test("A cursor that cannot be opened for reasons that nobody knows makes the node unhealthy")
    func failingOpenings() {
        var machine = Self.opened()
        var pauses: [TimeAmount] = []
        for second in 1...7 as ClosedRange<Int64> {
            #expect(!machine.isUnstable(now: Self.after(second)))
            machine.failed(Self.error(4_711), now: Self.after(second))
            pauses.append(machine.open(now: Self.after(second)).pause)
        }
        #expect(pauses == [0, 400, 800, 1_600, 3_200, 5_000, 5_000].map { .milliseconds($0) })
        #expect(machine.isUnstable(now: Self.after(7)))
        #expect(!machine.isUnstable(now: Self.after(67)))
    }

    @Test("A server that goes, comes or steps down does not, however often", arguments: [nil, 91, 10_107, 11_600, 13_435, 136] as [Int32?])
    func transient(code: Int32?) {
        var machine = Self.opened()
        for _ in 0..<50 { machine.failed(code.map(Self.error) ?? .simulated(.network), now: Self.now) }
        for _ in 0..<50 { machine.ended() }
        #expect(!machine.isUnstable(now: Self.now))
        #expect(machine.open(now: Self.now).pause == .seconds(5))
        machine.read(upTo: nil)
        #expect(machine.open(now: Self.now).pause == .zero)
    }
}
#endif
