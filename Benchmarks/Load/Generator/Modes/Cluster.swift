// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct Cluster: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Messages from a client of one node to clients of another: carried messages per second, order, latency."
    )

    @OptionGroup var common: CommonOptions
    @OptionGroup var time: TimeOptions
    @Option(help: "The node of the sender; the first URL is the receivers'.") var sender: String
    @Option(help: "The number of receivers.") var receivers = 1
    @Option(help: "Messages in flight.") var inFlight = 256
    @Option(help: "Messages per second (open loop).") var rate: Double?
    @Option(help: "With --rate, how many of them are sent at the same time.") var burst = 1
    @Option(help: "The size of the payload in bytes.") var size = 64

    func run() throws {
        var options = FanOutOptions()
        (options.receivers, options.inFlight, options.rate, options.size) = (receivers, inFlight, rate, size)
        options.burst = burst
        try options.validate()
        let run = try FanOutRun(common: common, options: options, servers: [common.server()], sender: ServerURL(sender))
        try run.measure("cluster", common, time)
    }
}
