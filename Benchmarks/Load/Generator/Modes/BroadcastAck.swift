// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc

struct BroadcastAck: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "One client makes the server ask all clients, one question at a time: the time until all answers are back."
    )

    @OptionGroup var common: CommonOptions
    @OptionGroup var time: TimeOptions
    @Option(help: "The number of clients that answer.") var clients = 20
    @Option(help: "Another server; half of the clients are there.") var other: String?
    @Option(help: "The size of the payload in bytes.") var size = 64

    mutating func validate() throws {
        guard (1...10_000).contains(clients) else { throw ValidationError("--clients must be from 1 to 10000") }
        guard (Payload.minimumSize...60_000).contains(size) else { throw ValidationError("--size must be from 13 to 60000") }
    }

    func run() throws {
        try Descriptors.allow(clients + 1)
        let servers = try [common.server()] + (other.map { [try ServerURL($0)] } ?? [])
        let run = try BroadcastAckRun(format: common.parser, size: size)
        run.swarm.add(clients, to: servers)
        try run.swarm.connectAll()
        try run.ask(for: time.warmUpTime)
        run.reset()
        var measurement = try Measurement(pids: common.pid)
        try run.ask(for: time.time)
        try measurement.end()

        let parameters = [
            ("clients", "\(clients)"), ("servers", "\(servers.count)"), ("size", "\(size)"), ("parser", common.parser.rawValue),
        ]
        var report = Report("broadcast-ack", parameters)
        report.add("questions", Double(run.rounds) / measurement.elapsed, "/s", digits: 1)
        if measurement.knowsServer { report.add("CPU per question", measurement.microseconds(per: run.rounds), "µs", digits: 1) }
        report.add(run.latencies)
        report.add("missing answers", run.missing(clients))
        measurement.describe(in: &report)
        try common.print(report)
        run.swarm.closeAll()
    }
}

final class BroadcastAckRun: SwarmDelegate {
    let swarm: Swarm<BroadcastAckRun>
    private(set) var latencies = Latencies()
    private(set) var rounds = 0
    private var answers = 0
    private var isWaiting = false
    private var asked: UInt64 = 0
    private var nextID = 0
    private var payload: Payload
    private var message = Bytes()

    init(format: WireFormat, size: Int) throws {
        payload = Payload(size: size)
        swarm = try Swarm(format: format)
        swarm.delegate = self
    }

    deinit { message.deallocate() }

    func reset() {
        latencies.reset()
        (rounds, answers) = (0, 0)
    }

    /// The answers of clients that the server did not pass on.
    func missing(_ clients: Int) -> Int { rounds * clients - answers }

    func ask(for time: UInt64) throws {
        let end = Clock.now + time
        while Clock.now < end {
            nextID += 1
            payload.number(UInt64(nextID))
            swarm.writer.event("bcast-ack", [payload.bytes], id: nextID, into: &message)
            swarm.send(message, from: swarm.clients[0])
            asked = Clock.now
            isWaiting = true
            while isWaiting {
                swarm.poll(until: asked + 10 * Clock.second)
                guard Clock.now < asked + 10 * Clock.second else { throw LoadError("no answer within 10 s") }
            }
        }
    }

    func client(_ client: ClientConnection, received packet: ReceivedPacket, now: UInt64) {
        if packet.kind == .event {
            guard packet.id >= 0 else { return }
            swarm.writer.acknowledgement(packet.id, payload.bytes, into: &message)
            return swarm.send(message, from: client)
        }
        guard packet.kind == .acknowledgement, packet.id == nextID else { return }
        latencies.record(now - asked)
        rounds += 1
        answers += packet.body.reduce(0) { $0 + ($1 == Payload.marker ? 1 : 0) }
        isWaiting = false
    }
}
