// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SwiftSocketIO

enum NamespacesSnippets {
    static func named(io: SocketIOServer) async throws {
        let admin = io.of("/admin")
        admin.onConnect { socket in
            socket.on("kick") { (id: String) in
                try await io.in(id).disconnectSockets(close: true)
            }
        }
        try await admin.emit("alert", "somebody rings")
    }

    static func pattern(io: SocketIOServer) {
        io.of(#//game/\d+/#).onConnect { socket in
            print(socket.id, "plays", socket.namespace.name)
        }
    }

    static func rule(io: SocketIOServer) {
        struct Ticket: Decodable { var tenant: String }

        let tenants = io.of(matching: { name, auth in
            guard let ticket = try? auth?.decode(Ticket.self) else { return false }
            return name == "/tenant/\(ticket.tenant)"
        })
        tenants.onNamespace { namespace in print(namespace.name, "is new") }
        tenants.use { socket in
            let ticket = try socket.auth(as: Ticket?.self)
            guard socket.namespace.name == "/tenant/\(ticket?.tenant ?? "")" else { throw ConnectError("wrong tenant") }
        }
    }

    static func cleanup() -> SocketIOConfiguration {
        var configuration = SocketIOConfiguration()
        configuration.cleanupEmptyChildNamespaces = true
        return configuration
    }
}
