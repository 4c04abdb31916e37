// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import SocketIOCluster
@testable import SocketIOCore

@Suite("Numbers of cluster messages")
struct NumbersTests {
    private let origin = NodeIdentity(id: "a", epoch: 5)
    private let now = NIODeadline.uptimeNanoseconds(1_000)

    private func machine() -> ReceivedNumbersStateMachine { .init(limit: 3, retention: .seconds(10)) }
    private func stamp(_ number: UInt64, lane: UInt8 = 0, void: [ClosedRange<UInt64>] = []) -> NumberStamp {
        NumberStamp(lane: lane, number: number, void: void)
    }

    @Test
    func `The first number is the baseline, the next is delivered, a repeated one is dropped`() {
        var machine = machine()
        #expect(machine.receive(stamp(7), from: origin, targeted: false, now: now) == .deliver(missing: 0))
        #expect(machine.receive(stamp(8), from: origin, targeted: false, now: now) == .deliver(missing: 0))
        #expect(machine.receive(stamp(8), from: origin, targeted: false, now: now) == .drop)
        #expect(machine.receive(stamp(3), from: origin, targeted: false, now: now) == .drop)
    }

    @Test
    func `A later number is delivered at once, and what is missing is told, without what is void`() {
        var machine = machine()
        _ = machine.receive(stamp(1), from: origin, targeted: false, now: now)
        #expect(machine.receive(stamp(5, void: [3...3]), from: origin, targeted: false, now: now) == .deliver(missing: 2))
        #expect(machine.receive(stamp(8, void: [6...7]), from: origin, targeted: false, now: now) == .deliver(missing: 0))
        #expect(machine.receive(stamp(12, void: [1...20]), from: origin, targeted: false, now: now) == .deliver(missing: 0))
        #expect(machine.receive(stamp(15, void: [14...14, 13...14]), from: origin, targeted: false, now: now) == .deliver(missing: 0))
    }

    @Test
    func `A node in its first moments is not forgotten in a flood of origins that are heard once`() {
        var machine = ReceivedNumbersStateMachine(limit: 64, retention: .seconds(10))
        for number: UInt64 in 1...2 { _ = machine.receive(stamp(number), from: origin, targeted: false, now: now) }
        for index: UInt64 in 1...1_000 {
            let forged = NodeIdentity(id: "forged \(index)", epoch: 1)
            _ = machine.receive(stamp(1), from: forged, targeted: false, now: now + .milliseconds(Int64(index)))
        }
        #expect(machine.receive(stamp(5), from: origin, targeted: false, now: now + .seconds(1)) == .deliver(missing: 2))
    }

    @Test
    func `Lanes, targets and epochs count on their own`() {
        var machine = machine()
        _ = machine.receive(stamp(10), from: origin, targeted: false, now: now)
        #expect(machine.receive(stamp(1, lane: 1), from: origin, targeted: false, now: now) == .deliver(missing: 0))
        #expect(machine.receive(stamp(1), from: origin, targeted: true, now: now) == .deliver(missing: 0))
        #expect(machine.receive(stamp(1), from: NodeIdentity(id: "a", epoch: 6), targeted: false, now: now) == .deliver(missing: 0))
        #expect(machine.receive(stamp(2), from: NodeIdentity(id: "b", epoch: 5), targeted: false, now: now) == .deliver(missing: 0))
    }

    @Test
    func `After a pause, what the earlier life left behind comes too late; another process is another origin`() {
        var machine = machine()
        _ = machine.receive(stamp(1), from: origin, targeted: false, now: now)
        _ = machine.receive(stamp(1), from: NodeIdentity(id: "a", epoch: 6), targeted: false, now: now)
        #expect(machine.receive(stamp(2), from: origin, targeted: false, now: now) == .drop)
        #expect(machine.receive(stamp(2, lane: 1), from: origin, targeted: false, now: now) == .deliver(missing: 0))
        _ = machine.receive(stamp(1), from: NodeIdentity(id: "a", epoch: 1 << 40), targeted: false, now: now)
        #expect(machine.receive(stamp(2), from: NodeIdentity(id: "a", epoch: 6), targeted: false, now: now) == .deliver(missing: 0))
    }

    @Test
    func `A heartbeat gives the baseline, or tells that the last messages were lost`() {
        var machine = machine()
        #expect(machine.position(stamp(4), of: origin, targeted: false, now: now).missing == 0)
        #expect(machine.receive(stamp(5), from: origin, targeted: false, now: now) == .deliver(missing: 0))
        #expect(machine.position(stamp(5), of: origin, targeted: false, now: now).missing == 0)
        #expect(machine.position(stamp(9, void: [8...8]), of: origin, targeted: false, now: now).missing == 3)
        // What is void was given up; the rest was said to be lost, and is new if it comes after all.
        #expect(machine.receive(stamp(8), from: origin, targeted: false, now: now) == .drop)
        #expect(machine.receive(stamp(9), from: origin, targeted: false, mayRepeat: false, now: now) == .contradict)
        #expect(machine.receive(stamp(9), from: origin, targeted: false, now: now) == .drop)
    }

    @Test
    func `Origins are bounded in number and in time`() {
        var machine = machine()
        for index in 0..<10 {
            _ = machine.receive(stamp(1), from: NodeIdentity(id: "\(index)", epoch: 1), targeted: false, now: now + .seconds(Int64(index)))
        }
        #expect(machine.count == 3)
        machine.expire(now: now + .seconds(18))
        #expect(machine.count == 2)
    }

    @Test
    func `Extreme numbers are harmless`() {
        var machine = machine()
        _ = machine.receive(stamp(0), from: origin, targeted: false, now: now)
        let all: [ClosedRange<UInt64>] = [0 ... .max, 5...5]
        #expect(machine.receive(stamp(.max, void: all), from: origin, targeted: false, now: now) == .deliver(missing: 0))
        #expect(machine.receive(stamp(.max), from: origin, targeted: false, now: now) == .drop)
        #expect(machine.position(stamp(.max), of: origin, targeted: false, now: now).missing == 0)
    }

    @Test
    func `Numbers start at 1, each target has its own, and forgotten targets never get one twice`() {
        var numbers = SentNumbers(epoch: 1)
        #expect((numbers.next(nil), numbers.next(nil), numbers.next("x"), numbers.next("x")) == (1, 2, 1, 2))
        for index in 0...SentNumbers.targetLimit { _ = numbers.next("node \(index)") }
        #expect(numbers.next("x") > 2)
    }

    @Test
    func `Void numbers are listed until a later message is written`() {
        var numbers = SentNumbers(epoch: 1)
        for _ in 0..<9 { _ = numbers.next(nil) }
        for number: UInt64 in [3, 4, 8, 6] { numbers.abandon(number, target: nil) }
        #expect(numbers.void(nil) == [3...4, 6...6, 8...8])
        numbers.voidIsKnown(nil, below: 7)
        #expect(numbers.void(nil) == [8...8])
    }

    @Test
    func `A target that was forgotten, or has gone, misses nothing of the numbers it was not given`() {
        var numbers = SentNumbers(epoch: 1)
        var machine = machine()
        func receive(_ number: UInt64) -> ReceivedNumbersStateMachine.ReceiveAction {
            machine.receive(stamp(number, void: numbers.void("x")), from: origin, targeted: true, now: now)
        }
        #expect(receive(numbers.next("x")) == .deliver(missing: 0))
        for _ in 0..<9 { _ = numbers.next("busy") }
        numbers.forget("busy")
        numbers.forget("x")
        // A heartbeat tells the same.
        let position = numbers.positions(lane: 0, target: "x")[1].stamp
        #expect(machine.position(position, of: origin, targeted: true, now: now).missing == 0)
        let next = numbers.next("x")
        #expect(next == 10)
        #expect(receive(next) == .deliver(missing: 0))
        numbers.voidIsKnown("x", below: next)
        #expect(numbers.void("x").isEmpty)
        // What is lost from here on is missed.
        _ = numbers.next("x")
        #expect(receive(numbers.next("x")) == .deliver(missing: 1))
    }

    @Test
    func `When there are too many targets, those go that were not used for longest`() {
        var numbers = SentNumbers(epoch: 1)
        _ = numbers.next("old")
        for index in 0..<SentNumbers.targetLimit - 1 { _ = numbers.next("node \(index)") }
        _ = numbers.next("node 0")
        _ = numbers.next("new")
        #expect(numbers.void("node 0").isEmpty)
        #expect(numbers.next("node 0") == 3)
        #expect(numbers.void("old").isEmpty)
        _ = numbers.next("old")
        #expect(!numbers.void("old").isEmpty)
    }

    @Test
    func `The numbers of an origin that only says that it is alive are not forgotten`() {
        var machine = machine()
        _ = machine.receive(stamp(5), from: origin, targeted: false, now: now)
        for second in stride(from: Int64(5), through: 60, by: 5) {
            let time = now + .seconds(second)
            #expect(machine.position(stamp(5), of: origin, targeted: false, now: time).missing == 0)
            machine.expire(now: time)
        }
        #expect(machine.receive(stamp(5), from: origin, targeted: false, now: now + .seconds(61)) == .drop)
        #expect(machine.receive(stamp(8), from: origin, targeted: false, now: now + .seconds(61)) == .deliver(missing: 2))
    }
}
