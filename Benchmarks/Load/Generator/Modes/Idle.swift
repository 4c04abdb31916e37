// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc

struct Idle: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Clients connect and do nothing: resident memory per connection, and what is kept when they are gone."
    )

    @OptionGroup var common: CommonOptions
    @Option(help: "The number of clients.") var clients = 10_000
    @Option(help: "Clients that connect first and leave, so that what the server needs only once is not counted.") var before = 100
    @Option(help: "Seconds to wait before the memory is read.") var settle = 3.0
    @Option(help: "Seconds to wait when all clients are gone: servers give memory back some time after.") var settleClosed = 9.0

    mutating func validate() throws {
        guard (1...1_000_000).contains(clients) else { throw ValidationError("--clients must be from 1 to 1000000") }
        guard common.pid.count == 1 else { throw ValidationError("--pid is needed: it names the process whose memory is read") }
    }

    func run() throws {
        try Descriptors.allow(clients)
        let url = try common.server()
        let pid = common.pid[0]
        let first = try IdleRun(format: common.parser)
        first.swarm.add(before, to: [url])
        try first.swarm.connectAll()
        first.swarm.closeAll()
        first.wait(settle)

        let atStart = try ProcessUsage.resident(of: pid)
        let run = try IdleRun(format: common.parser)
        run.swarm.add(clients, to: [url])
        try run.swarm.connectAll(timeout: 300)
        run.wait(settle)
        let open = try ProcessUsage.resident(of: pid)
        var measurement = try Measurement(pids: [pid])
        run.wait(settle)
        try measurement.end()
        let lost = run.swarm.lostCount
        run.swarm.closeAll()
        run.wait(settleClosed)
        let closed = try ProcessUsage.resident(of: pid)

        var report = Report("idle", [("clients", "\(clients)"), ("parser", common.parser.rawValue)])
        report.add("memory at start", Double(atStart) / 1024, "KiB", digits: 0)
        report.add("memory per connection", Double(open - atStart) / Double(clients), "B", digits: 0)
        report.add("kept per closed connection", Double(closed - atStart) / Double(clients), "B", digits: 0)
        report.add("server busy", measurement.serverBusy * 100, "%")
        if lost > 0 { report.warn("\(lost) clients were cut off: \(run.swarm.lastFailure ?? "")") }
        try common.print(report)
    }
}

final class IdleRun: SwarmDelegate {
    let swarm: Swarm<IdleRun>

    init(format: WireFormat) throws {
        swarm = try Swarm(format: format)
        swarm.delegate = self
    }

    func wait(_ seconds: Double) {
        let end = Clock.now + UInt64(seconds * 1e9)
        while Clock.now < end { swarm.poll(until: end) }
    }

    func client(_ client: ClientConnection, received packet: ReceivedPacket, now: UInt64) {}
}
