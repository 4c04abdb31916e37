// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc

struct Reconnect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "All clients lose their server at once and come back: how long it takes, and what they miss.",
        discussion:
            "With --cut the clients cut their own connections. Without it, this program says `ready` when all are connected and waits "
            + "until the server is restarted; clients that are refused try again. With --sender a client of another node broadcasts all "
            + "the while, and every client must have every message once, in order: what connection state recovery promises."
    )

    @OptionGroup var common: CommonOptions
    @Option(help: "The number of clients.") var clients = 10_000
    @Option(help: "Connections under way at once.") var atOnce = 1000
    @Option(help: "Seconds until a client that was refused tries again, give or take a half.") var retry = 0.5
    @Option(help: "Seconds to wait for the clients to come back.") var timeout = 60.0
    @Flag(help: "The clients cut their connections themselves.") var cut = false
    @Option(help: "The node of a client that broadcasts, before, while and after the others are away.") var sender: String?
    @Option(help: "Its messages per second.") var rate = 2.0

    mutating func validate() throws {
        guard (1...1_000_000).contains(clients) else { throw ValidationError("--clients must be from 1 to 1000000") }
        guard (1...100_000).contains(atOnce) else { throw ValidationError("--at-once must be from 1 to 100000") }
        guard (0.01...60).contains(retry) else { throw ValidationError("--retry must be from 0.01 to 60") }
        guard (0.1...1000).contains(rate) else { throw ValidationError("--rate must be from 0.1 to 1000") }
    }

    func run() throws {
        try Descriptors.allow(clients + 1)
        let run = try ReconnectRun(format: common.parser, clients: clients, server: common.server(), retry: retry)
        try run.swarm.connectAll(timeout: 300)
        if let sender { try run.startSending(to: ServerURL(sender), rate: rate) }
        note("ready")
        if cut {
            run.cutAll()
        } else {
            try run.waitForCut(timeout)
        }
        var measurement = try Measurement(pids: cut ? common.pid : [])
        try run.comeBack(atOnce: atOnce, timeout: timeout)
        try measurement.end()
        run.finish()

        let parameters = [("clients", "\(clients)"), ("at-once", "\(atOnce)"), ("cut by", cut ? "client" : "server")]
        var report = Report("reconnect", sender == nil ? parameters : parameters + [("rate", "\(rate)")])
        report.add("all back after", run.seconds(from: run.firstBack, to: run.lastBack), "s")
        report.add("away in all", run.seconds(from: run.firstLost, to: run.lastBack), "s")
        if measurement.knowsServer { report.add("CPU per client", measurement.microseconds(per: clients), "µs", digits: 1) }
        report.add("recovered", run.recovered)
        report.add("refused and tried again", run.refusals)
        if sender != nil {
            report.add("messages", Int(run.sent))
            report.add(run.counts)
        }
        report.add(run.latencies, "until connected")
        measurement.describe(in: &report)
        try common.print(report)
        run.swarm.closeAll()
    }
}

final class ReconnectRun: SwarmDelegate {
    let swarm: Swarm<ReconnectRun>
    private(set) var latencies = Latencies()
    private(set) var refusals = 0
    private(set) var counts = SequenceTracker.Counts()
    /// The number of messages that the sender has sent.
    private(set) var sent: UInt64 = 0
    /// When the first client lost its connection, the first came back, and the last.
    private(set) var firstLost: UInt64 = 0
    private(set) var firstBack: UInt64 = 0
    private(set) var lastBack: UInt64 = 0
    private let count: Int
    private let retry: UInt64
    private var waiting: [(client: ClientConnection, notBefore: UInt64)] = []
    private var underWay = 0
    private var sender: ClientConnection?
    private var begin: UInt64 = 0
    private var interval: UInt64 = 0
    private var trackers: [SequenceTracker]
    private var reader = NumberReader()
    private var payload = Payload(size: 64)
    private var message = Bytes()

    init(format: WireFormat, clients: Int, server: ServerURL, retry: Double) throws {
        count = clients
        self.retry = UInt64(retry * 1e9)
        trackers = Array(repeating: SequenceTracker(next: 0, inFlight: 4096), count: clients)
        swarm = try Swarm(format: format)
        swarm.delegate = self
        swarm.add(clients, to: [server])
        for client in swarm.clients { client.recovery = RecoveryPosition() }
    }

    deinit { message.deallocate() }

    private var receivers: ArraySlice<ClientConnection> { swarm.clients[..<count] }
    private var back: Int { swarm.readyCount - (sender?.phase == .ready ? 1 : 0) }

    var recovered: Int { receivers.reduce(0) { $0 + ($1.recovery?.wasRecovered == true ? 1 : 0) } }

    func seconds(from begin: UInt64, to end: UInt64) -> Double { Double(end - min(begin, end)) / 1e9 }

    // MARK: Sending

    /// From now on a client broadcasts. Returns when every other has got a message, so that each can say up to where it has them.
    func startSending(to server: ServerURL, rate: Double) throws {
        let client = ClientConnection(index: count, server: server)
        swarm.add(client)
        sender = client
        try swarm.connectAll()
        begin = Clock.now
        interval = UInt64(1e9 / rate)
        let deadline = begin + 30 * Clock.second
        while trackers.contains(where: { $0.next == 0 }) {
            poll(until: deadline)
            guard Clock.now < deadline else {
                throw LoadError("not all clients get what is sent by a client of \(server.address.host):\(server.address.port)")
            }
        }
    }

    private func sendIfDue() {
        guard let sender, interval > 0 else { return }
        while Clock.now >= begin + sent * interval {
            payload.number(sent)
            sent += 1
            swarm.writer.event("broadcast", [payload.bytes], into: &message)
            swarm.send(message, from: sender)
        }
    }

    private func poll(until deadline: UInt64) {
        sendIfDue()
        swarm.poll(until: interval > 0 ? min(deadline, begin + sent * interval) : deadline)
    }

    /// Sends for two more seconds and waits for what is still under way, at most 20 seconds; the rest counts as lost.
    func finish() {
        guard sender != nil else { return }
        let last = Clock.now + 2 * Clock.second
        while Clock.now < last { poll(until: last) }
        interval = 0
        let end = Clock.now + 20 * Clock.second
        while Clock.now < end, trackers.contains(where: { $0.next < sent }) { swarm.poll(until: Clock.now + 10 * Clock.millisecond) }
        for index in trackers.indices { trackers[index].finish(at: sent, &counts) }
    }

    // MARK: Going and coming back

    func cutAll() {
        firstLost = Clock.now
        for client in receivers { swarm.close(client, cut: true) }
        waiting = receivers.map { ($0, 0) }
    }

    func waitForCut(_ seconds: Double) throws {
        let deadline = Clock.now + UInt64(seconds * 1e9)
        while firstLost == 0 {
            poll(until: deadline)
            guard Clock.now < deadline else { throw LoadError("the server has not been restarted within \(seconds) s") }
        }
    }

    func comeBack(atOnce: Int, timeout: Double) throws {
        let deadline = Clock.now + UInt64(timeout * 1e9)
        latencies.reset()
        while back < count || (!waiting.isEmpty || underWay > 0) {
            let now = Clock.now
            guard now < deadline else { throw LoadError("only \(back) of \(count) clients are back") }
            connectWaiting(now, atOnce: atOnce)
            poll(until: now + 5 * Clock.millisecond)
        }
    }

    private func connectWaiting(_ now: UInt64, atOnce: Int) {
        var later: [(client: ClientConnection, notBefore: UInt64)] = []
        let candidates = waiting
        waiting = []
        for candidate in candidates {
            guard candidate.notBefore <= now, underWay < atOnce else {
                later.append(candidate)
                continue
            }
            underWay += 1
            // A port without a listener refuses at once.
            do { try swarm.connect(candidate.client) } catch { refused(candidate.client, now) }
        }
        waiting += later
    }

    /// Not all try again at the same time.
    private func refused(_ client: ClientConnection, _ now: UInt64) {
        refusals += 1
        underWay -= 1
        waiting.append((client, now + retry / 2 + UInt64.random(in: 0...retry)))
    }

    func clientIsReady(_ client: ClientConnection, now: UInt64) {
        guard firstLost > 0, client !== sender else { return }
        latencies.record(now - client.began)
        underWay -= 1
        if firstBack == 0 { firstBack = now }
        lastBack = now
    }

    func clientWasClosed(_ client: ClientConnection, now: UInt64) {
        guard client !== sender else { return note("the sender was cut off: \(swarm.lastFailure ?? "")") }
        if firstLost == 0 { firstLost = now }
        if client.wasReady { waiting.append((client, now + UInt64.random(in: 0...retry))) } else { refused(client, now) }
    }

    func client(_ client: ClientConnection, received packet: ReceivedPacket, now: UInt64) {
        guard packet.kind == .event, client.index < count else { return }
        client.recovery?.received(packet.body)
        if let number = reader.read(packet.body), number < sent { trackers[client.index].receive(number, &counts) }
    }
}
