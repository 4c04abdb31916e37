// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc

struct Bare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serves the events echo, join and roomcast with nothing but system calls: the limit to compare servers with.",
        discussion: "Echoes are one read and one write for what a client has sent at once. Messages to a room are one write per receiver; "
            + "with --batch, for that many messages together (the generator must have at least as many in flight)."
    )

    @Option(help: "The address to listen on.") var host = "127.0.0.1"
    @Option(help: "The port; 0 for any that is free.") var port: UInt16 = 0
    @Option(help: "Messages to a room per write.") var batch = 1

    mutating func validate() throws {
        guard (1...10_000).contains(batch) else { throw ValidationError("--batch must be from 1 to 10000") }
    }

    func run() throws {
        try Descriptors.allow(16_384)
        let server = try BareServer(Address(host: host, port: port), batch: batch)
        let line = "listening \(server.port)\n"
        _ = line.withCString { write(STDOUT_FILENO, $0, strlen($0)) }
        server.run()
    }
}
