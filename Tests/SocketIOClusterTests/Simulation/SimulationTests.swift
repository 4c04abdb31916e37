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

    @Test("The promises hold under every schedule", .timeLimit(.minutes(30)))
    func promises() async throws {
        if let seed = Self.environment["SEED"].flatMap(UInt64.init) { return try replay(seed) }
        let count = Self.environment["SCHEDULES"].flatMap(UInt64.init) ?? 10_000
        let parts: UInt64 = 8
        await withTaskGroup { group in
            for part in 0..<parts {
                group.addTask { await Self.runSchedules(stride(from: part, to: count, by: Int(parts))) }
            }
        }
    }

    /// Three failures of a part tell as much as a thousand.
    private static func runSchedules(_ seeds: StrideTo<UInt64>) async {
        var failures = 0
        for seed in seeds where failures < 3 {
            do { try Simulation(seed: seed).run() } catch {
                failures += 1
                Issue.record("SEED=\(seed): \(error)")
            }
            // The threads are shared with the other tests.
            await Task.yield()
        }
    }

    private func replay(_ seed: UInt64) throws {
        let simulation = Simulation(seed: seed, isTracing: true)
        defer { print(simulation.trace.joined(separator: "\n")) }
        try simulation.run()
    }

    @Test("A schedule is the same every time")
    func determinism() throws {
        let traces = try (0..<2).map { _ in
            let simulation = Simulation(seed: 42, isTracing: true)
            try simulation.run()
            return simulation.trace
        }
        let difference = zip(traces[0], traces[1]).first { $0 != $1 }
        #expect(difference == nil && traces[0].count == traces[1].count)
        #expect(traces[0].count > 100)
    }
}
