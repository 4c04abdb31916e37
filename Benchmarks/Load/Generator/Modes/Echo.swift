// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc

struct Echo: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Clients send events that are acknowledged with what they carry.",
        discussion:
            "Closed loop: every client has the same number of events in flight. Open loop (--rate): events are sent at their times, "
            + "whether or not the server keeps up, and latencies count from the time when an event should have been sent."
    )

    @OptionGroup var common: CommonOptions
    @OptionGroup var time: TimeOptions
    @Option(help: "The number of clients.") var clients = 100
    @Option(help: "Events in flight per client.") var inFlight = 1
    @Option(help: "Events per second of all clients together (open loop).") var rate: Double?
    @Option(help: "The size of the payload in bytes.") var size = 64
    @Option(help: "The event's name: echo, or echo-typed.") var event = "echo"

    mutating func validate() throws {
        guard (1...100_000).contains(clients) else { throw ValidationError("--clients must be from 1 to 100000") }
        guard (1...EchoRun.ringSize).contains(inFlight) else { throw ValidationError("--in-flight must be from 1 to \(EchoRun.ringSize)") }
        guard (Payload.minimumSize...60_000).contains(size) else { throw ValidationError("--size must be from 13 to 60000") }
    }

    func run() throws {
        try Descriptors.allow(clients)
        let run = try EchoRun(format: common.parser, event: event, size: size, clients: clients)
        run.swarm.add(clients, to: [try common.server()])
        try run.swarm.connectAll()
        if let rate { run.open(rate: rate, for: time.warmUpTime) } else { run.closed(inFlight: inFlight, for: time.warmUpTime) }
        run.beginMeasuring()
        var measurement = try Measurement(pids: common.pid)
        if let rate { run.open(rate: rate, for: time.time) } else { run.closed(inFlight: 0, for: time.time) }
        try measurement.end()
        let echoes = run.echoes
        run.finish()
        try common.print(report(run, measurement, echoes))
        run.swarm.closeAll()
    }

    private func report(_ run: EchoRun, _ measurement: Measurement, _ echoes: Int) -> Report {
        let load = rate.map { ("rate", "\(Int($0))") } ?? ("in-flight", "\(inFlight)")
        var report = Report(
            "echo",
            [("clients", "\(clients)"), load, ("size", "\(size)"), ("event", event), ("parser", common.parser.rawValue)]
        )
        report.add("echoes", Double(echoes) / measurement.elapsed, "/s", digits: 0)
        if measurement.knowsServer { report.add("CPU per echo", measurement.microseconds(per: echoes), "µs") }
        report.add(run.latencies)
        report.add("lost", run.lost)
        report.add("duplicated", run.duplicated)
        report.add("out of order", run.outOfOrder)
        report.add("damaged", run.damaged)
        if rate != nil { report.add(run.lateness, "sent late by") }
        measurement.describe(in: &report)
        if run.swarm.lostCount > 0 { report.warn("\(run.swarm.lostCount) clients were cut off: \(run.swarm.lastFailure ?? "")") }
        if run.overruns > 0 {
            report.warn("\(run.overruns) events were not sent: \(EchoRun.ringSize) of their client were in flight already")
        }
        return report
    }
}

/// The clients of an echo run, and what they wait for.
final class EchoRun: SwarmDelegate {
    static let ringSize = 1024

    let swarm: Swarm<EchoRun>
    private(set) var latencies = Latencies()
    private(set) var lateness = Latencies()
    private(set) var echoes = 0
    private(set) var duplicated = 0
    private(set) var outOfOrder = 0
    private(set) var damaged = 0
    private(set) var overruns = 0
    /// Events that are waited for.
    private(set) var lost = 0

    private let event: String
    private var payload: Payload
    private var message = Bytes()
    private var expectedSize = 0
    private var nextID: [Int]
    private var highestID: [Int]
    /// When the events in flight should have been sent, by client and id; 0 for none.
    private let sent: UnsafeMutablePointer<UInt64>
    private var keepsLoopClosed = false
    private var nextTurn = 0

    init(format: WireFormat, event: String, size: Int, clients: Int) throws {
        self.event = event
        payload = Payload(size: size)
        nextID = [Int](repeating: 0, count: clients)
        highestID = [Int](repeating: -1, count: clients)
        sent = .allocate(capacity: clients * Self.ringSize)
        sent.initialize(repeating: 0, count: clients * Self.ringSize)
        swarm = try Swarm(format: format)
        swarm.delegate = self
    }

    deinit {
        sent.deallocate()
        message.deallocate()
    }

    private func slot(_ client: ClientConnection, _ id: Int) -> Int { client.index * Self.ringSize + id % Self.ringSize }

    private func send(from client: ClientConnection, intended: UInt64) {
        let id = nextID[client.index]
        let slot = slot(client, id)
        guard sent[slot] == 0 else { return overruns += 1 }
        nextID[client.index] = id + 1
        sent[slot] = intended
        payload.number(UInt64(id))
        swarm.writer.event(event, [payload.bytes], id: id, into: &message)
        swarm.send(message, from: client)
    }

    /// - Parameter inFlight: How many events each client sends at the start; 0 if they are under way.
    func closed(inFlight: Int, for time: UInt64) {
        keepsLoopClosed = true
        let now = Clock.now
        for client in swarm.clients { for _ in 0..<inFlight { send(from: client, intended: now) } }
        let end = now + time
        while Clock.now < end { swarm.poll(until: end) }
    }

    func open(rate: Double, for time: UInt64) {
        let begin = Clock.now
        let interval = 1e9 / rate
        var number = 0
        while true {
            let now = Clock.now
            guard now < begin + time else { return }
            while case let due = begin + UInt64(Double(number) * interval), due <= now {
                send(from: swarm.clients[nextTurn], intended: due)
                lateness.record(Clock.now - due)
                nextTurn = (nextTurn + 1) % swarm.clients.count
                number += 1
            }
            swarm.poll(until: min(begin + time, begin + UInt64(Double(number) * interval)))
        }
    }

    func beginMeasuring() {
        latencies.reset()
        lateness.reset()
        echoes = 0
    }

    /// Waits for what is still in flight, at most two seconds; the rest counts as lost.
    func finish() {
        keepsLoopClosed = false
        let end = Clock.now + 2 * Clock.second
        while Clock.now < end, waiting > 0 { swarm.poll(until: Clock.now + 10 * Clock.millisecond) }
        lost = waiting
    }

    private var waiting: Int { (0..<(nextID.count * Self.ringSize)).reduce(0) { $0 + (sent[$1] == 0 ? 0 : 1) } }

    func client(_ client: ClientConnection, received packet: ReceivedPacket, now: UInt64) {
        guard packet.kind == .acknowledgement, packet.id >= 0 else { return }
        let slot = slot(client, packet.id)
        guard sent[slot] != 0, packet.id < nextID[client.index] else { return duplicated += 1 }
        latencies.record(now - min(now, sent[slot]))
        sent[slot] = 0
        echoes += 1
        if packet.id < highestID[client.index] { outOfOrder += 1 } else { highestID[client.index] = packet.id }
        // What comes back is as long as what was sent.
        if expectedSize == 0 { expectedSize = packet.body.count }
        if packet.body.count != expectedSize { damaged += 1 }
        if keepsLoopClosed { send(from: client, intended: now) }
    }
}
