// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Benchmark

/// The sizes at which something is measured that should grow no faster than them.
let sizes = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]

let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .cpuUser, .throughput],
        warmupIterations: 3,
        scalingFactor: .kilo,
        maxDuration: .seconds(1)
    )
    codecBenchmarks()
    roomBenchmarks()
    handshakeBenchmarks()
    clusterBenchmarks()
}
