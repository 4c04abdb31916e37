import ArgumentParser
import Glibc

struct Reconnect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "All clients lose their server at once and come back: how long it takes.",
        discussion:
            "With --cut the clients cut their own connections. Without it, this program says `ready` when all are connected and waits "
            + "until the server is restarted; clients that are refused try again."
    )

    @OptionGroup var common: CommonOptions
    @Option(help: "The number of clients.") var clients = 10_000
    @Option(help: "Connections under way at once.") var atOnce = 1000
    @Option(help: "Seconds to wait for the clients to come back.") var timeout = 60.0
    @Flag(help: "The clients cut their connections themselves.") var cut = false

    mutating func validate() throws {
        guard (1...1_000_000).contains(clients) else { throw ValidationError("--clients must be from 1 to 1000000") }
    }

    func run() throws {
        try Descriptors.allow(clients)
        let run = try ReconnectRun(format: common.parser)
        run.swarm.add(clients, to: [try common.server()])
        for client in run.swarm.clients { client.recovery = RecoveryPosition() }
        try run.swarm.connectAll(timeout: 300)
        note("ready")
        if cut {
            run.swarm.closeAll(cut: true)
        } else {
            try run.waitForCut(timeout)
        }
        var measurement = try Measurement(pids: cut ? common.pid : [])
        try run.comeBack(atOnce: atOnce, timeout: timeout)
        try measurement.end()

        var report = Report("reconnect", [("clients", "\(clients)"), ("at-once", "\(atOnce)"), ("cut by", cut ? "client" : "server")])
        report.add("all back after", measurement.elapsed, "s")
        if measurement.knowsServer { report.add("CPU per client", measurement.microseconds(per: clients), "µs", digits: 1) }
        report.add("recovered", run.swarm.clients.reduce(0) { $0 + ($1.recovery?.wasRecovered == true ? 1 : 0) })
        report.add("refused and tried again", run.refusals)
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
    private var waiting: [(client: ClientConnection, notBefore: UInt64)] = []
    private var isComingBack = false

    init(format: WireFormat) throws {
        swarm = try Swarm(format: format)
        swarm.delegate = self
    }

    func waitForCut(_ seconds: Double) throws {
        let deadline = Clock.now + UInt64(seconds * 1e9)
        while swarm.readyCount == swarm.clients.count {
            swarm.poll(until: deadline)
            guard Clock.now < deadline else { throw LoadError("the server has not been restarted within \(seconds) s") }
        }
    }

    func comeBack(atOnce: Int, timeout: Double) throws {
        let deadline = Clock.now + UInt64(timeout * 1e9)
        latencies.reset()
        isComingBack = true
        waiting = swarm.clients.filter { $0.file < 0 }.map { ($0, 0) }
        while swarm.readyCount < swarm.clients.count {
            let now = Clock.now
            guard now < deadline else { throw LoadError("only \(swarm.readyCount) of \(swarm.clients.count) clients are back") }
            var underWay = swarm.clients.count - swarm.readyCount - waiting.count
            while underWay < atOnce, let position = waiting.lastIndex(where: { $0.notBefore <= now }) {
                try swarm.connect(waiting.remove(at: position).client)
                underWay += 1
            }
            swarm.poll(until: now + 5 * Clock.millisecond)
        }
    }

    func clientIsReady(_ client: ClientConnection, now: UInt64) { latencies.record(now - client.began) }

    func clientWasClosed(_ client: ClientConnection, now: UInt64) {
        guard isComingBack else { return }
        refusals += 1
        waiting.append((client, now + 100 * Clock.millisecond))
    }

    func client(_ client: ClientConnection, received packet: ReceivedPacket, now: UInt64) {
        if packet.kind == .event { client.recovery?.received(packet.body) }
    }
}
