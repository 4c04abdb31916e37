// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What the servers and this process used between two moments.
struct Measurement {
    private let pids: [pid_t]
    private let began: UInt64
    private let ownCPU: UInt64
    private let serverCPU: [UInt64]

    /// Seconds.
    private(set) var elapsed = 0.0
    /// Seconds of CPU time of all servers together.
    private(set) var serverTime = 0.0
    private(set) var ownBusy = 0.0
    /// The CPU time of the servers per second, in cores.
    private(set) var serverBusy = 0.0

    var knowsServer: Bool { !pids.isEmpty }

    /// Begins to measure.
    init(pids: [pid_t]) throws {
        self.pids = pids
        serverCPU = try pids.map { try ProcessUsage.cpu(of: $0) }
        ownCPU = ProcessUsage.own()
        began = Clock.now
    }

    mutating func end() throws {
        let now = Clock.now
        let own = ProcessUsage.own() - ownCPU
        let server = try zip(pids, serverCPU).reduce(UInt64(0)) { try $0 + ProcessUsage.cpu(of: $1.0) - $1.1 }
        elapsed = Double(now - began) / 1e9
        serverTime = Double(server) / 1e9
        ownBusy = Double(own) / 1e9 / elapsed
        serverBusy = serverTime / elapsed
    }

    /// Microseconds of the servers' CPU time per operation.
    func microseconds(per operations: Int) -> Double { operations == 0 ? 0 : serverTime * 1e6 / Double(operations) }

    /// Adds what every report says.
    func describe(in report: inout Report) {
        report.add("generator busy", ownBusy * 100, "%", digits: 0)
        guard knowsServer else { return }
        report.add("server busy", serverBusy * 100, "%", digits: 0)
        if ownBusy > 0.95, serverBusy < 0.95 * Double(pids.count) {
            report.warn("this load generator was the bottleneck: the server could have done more")
        }
    }
}
