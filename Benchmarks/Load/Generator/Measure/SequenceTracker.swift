// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Whether the numbered messages of one sender arrive once each, and in order.
struct SequenceTracker {
    struct Counts: Equatable {
        var received = 0
        var duplicated = 0
        var outOfOrder = 0
        var lost = 0
    }

    /// The lowest number that has not arrived.
    private(set) var next: UInt64
    /// The number after the highest that has arrived.
    private var end: UInt64
    /// How many numbers from ``next`` on are tracked: a power of two.
    private let window: UInt64
    /// Which of these have arrived: the bit of a number is its remainder by ``window``. Empty until a message overtakes another.
    private var arrived: [UInt64] = []
    /// The number of bits that are set.
    private var held = 0

    /// - Parameters:
    ///   - next: The first number.
    ///   - inFlight: How many messages can be under way at once: none can overtake more. A message that is overtaken by more counts as lost.
    init(next: UInt64, inFlight: Int) {
        self.next = next
        end = next
        var window: UInt64 = 64
        while window < inFlight { window *= 2 }
        self.window = window
    }

    @inline(__always)
    mutating func receive(_ number: UInt64, _ counts: inout Counts) {
        counts.received += 1
        if number == next, held == 0 {
            next += 1
            end = next
        } else {
            receiveUnordered(number, &counts)
        }
    }

    private mutating func receiveUnordered(_ number: UInt64, _ counts: inout Counts) {
        guard number >= next else { return counts.duplicated += 1 }
        if arrived.isEmpty { arrived = Array(repeating: 0, count: Int(window / 64)) }
        let isLate = number < end
        end = max(end, number + 1)
        // What is further behind than the window is given up as lost.
        while number - next >= window { slide(&counts) }
        let (word, bit) = place(of: number)
        guard arrived[word] & bit == 0 else { return counts.duplicated += 1 }
        if isLate { counts.outOfOrder += 1 }
        arrived[word] |= bit
        held += 1
        while held > 0, takeNext() {}
    }

    private func place(of number: UInt64) -> (word: Int, bit: UInt64) {
        let index = number & (window - 1)
        return (Int(index / 64), 1 << (index % 64))
    }

    /// Moves on if the next number has arrived.
    private mutating func takeNext() -> Bool {
        let (word, bit) = place(of: next)
        guard arrived[word] & bit != 0 else { return false }
        arrived[word] &= ~bit
        held -= 1
        next += 1
        return true
    }

    private mutating func slide(_ counts: inout Counts) {
        guard held == 0 || !takeNext() else { return }
        counts.lost += 1
        next += 1
    }

    /// Counts what has not arrived of the numbers before `last`.
    mutating func finish(at last: UInt64, _ counts: inout Counts) {
        while next < last {
            guard held > 0 else {
                counts.lost += Int(last - next)
                return next = last
            }
            slide(&counts)
        }
    }
}
