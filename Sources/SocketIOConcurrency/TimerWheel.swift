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
/// Setting, moving and cancelling a timer costs a few array writes and allocates nothing. An item fires at its deadline: the slots of the
/// wheel only say where to look for it.
package struct TimerWheel {
    /// The place of an item in the wheel.
    package struct Position {
        fileprivate var slot: Int32 = -1
        fileprivate var index: Int32 = -1
        fileprivate var deadline = NIODeadline.distantPast
        /// Whether the item is in the wheel.
        package var isScheduled: Bool { slot >= 0 }
        /// An item outside the wheel.
        package init() {}
    }

    /// The time that one slot stands for.
    package static let granularity = TimeAmount.milliseconds(10)
    private static let slotCount = 4096

    private var slots: [[any TimerWheelItem]] = Array(repeating: [], count: slotCount)
    private let start: NIODeadline
    /// The slots of all ticks before this one have been emptied, but for what is due in a later turn of the wheel.
    private var current = 0
    /// No item of the current slot is due before this, in this turn of the wheel. It saves looking through the slot once more.
    private var currentNext = NIODeadline.distantFuture
    package private(set) var count = 0

    package init(start: NIODeadline) {
        self.start = start
    }

    /// Makes the item fire at `deadline`, and no longer at any time set before. nil cancels it.
    package mutating func schedule(_ item: any TimerWheelItem, at deadline: NIODeadline?) {
        guard let deadline else { return cancel(item) }
        let tick = max(tick(at: deadline), current)
        let slot = tick & (Self.slotCount - 1)
        if tick == current { currentNext = min(currentNext, deadline) }
        if item.wheelPosition.isScheduled {
            guard item.wheelPosition.slot != Int32(slot) else {
                item.wheelPosition.deadline = deadline
                return
            }
            cancel(item)
        }
        item.wheelPosition.slot = Int32(slot)
        item.wheelPosition.index = Int32(slots[slot].count)
        item.wheelPosition.deadline = deadline
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
        // The slot of this tick is looked at again: some of its items may be due later.
        let last = max(tick(at: now), current)
        var result: [any TimerWheelItem] = []
        var next = NIODeadline.distantFuture
        for step in 0...min(last - current, Self.slotCount - 1) where count > 0 {
            next = takeExpired(slot: (current + step) & (Self.slotCount - 1), now: now, into: &result)
        }
        if last - current >= Self.slotCount { next = earliest(inSlotOf: last) }
        current = last
        currentNext = next < time(of: last + 1) ? next : .distantFuture
        return result
    }

    /// - Returns: The earliest deadline of the items that stay.
    private mutating func takeExpired(slot: Int, now: NIODeadline, into result: inout [any TimerWheelItem]) -> NIODeadline {
        var next = NIODeadline.distantFuture
        // From the end, since the last item moves into the gap.
        for index in slots[slot].indices.reversed() {
            let item = slots[slot][index]
            let deadline = item.wheelPosition.deadline
            if deadline <= now {
                cancel(item)
                result.append(item)
            } else {
                next = min(next, deadline)
            }
        }
        return next
    }

    /// When the next item is due, or, if that is more than a turn of the wheel away, when to ask again; nil if the wheel is empty.
    package var nextDeadline: NIODeadline? {
        guard count > 0 else { return nil }
        if currentNext < .distantFuture { return currentNext }
        for tick in (current + 1)..<(current + Self.slotCount) {
            let next = earliest(inSlotOf: tick)
            if next < time(of: tick + 1) { return next }
        }
        return time(of: current + Self.slotCount)
    }

    private func earliest(inSlotOf tick: Int) -> NIODeadline {
        slots[tick & (Self.slotCount - 1)].reduce(.distantFuture) { min($0, $1.wheelPosition.deadline) }
    }

    /// The tick that `deadline` lies in.
    private func tick(at deadline: NIODeadline) -> Int {
        guard deadline > start else { return 0 }
        return Int((deadline - start).nanoseconds / Self.granularity.nanoseconds)
    }

    private func time(of tick: Int) -> NIODeadline {
        start + Self.granularity * tick
    }
}
