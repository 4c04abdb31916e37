// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

@main
struct SocketIOLoadGenerator: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Puts load on a Socket.IO server and measures what it does.",
        discussion:
            "The server must have the events of SocketIOLoadServer; see the README.md of this program. Uses one thread and WebSocket only.",
        subcommands: [
            Echo.self, FanOut.self, Idle.self, Connects.self, BroadcastAck.self, SlowClients.self, Reconnect.self, Cluster.self, Bare.self,
        ]
    )
}
