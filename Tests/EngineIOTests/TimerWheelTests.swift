// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import EngineIO
@testable import SocketIOConcurrency

@Suite struct TimerWheelTests {
    private final class Item: TimerWheelItem {
        var wheelPosition = TimerWheel.Position()
        let name: Int
        init(_ name: Int) { self.name = name }
        func deadlineReached(now: NIODeadline) {}
    }

    private func at(_ milliseconds: Int64) -> NIODeadline {
        .uptimeNanoseconds(7_000_000_123) + .milliseconds(milliseconds)
    }

    private func expired(_ wheel: inout TimerWheel, _ milliseconds: Int64) -> [Int] {
        wheel.expired(now: at(milliseconds)).compactMap { ($0 as? Item)?.name }.sorted()
    }

    @Test func `items fire once and never early`() {
        var wheel = TimerWheel(start: at(0))
        let items = (0..<1000).map(Item.init)
        for item in items { wheel.schedule(item, at: at(Int64(item.name * 37))) }
        var fired: [Int] = []
        for now in stride(from: Int64(0), through: 37_100, by: 7) {
            for name in expired(&wheel, now) {
                #expect(name * 37 <= now && now - Int64(name * 37) < 7)
                fired.append(name)
            }
        }
        #expect(fired.sorted() == Array(0..<1000))
        #expect(wheel.count == 0 && wheel.nextDeadline == nil)
    }

    @Test func `an item fires at its deadline, wherever in a slot that is`() {
        var wheel = TimerWheel(start: at(0))
        let items = (0..<10).map(Item.init)
        for item in items { wheel.schedule(item, at: at(Int64(500 + item.name))) }
        for name in 0..<10 {
            #expect(wheel.nextDeadline == at(Int64(500 + name)))
            #expect(wheel.expired(now: at(Int64(500 + name)) - .nanoseconds(1)).isEmpty)
            #expect(expired(&wheel, Int64(500 + name)) == [name])
        }
        #expect(wheel.nextDeadline == nil)
    }

    /// An item that counts how often the wheel looks at it.
    private final class Counted: TimerWheelItem {
        private var position = TimerWheel.Position()
        private(set) var reads = 0
        var wheelPosition: TimerWheel.Position {
            get {
                reads += 1
                return position
            }
            set { position = newValue }
        }
        func deadlineReached(now: NIODeadline) {}
    }

    @Test func `a slot is looked through once for each turn`() {
        var wheel = TimerWheel(start: at(0))
        let (first, rest) = (Counted(), (0..<100).map { _ in Counted() })
        wheel.schedule(first, at: at(501))
        for item in rest { wheel.schedule(item, at: at(508)) }
        #expect(wheel.nextDeadline == at(501))
        let before = rest.reduce(0) { $0 + $1.reads }
        #expect(wheel.expired(now: at(501)).count == 1)
        #expect(wheel.nextDeadline == at(508))
        // Once each, and the item that moves into the gap once more.
        #expect(rest.reduce(0) { $0 + $1.reads } - before <= 101)
        #expect(wheel.expired(now: at(508)).count == 100)
        #expect(wheel.nextDeadline == nil)
    }

    @Test func `the next deadline of a slot follows what is scheduled and cancelled in it`() {
        var wheel = TimerWheel(start: at(0))
        let items = (0..<4).map(Item.init)
        wheel.schedule(items[0], at: at(501))
        wheel.schedule(items[1], at: at(508))
        #expect(expired(&wheel, 501) == [0])
        wheel.schedule(items[2], at: at(505))
        #expect(wheel.nextDeadline == at(505))
        wheel.schedule(items[2], at: nil)
        // Asked once too often, and then never early again.
        #expect(expired(&wheel, 505) == [])
        #expect(wheel.nextDeadline == at(508))
        // A whole turn of the wheel and more.
        wheel.schedule(items[3], at: at(508 + 3 * 40_960))
        #expect(expired(&wheel, 502 + 2 * 40_960) == [1])
        #expect(wheel.nextDeadline.map { $0 <= at(508 + 3 * 40_960) && $0 > at(502 + 2 * 40_960) } == true)
        #expect(expired(&wheel, 508 + 3 * 40_960) == [3])
    }

    @Test func `an item fires at its last deadline only`() {
        var wheel = TimerWheel(start: at(0))
        let item = Item(1)
        wheel.schedule(item, at: at(100))
        wheel.schedule(item, at: at(50))
        wheel.schedule(item, at: at(200))
        #expect(wheel.count == 1)
        #expect(expired(&wheel, 190) == [])
        #expect(expired(&wheel, 200) == [1])
        wheel.schedule(item, at: at(300))
        wheel.schedule(item, at: nil)
        wheel.schedule(item, at: nil)
        #expect(wheel.count == 0)
        #expect(expired(&wheel, 10_000) == [])
    }

    @Test func `cancelling one leaves the others of its slot`() {
        var wheel = TimerWheel(start: at(0))
        let items = (0..<10).map(Item.init)
        for item in items { wheel.schedule(item, at: at(100)) }
        for name in [0, 5, 9] { wheel.schedule(items[name], at: nil) }
        for name in [1, 8] { wheel.schedule(items[name], at: at(500)) }
        #expect(expired(&wheel, 100) == [2, 3, 4, 6, 7])
        #expect(expired(&wheel, 500) == [1, 8])
    }

    @Test func `deadlines beyond one turn and long sleeps are kept`() {
        var wheel = TimerWheel(start: at(0))
        let (near, far) = (Item(1), Item(2))
        wheel.schedule(near, at: at(50))
        wheel.schedule(far, at: at(50 + 40_960))
        #expect(expired(&wheel, 60) == [1])
        #expect(expired(&wheel, 40_000) == [])
        // The loop did not run for minutes.
        #expect(expired(&wheel, 500_000) == [2])
        // The past fires with the next turn.
        wheel.schedule(near, at: at(0))
        #expect(wheel.nextDeadline.map { $0 <= at(500_020) } == true)
        #expect(expired(&wheel, 500_020) == [1])
    }

    @Test func `the next deadline is never late`() {
        var wheel = TimerWheel(start: at(0))
        let items = (0..<50).map(Item.init)
        for item in items { wheel.schedule(item, at: at(Int64(item.name * 997 % 30_000))) }
        var fired = 0
        while let next = wheel.nextDeadline { fired += wheel.expired(now: next).count }
        #expect(fired == 50)
    }

    @Test func `credit stops and restarts a connection`() {
        let credit = InboundCredit()
        #expect(!credit.spend(200_000))
        #expect(credit.spend(100_000))
        #expect(credit.restore(200_000))
        #expect(!credit.restore(100_000))
        #expect(credit.spend(300_000))
        #expect(credit.spend(300_000))
        #expect(!credit.restore(300_000))
        #expect(credit.restore(300_000))
    }
}
