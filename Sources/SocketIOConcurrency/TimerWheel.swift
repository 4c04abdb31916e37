// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// An object that a ``TimerWheel`` calls at its deadline.
package protocol TimerWheelItem: AnyObject {
    /// Where the wheel keeps the item; only the wheel changes it.
    var wheelPosition: TimerWheel.Position { get set }
    /// The deadline has passed. The item is not in the wheel any more.
    func deadlineReached(now: NIODeadline)
}

/// The timers of all sessions and connections of one event loop.
///
/// Setting, moving and cancelling a timer costs a few array writes and allocates nothing; an item fires up to one ``granularity`` late.
package struct TimerWheel {
    /// The place of an item in the wheel.
    package struct Position {
        fileprivate var slot: Int32 = -1
        fileprivate var index: Int32 = -1
        /// The turn of the wheel, counted in ticks since it started.
        fileprivate var tick = 0
        /// Whether the item is in the wheel.
        package var isScheduled: Bool { slot >= 0 }
        /// An item outside the wheel.
        package init() {}
    }

    package static let granularity = TimeAmount.milliseconds(10)
    private static let slotCount = 4096

    private var slots: [[any TimerWheelItem]] = Array(repeating: [], count: slotCount)
    private let start: NIODeadline
    /// All ticks before this one have fired.
    private var current = 0
    package private(set) var count = 0

    package init(start: NIODeadline) {
        self.start = start
    }

    /// Makes the item fire at `deadline`, and no longer at any time set before. nil cancels it.
    package mutating func schedule(_ item: any TimerWheelItem, at deadline: NIODeadline?) {
        guard let deadline else { return cancel(item) }
        let tick = max(tick(at: deadline), current)
        if item.wheelPosition.isScheduled {
            if item.wheelPosition.tick == tick { return }
            cancel(item)
        }
        let slot = tick & (Self.slotCount - 1)
        item.wheelPosition.slot = Int32(slot)
        item.wheelPosition.index = Int32(slots[slot].count)
        item.wheelPosition.tick = tick
        slots[slot].append(item)
        count += 1
    }

    /// Takes the item out of the wheel.
    package mutating func cancel(_ item: any TimerWheelItem) {
        let position = item.wheelPosition
        guard position.isScheduled else { return }
        let slot = Int(position.slot)
        let last = slots[slot].removeLast()
        if last !== item {
            slots[slot][Int(position.index)] = last
            last.wheelPosition.index = position.index
        }
        item.wheelPosition = Position()
        count -= 1
    }

    /// Removes and returns the items whose deadlines have passed.
    package mutating func expired(now: NIODeadline) -> [any TimerWheelItem] {
        let end = now < start ? 0 : Int((now - start).nanoseconds / Self.granularity.nanoseconds) + 1
        var result: [any TimerWheelItem] = []
        guard end > current else { return result }
        let steps = min(end - current, Self.slotCount)
        for step in 0..<steps where count > 0 {
            takeExpired(slot: (current + step) & (Self.slotCount - 1), before: end, into: &result)
        }
        current = end
        return result
    }

    private mutating func takeExpired(slot: Int, before end: Int, into result: inout [any TimerWheelItem]) {
        guard !slots[slot].isEmpty else { return }
        let due = slots[slot].filter { $0.wheelPosition.tick < end }
        for item in due {
            cancel(item)
            result.append(item)
        }
    }

    /// When the next item may be due; nil if the wheel is empty. Never later than its deadline plus one ``granularity``.
    package var nextDeadline: NIODeadline? {
        guard count > 0 else { return nil }
        for step in 0..<Self.slotCount {
            let tick = current + step
            if !slots[tick & (Self.slotCount - 1)].isEmpty { return time(of: tick) }
        }
        return nil
    }

    /// The tick that ends after `deadline`.
    private func tick(at deadline: NIODeadline) -> Int {
        guard deadline > start else { return 0 }
        return Int(((deadline - start).nanoseconds + Self.granularity.nanoseconds - 1) / Self.granularity.nanoseconds)
    }

    private func time(of tick: Int) -> NIODeadline {
        start + Self.granularity * tick
    }
}
