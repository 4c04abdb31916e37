// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Whether the numbered messages of one sender arrive once each, and in order.
struct SequenceTracker {
    struct Counts {
        var received = 0
        var duplicated = 0
        var outOfOrder = 0
        var lost = 0
    }

    /// The lowest number that has not arrived.
    private(set) var next: UInt64
    /// Which of the 64 numbers from ``next`` on have arrived.
    private var window: UInt64 = 0
    /// The number after the highest that has arrived.
    private var end: UInt64

    init(next: UInt64) {
        self.next = next
        end = next
    }

    @inline(__always)
    mutating func receive(_ number: UInt64, _ counts: inout Counts) {
        counts.received += 1
        if number == next, window == 0 {
            next += 1
            end = next
        } else {
            receiveUnordered(number, &counts)
        }
    }

    private mutating func receiveUnordered(_ number: UInt64, _ counts: inout Counts) {
        guard number >= next else { return counts.duplicated += 1 }
        if number < end { counts.outOfOrder += 1 } else { end = number + 1 }
        // What is further behind than the window is given up as lost.
        while number - next >= 64 { slide(&counts) }
        let bit = UInt64(1) << (number - next)
        guard window & bit == 0 else { return counts.duplicated += 1 }
        window |= bit
        while window & 1 == 1 {
            window >>= 1
            next += 1
        }
    }

    private mutating func slide(_ counts: inout Counts) {
        if window & 1 == 0 { counts.lost += 1 }
        window >>= 1
        next += 1
    }

    /// Counts what has not arrived of the numbers before `last`.
    mutating func finish(at last: UInt64, _ counts: inout Counts) {
        while next < last {
            guard window != 0 else {
                counts.lost += Int(last - next)
                return next = last
            }
            slide(&counts)
        }
    }
}
