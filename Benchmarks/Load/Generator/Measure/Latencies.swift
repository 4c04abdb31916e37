// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Histogram

/// Latencies in nanoseconds, up to a minute and with three significant digits.
struct Latencies {
    private(set) var histogram = Histogram<UInt64>(
        lowestDiscernibleValue: 1000,
        highestTrackableValue: 60 * Clock.second,
        numberOfSignificantValueDigits: .three
    )

    @inline(__always)
    mutating func record(_ nanoseconds: UInt64) {
        histogram.record(min(nanoseconds, 60 * Clock.second))
    }

    var isEmpty: Bool { histogram.totalCount == 0 }

    mutating func reset() { histogram.reset() }

    /// Milliseconds at a percentile.
    func milliseconds(at percentile: Double) -> Double { Double(histogram.valueAtPercentile(percentile)) / 1e6 }

    static let percentiles: [(name: String, value: Double)] = [
        ("p50", 50), ("p90", 90), ("p99", 99), ("p99.9", 99.9), ("max", 100),
    ]
}
