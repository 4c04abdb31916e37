// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc

struct SlowClients: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slow-clients",
        abstract: "Some receivers never read: what they cost the server, and whether the others notice."
    )

    @OptionGroup var common: CommonOptions
    @OptionGroup var time: TimeOptions
    @Option(help: "Clients that never read.") var slow = 2000
    @Option(help: "Clients that read.") var fast = 100
    @Option(help: "Messages per second to all.") var rate = 100.0
    @Option(help: "The size of the payload in bytes.") var size = 4096

    mutating func validate() throws {
        guard (0...100_000).contains(slow), (1...100_000).contains(fast) else { throw ValidationError("too many clients, or no fast ones") }
        guard (Payload.minimumSize...60_000).contains(size) else { throw ValidationError("--size must be from 13 to 60000") }
    }

    func run() throws {
        try Descriptors.allow(slow + fast + 1)
        let run = try SlowClientsRun(format: common.parser, size: size, fast: fast)
        run.swarm.add(slow + fast + 1, to: [try common.server()])
        for client in run.swarm.clients[fast..<(fast + slow)] { client.receiveBuffer = 4096 }
        try run.swarm.connectAll()
        for client in run.swarm.clients[fast..<(fast + slow)] { run.swarm.setReading(false, client) }
        let before = try common.pid.map { try ProcessUsage.resident(of: $0) }
        var measurement = try Measurement(pids: common.pid)
        var peak = before
        for _ in 0..<max(1, Int(time.seconds.rounded())) {
            run.broadcast(rate: rate, for: Clock.second)
            peak = try zip(common.pid, peak).map { max($1, try ProcessUsage.resident(of: $0)) }
        }
        try measurement.end()
        run.finish()

        let parameters = [("slow", "\(slow)"), ("fast", "\(fast)"), ("rate", "\(Int(rate))"), ("size", "\(size)")]
        var report = Report("slow-clients", parameters)
        report.add("deliveries to fast clients", Double(run.counts.received) / measurement.elapsed, "/s", digits: 0)
        report.add(run.latencies)
        report.add(run.counts)
        for (before, peak) in zip(before, peak) {
            report.add("memory before", Double(before) / 1_048_576, "MiB", digits: 1)
            report.add("memory at most", Double(peak) / 1_048_576, "MiB", digits: 1)
            if slow > 0 { report.add("growth per slow client", Double(peak - before) / Double(slow) / 1024, "KiB", digits: 1) }
        }
        report.add("cut off", run.cutOff())
        measurement.describe(in: &report)
        try common.print(report)
        run.swarm.closeAll(cut: true)
    }
}

final class SlowClientsRun: SwarmDelegate {
    let swarm: Swarm<SlowClientsRun>
    private(set) var counts = SequenceTracker.Counts()
    private(set) var latencies = Latencies()
    private let fast: Int
    private var trackers: [SequenceTracker]
    private var reader = NumberReader()
    private var payload: Payload
    private var message = Bytes()
    private var sent: [UInt64] = []

    init(format: WireFormat, size: Int, fast: Int) throws {
        self.fast = fast
        payload = Payload(size: size)
        trackers = Array(repeating: SequenceTracker(next: 0, inFlight: 4096), count: fast)
        swarm = try Swarm(format: format)
        swarm.delegate = self
    }

    deinit { message.deallocate() }

    func broadcast(rate: Double, for time: UInt64) {
        let begin = Clock.now
        var number = 0
        while case let now = Clock.now, now < begin + time, let sender = swarm.clients.last {
            while case let due = begin + UInt64(Double(number) / rate * 1e9), due <= now {
                payload.number(UInt64(sent.count))
                sent.append(due)
                swarm.writer.event("broadcast", [payload.bytes], into: &message)
                swarm.send(message, from: sender)
                number += 1
            }
            swarm.poll(until: min(begin + time, begin + UInt64(Double(number) / rate * 1e9)))
        }
    }

    func finish() {
        let end = Clock.now + 3 * Clock.second
        while Clock.now < end, trackers.contains(where: { $0.next < sent.count }) { swarm.poll(until: Clock.now + 10 * Clock.millisecond) }
        for index in trackers.indices { trackers[index].finish(at: UInt64(sent.count), &counts) }
    }

    /// The number of slow clients whose connection the server has ended; they learn it only when they read.
    func cutOff() -> Int {
        let before = swarm.lostCount
        for client in swarm.clients { swarm.setReading(true, client) }
        let end = Clock.now + 5 * Clock.second
        while Clock.now < end { swarm.poll(until: end) }
        return swarm.lostCount - before
    }

    func client(_ client: ClientConnection, received packet: ReceivedPacket, now: UInt64) {
        guard packet.kind == .event, client.index < fast, let number = reader.read(packet.body), number < sent.count else { return }
        trackers[client.index].receive(number, &counts)
        latencies.record(now - min(now, sent[Int(number)]))
    }
}
