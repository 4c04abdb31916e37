// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc

struct FanOut: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "One client sends to a room, many receive.",
        discussion: "Closed loop: a number of messages is in flight; a message is complete when every receiver has got it. Open loop "
            + "(--rate): messages are sent at their times, and latencies of the deliveries count from those."
    )

    @OptionGroup var common: CommonOptions
    @OptionGroup var time: TimeOptions
    @OptionGroup var load: FanOutOptions
    @Option(help: "The server of the sender, if it is another one.") var sender: String?

    func run() throws {
        let receivers = try common.server()
        let run = try FanOutRun(common: common, options: load, servers: [receivers], sender: try sender.map(ServerURL.init) ?? receivers)
        try run.measure("fan-out", common, time)
    }
}

struct FanOutOptions: ParsableArguments {
    @Option(help: "The number of receivers.") var receivers = 1000
    @Option(help: "Messages in flight.") var inFlight = 16
    @Option(help: "Messages per second (open loop).") var rate: Double?
    @Option(help: "With --rate, how many of them are sent at the same time.") var burst = 1
    @Option(help: "The size of the payload in bytes.") var size = 64

    mutating func validate() throws {
        guard (1...100_000).contains(receivers) else { throw ValidationError("--receivers must be from 1 to 100000") }
        guard (1...10_000).contains(inFlight) else { throw ValidationError("--in-flight must be from 1 to 10000") }
        guard (1...10_000).contains(burst) else { throw ValidationError("--burst must be from 1 to 10000") }
        guard (Payload.minimumSize...60_000).contains(size) else { throw ValidationError("--size must be from 13 to 60000") }
    }
}

/// The receivers of a fan-out run, and its sender.
final class FanOutRun: SwarmDelegate {
    /// How many of the latest messages are kept account of.
    private static let ringSize = 1 << 16

    let swarm: Swarm<FanOutRun>
    private let options: FanOutOptions
    private let room: [UInt8]
    private let sender: ClientConnection
    private var reader = NumberReader()
    private var payload: Payload
    private var message = Bytes()
    private var joined = 0

    /// By receiver.
    private let trackers: UnsafeMutablePointer<SequenceTracker>
    /// By message: deliveries that are missing, and when it should have been sent.
    private let remaining: UnsafeMutablePointer<Int32>
    private let sent: UnsafeMutablePointer<UInt64>
    private var nextNumber: UInt64 = 0
    private var inFlight = 0
    private var keepsLoopClosed = false

    private(set) var counts = SequenceTracker.Counts()
    private(set) var latencies = Latencies()
    private(set) var lateness = Latencies()
    private(set) var completed = 0

    init(common: CommonOptions, options: FanOutOptions, servers: [ServerURL], sender: ServerURL) throws {
        self.options = options
        try Descriptors.allow(options.receivers + 1)
        room = Array("room-\(getpid())".utf8)
        payload = Payload(size: options.size)
        trackers = .allocate(capacity: options.receivers)
        // Without a closed loop, as many are in flight as the server lets wait.
        let inFlight = options.rate == nil ? options.inFlight : Self.ringSize
        trackers.initialize(repeating: SequenceTracker(next: 0, inFlight: inFlight), count: options.receivers)
        remaining = .allocate(capacity: Self.ringSize)
        remaining.initialize(repeating: 0, count: Self.ringSize)
        sent = .allocate(capacity: Self.ringSize)
        sent.initialize(repeating: 0, count: Self.ringSize)
        self.sender = ClientConnection(index: options.receivers, server: sender)
        swarm = try Swarm(format: common.parser)
        swarm.delegate = self
        swarm.add(options.receivers, to: servers)
        swarm.add(self.sender)
    }

    deinit {
        trackers.deinitialize(count: options.receivers).deallocate()
        remaining.deallocate()
        sent.deallocate()
        message.deallocate()
    }

    // MARK: The run

    func measure(_ mode: String, _ common: CommonOptions, _ time: TimeOptions) throws {
        try swarm.connectAll()
        try join()
        try run(for: time.warmUpTime)
        begin()
        var measurement = try Measurement(pids: common.pid)
        try run(for: time.time)
        try measurement.end()
        let (deliveries, messages) = (counts.received, completed)
        finish()
        let load = options.rate.map { ("rate", "\(Int($0))") } ?? ("in-flight", "\(options.inFlight)")
        let parameters = [("receivers", "\(options.receivers)"), load, ("size", "\(options.size)"), ("parser", common.parser.rawValue)]
        var report = Report(mode, parameters)
        report.add("deliveries", Double(deliveries) / measurement.elapsed, "/s", digits: 0)
        report.add("messages", Double(messages) / measurement.elapsed, "/s", digits: 1)
        if measurement.knowsServer {
            report.add("CPU per delivery", measurement.microseconds(per: deliveries), "µs", digits: 3)
            report.add("CPU per message", measurement.microseconds(per: messages), "µs", digits: 1)
        }
        report.add(latencies)
        report.add(counts)
        if options.rate != nil { report.add(lateness, "sent late by") }
        measurement.describe(in: &report)
        if swarm.lostCount > 0 { report.warn("\(swarm.lostCount) clients were cut off: \(swarm.lastFailure ?? "")") }
        try common.print(report)
        swarm.closeAll()
    }

    private func join() throws {
        for client in swarm.clients where client !== sender {
            swarm.writer.event("join", [room], id: 0, into: &message)
            swarm.send(message, from: client)
        }
        let deadline = Clock.now + 30 * Clock.second
        while joined < options.receivers {
            swarm.poll(until: deadline)
            guard Clock.now < deadline else { throw LoadError("only \(joined) of \(options.receivers) clients could join the room") }
        }
    }

    private func run(for time: UInt64) throws {
        let begin = Clock.now
        guard let rate = options.rate else {
            keepsLoopClosed = true
            while inFlight < options.inFlight { send(intended: begin) }
            while Clock.now < begin + time, swarm.lostCount == 0 { swarm.poll(until: begin + time) }
            return
        }
        let interval = 1e9 / rate
        var number = 0
        var due: UInt64 { begin + UInt64(Double(number - number % options.burst) * interval) }
        while case let now = Clock.now, now < begin + time {
            while case let intended = due, intended <= now {
                send(intended: intended)
                lateness.record(Clock.now - intended)
                number += 1
            }
            swarm.poll(until: min(begin + time, due))
        }
    }

    private func begin() {
        counts.received = 0
        completed = 0
        latencies.reset()
        lateness.reset()
    }

    /// Waits for what is still in flight, at most five seconds; the rest counts as lost.
    private func finish() {
        keepsLoopClosed = false
        let end = Clock.now + 5 * Clock.second
        while Clock.now < end, inFlight > 0 { swarm.poll(until: Clock.now + 10 * Clock.millisecond) }
        for receiver in 0..<options.receivers { trackers[receiver].finish(at: nextNumber, &counts) }
    }

    private func send(intended: UInt64) {
        let slot = Int(nextNumber) % Self.ringSize
        remaining[slot] = Int32(options.receivers)
        sent[slot] = intended
        payload.number(nextNumber)
        nextNumber += 1
        inFlight += 1
        swarm.writer.event("roomcast", [room, payload.bytes], into: &message)
        swarm.send(message, from: sender)
    }

    // MARK: Deliveries

    func client(_ client: ClientConnection, received packet: ReceivedPacket, now: UInt64) {
        guard packet.kind == .event else { return joined += packet.kind == .acknowledgement ? 1 : 0 }
        guard let number = reader.read(packet.body), number < nextNumber else { return }
        trackers[client.index].receive(number, &counts)
        let slot = Int(number) % Self.ringSize
        latencies.record(now - min(now, sent[slot]))
        remaining[slot] -= 1
        if remaining[slot] == 0 { complete(now) }
    }

    private func complete(_ now: UInt64) {
        inFlight -= 1
        completed += 1
        if keepsLoopClosed { send(intended: now) }
    }
}
