// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// A generator whose numbers depend on its seed only.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }

    /// Whether something with this probability happens.
    mutating func happens(_ probability: Double) -> Bool { Double(next() >> 11) / Double(1 << 53) < probability }

    /// A number of milliseconds, small ones more often than large ones, in nanoseconds.
    mutating func delay(_ range: ClosedRange<Int64>) -> Int64 {
        let part = Double(next() >> 11) / Double(1 << 53)
        let span = Double(range.upperBound - range.lowerBound) * 1e6
        return range.lowerBound * 1_000_000 + Int64(span * part * part)
    }
}

/// The clock of one node: it starts anywhere and runs a little too fast or too slow.
struct SimulatedClock {
    var offset: UInt64
    var rate: Double

    init(_ random: inout SeededGenerator) {
        offset = UInt64.random(in: 1 << 40...1 << 50, using: &random)
        rate = Double.random(in: 0.98...1.02, using: &random)
    }

    func time(at now: Int64) -> NIODeadline { .uptimeNanoseconds(offset + UInt64(Double(now) * rate)) }
}

/// Events in the order of their time, and of their creation if that is the same.
struct EventQueue {
    /// Time and sequence in one number, for this is what a schedule spends its time with: 2⁴⁰ ns are 18 minutes.
    private var heap: [UInt64] = []
    private var events: [Simulation.Event?] = []

    mutating func add(_ event: Simulation.Event, at time: Int64) {
        heap.append(UInt64(time) << 24 | UInt64(events.count))
        events.append(event)
        var index = heap.count - 1
        heap.withUnsafeMutableBufferPointer { heap in
            while index > 0, heap[index] < heap[(index - 1) / 2] {
                heap.swapAt(index, (index - 1) / 2)
                index = (index - 1) / 2
            }
        }
    }

    mutating func next() -> (Int64, Simulation.Event)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        let index = Int(first & 0xff_ffff)
        guard let event = events[index] else { return nil }
        events[index] = nil
        return (Int64(first >> 24), event)
    }

    private mutating func sink() {
        heap.withUnsafeMutableBufferPointer { heap in
            var index = 0
            while true {
                var smallest = index
                let left = 2 * index + 1
                if left < heap.count, heap[left] < heap[smallest] { smallest = left }
                if left + 1 < heap.count, heap[left + 1] < heap[smallest] { smallest = left + 1 }
                guard smallest != index else { return }
                heap.swapAt(index, smallest)
                index = smallest
            }
        }
    }
}
