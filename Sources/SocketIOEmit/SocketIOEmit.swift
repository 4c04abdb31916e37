// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The command line tool `socketio-emit`, over the library `SocketIOEmitter`: emits to the clients of a cluster.
@main
struct SocketIOEmit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "socketio-emit",
        abstract: "Emits to the clients of a Socket.IO cluster that uses MongoDB.",
        discussion: """
            The connection string is taken from --uri, SOCKETIO_MONGODB_URI or MONGODB_URI, in this order. Database, \
            collection, cluster, wire format and expiration must match the servers.

            Exit codes: 0 the message is stored durably; 64 invalid arguments; 69 MongoDB cannot be reached; 75 the message may or may \
            not have been written; 76 it was not written; 78 the configuration does not match the collection.
            """,
        subcommands: [Emit.self, Join.self, Leave.self, Disconnect.self, ServerEmit.self]
    )
}
