// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SwiftSocketIO

enum RecoverySnippets {
    static func turningItOn() {
        var configuration = SocketIOConfiguration()
        configuration.connectionStateRecovery = ConnectionStateRecovery(maxDisconnectionDuration: .seconds(120))
        let io = SocketIOServer(configuration: configuration)

        io.onConnect { socket in
            if !socket.recovered {
                await socket.join("lobby")
                socket.data["joined"] = 1
            }
            socket.on("hello") { "hello, member number \(socket.data["joined", as: Int.self] ?? 0)" }
        }
    }

    static func limits() -> SocketIOConfiguration {
        var configuration = SocketIOConfiguration()
        var recovery = ConnectionStateRecovery()
        recovery.buffer = .init(packets: 200, bytes: 256 << 10)
        recovery.sessions = 2_000
        configuration.connectionStateRecovery = recovery
        return configuration
    }
}
