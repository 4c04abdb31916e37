// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore
import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The promises of the cluster under seeded schedules of faults.
///
/// `SEED=n` runs one schedule and prints what happened in it; `SCHEDULES=n` sets how many are run (default 10 000).
@Suite("Simulation of the cluster")
struct SimulationTests {
    private static let environment = ProcessInfo.processInfo.environment

    @Test(.timeLimit(.minutes(30)))
    func `The promises hold under every schedule`() async throws {
        if let seed = Self.environment["SEED"].flatMap(UInt64.init) { return try replay(seed) }
        let count = Self.environment["SCHEDULES"].flatMap(UInt64.init) ?? 10_000
        let parts: UInt64 = 2
        let counts = await withTaskGroup(of: (SimulationCounts, [String]).self) { group in
            for part in 0..<parts {
                group.addTask { await Background.run { Self.runSchedules(stride(from: part, to: count, by: Int(parts))) } }
            }
            var counts = SimulationCounts()
            for await (part, failures) in group {
                counts = counts + part
                for failure in failures { Issue.record("\(failure)") }
            }
            return counts
        }
        guard count >= 1_000 else { return }
        #expect(counts.local > 0 && counts.claimed > 0 && counts.stored > 0 && counts.fresh > 0, "\(counts)")
        #expect(counts.fromSnapshot > 0, "\(counts)")
        #expect(counts.rolledBack > 0 && counts.withdrawn > 0, "\(counts)")
        #expect(counts.reported > 0 && counts.dropped > 0, "\(counts)")
    }

    /// Three failures of a part tell as much as a thousand.
    private static func runSchedules(_ seeds: StrideTo<UInt64>) -> (SimulationCounts, [String]) {
        var failures: [String] = []
        var counts = SimulationCounts()
        for seed in seeds where failures.count < 3 {
            let simulation = Simulation(seed: seed)
            do { try simulation.run() } catch {
                failures.append("SEED=\(seed): \(error)")
            }
            counts = counts + simulation.counts
        }
        return (counts, failures)
    }

    private func replay(_ seed: UInt64) throws {
        let simulation = Simulation(seed: seed, isTracing: true)
        defer { print(simulation.trace.joined(separator: "\n")) }
        try simulation.run()
    }

    @Test
    func `A schedule is the same every time`() throws {
        let traces = try (0..<2).map { _ in
            let simulation = Simulation(seed: 42, isTracing: true)
            try simulation.run()
            return simulation.trace
        }
        let difference = zip(traces[0], traces[1]).first { $0 != $1 }
        #expect(difference.map { "\($0)" } == nil)
        #expect(traces[0].count == traces[1].count)
        #expect(traces[0].count > 100)
    }
}
