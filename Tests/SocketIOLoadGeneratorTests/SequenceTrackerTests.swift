// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import SocketIOLoadGenerator

@Suite struct SequenceTrackerTests {
    private func counts(of numbers: some Sequence<UInt64>, inFlight: Int, last: UInt64) -> SequenceTracker.Counts {
        var tracker = SequenceTracker(next: 0, inFlight: inFlight)
        var counts = SequenceTracker.Counts()
        for number in numbers { tracker.receive(number, &counts) }
        tracker.finish(at: last, &counts)
        return counts
    }

    @Test func `messages in order are received, and nothing else`() {
        #expect(counts(of: 0..<1_000, inFlight: 1, last: 1_000) == .init(received: 1_000))
    }

    @Test(arguments: [63, 64, 100, 255])
    func `a message that is overtaken by as many as are in flight is out of order, not lost`(_ count: Int) {
        let overtaking = (1...UInt64(count)).map { $0 }
        let expected = SequenceTracker.Counts(received: count + 1, outOfOrder: 1)
        #expect(counts(of: overtaking + [0], inFlight: count + 1, last: UInt64(count) + 1) == expected)
    }

    @Test func `the reverse order is out of order, and complete`() {
        let expected = SequenceTracker.Counts(received: 256, outOfOrder: 255)
        #expect(counts(of: (0..<256).reversed(), inFlight: 256, last: 256) == expected)
    }

    @Test func `duplicates and losses are counted, at the end and within`() {
        let numbers: [UInt64] = [0, 1, 1, 3, 3, 5, 0]
        #expect(counts(of: numbers, inFlight: 16, last: 8) == .init(received: 7, duplicated: 3, lost: 4))
    }

    @Test func `what is further behind than the window is lost once`() {
        #expect(counts(of: [0, 1_000], inFlight: 64, last: 1_001) == .init(received: 2, lost: 999))
    }
}
