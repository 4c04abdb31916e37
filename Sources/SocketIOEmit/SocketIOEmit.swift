// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// `socketio-emit`: emits to the clients of a cluster from the command line.
@main
struct SocketIOEmit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "socketio-emit",
        abstract: "Emits to the clients of a Socket.IO cluster over MongoDB, without being one of its servers.",
        discussion: """
            The connection string comes from --uri, or from the environment: SOCKETIO_MONGODB_URI, then MONGODB_URI. Database, \
            collection, cluster, wire format and expiration must be those of the servers.

            Exit codes: 0 the message is written for good; 64 wrong arguments; 69 MongoDB cannot be reached; 75 it may or may not have \
            been written; 76 it was not written; 78 the configuration does not fit what is there.
            """,
        subcommands: [Emit.self, Join.self, Leave.self, Disconnect.self, ServerEmit.self]
    )
}
