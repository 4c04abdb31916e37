// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import HeapModule
package import NIOCore

/// The timers of one event loop, each with an action. For objects with one timer each, ``TimerWheel`` needs no memory per timer.
///
/// Most timers are cancelled. Here that costs a dictionary removal, and the event loop holds one timer for all.
package final class LoopTimers {
    package struct ID: Hashable {
        fileprivate let value: UInt64
    }

    private struct Entry: Comparable {
        let deadline: NIODeadline
        let id: ID
        static func < (left: Entry, right: Entry) -> Bool {
            (left.deadline, left.id.value) < (right.deadline, right.id.value)
        }
    }

    private let loop: any EventLoop
    private var entries = Heap<Entry>()
    private var actions: [ID: () -> Void] = [:]
    private var lastID: UInt64 = 0
    private var scheduled: (deadline: NIODeadline, task: Scheduled<Void>)?

    /// The timers that have neither fired nor been cancelled.
    package var count: Int { actions.count }

    package init(loop: any EventLoop) { self.loop = loop }

    /// Calls `action` on the loop once the time has passed.
    package func schedule(in time: Duration, _ action: @escaping () -> Void) -> ID {
        lastID += 1
        let id = ID(value: lastID)
        let deadline = loop.now + TimeAmount(time)
        entries.insert(Entry(deadline: deadline, id: id))
        actions[id] = action
        if scheduled.map({ deadline < $0.deadline }) ?? true { arm(deadline) }
        return id
    }

    /// Forgets a timer. Does nothing if it has fired.
    package func cancel(_ id: ID) {
        // Released after the access, as it may call back.
        let action = actions.removeValue(forKey: id)
        defer { withExtendedLifetime(action) {} }
        // Cancelled entries stay in the heap until their deadline; remove them when they are most of it.
        if entries.count > 1_024, entries.count > 4 * actions.count { compact() }
    }

    private func compact() {
        entries = Heap(entries.unordered.filter { actions[$0.id] != nil })
    }

    private func arm(_ deadline: NIODeadline) {
        scheduled?.task.cancel()
        let bound = NIOLoopBound(self, eventLoop: loop)
        scheduled = (deadline, loop.scheduleTask(deadline: deadline) { bound.value.fire() })
    }

    private func fire() {
        scheduled = nil
        let now = loop.now
        while let next = entries.min, next.deadline <= now {
            entries.removeMin()
            actions.removeValue(forKey: next.id)?()
        }
        while let next = entries.min, actions[next.id] == nil { entries.removeMin() }
        // An action may have scheduled a timer that is later than the next one.
        if let next = entries.min, scheduled.map({ next.deadline < $0.deadline }) ?? true { arm(next.deadline) }
    }
}
