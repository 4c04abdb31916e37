// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc

struct Connects: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Clients connect as fast as the server lets them in: WebSocket handshake and main namespace."
    )

    @OptionGroup var common: CommonOptions
    @Option(help: "The number of clients.") var clients = 10_000
    @Option(help: "Connections under way at once.") var atOnce = 128
    @Option(help: "Clients that connect first, so that the server is warm.") var before = 500

    mutating func validate() throws {
        guard (1...1_000_000).contains(clients) else { throw ValidationError("--clients must be from 1 to 1000000") }
        guard (1...100_000).contains(atOnce) else { throw ValidationError("--at-once must be from 1 to 100000") }
    }

    func run() throws {
        try Descriptors.allow(clients + before)
        let run = try ConnectsRun(format: common.parser)
        run.swarm.add(before, to: [try common.server()])
        try run.swarm.connectAll(atOnce: atOnce)
        run.latencies.reset()
        run.swarm.add(clients, to: [try common.server()])
        var measurement = try Measurement(pids: common.pid)
        try run.swarm.connectAll(atOnce: atOnce, timeout: 300)
        try measurement.end()

        var report = Report("connects", [("clients", "\(clients)"), ("at-once", "\(atOnce)"), ("parser", common.parser.rawValue)])
        report.add("connects", Double(clients) / measurement.elapsed, "/s", digits: 0)
        if measurement.knowsServer { report.add("CPU per connect", measurement.microseconds(per: clients), "µs", digits: 1) }
        report.add(run.latencies, "until connected")
        measurement.describe(in: &report)
        try common.print(report)
        run.swarm.closeAll()
    }
}

final class ConnectsRun: SwarmDelegate {
    let swarm: Swarm<ConnectsRun>
    var latencies = Latencies()

    init(format: WireFormat) throws {
        swarm = try Swarm(format: format)
        swarm.delegate = self
    }

    func clientIsReady(_ client: ClientConnection, now: UInt64) { latencies.record(now - client.began) }

    func client(_ client: ClientConnection, received packet: ReceivedPacket, now: UInt64) {}
}
