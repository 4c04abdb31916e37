// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SwiftSocketIO

enum RoomsSnippets {
    static func joining(io: SocketIOServer) {
        io.onConnect { socket in
            socket.on("enter") { (room: String) in
                await socket.join("game:\(room)")
                try await socket.to("game:\(room)").emit("entered", socket.id)
            }
            socket.on("leave") { (room: String) in socket.leave("game:\(room)") }
        }
    }

    static func selecting(io: SocketIOServer, socket: Socket) async throws {
        try await io.emit("news", "to everybody")
        try await io.to("a").emit("news", "to room a")
        try await io.to("a", "b").emit("news", "to whoever is in a or b, once")
        try await io.to("a").except("muted").emit("news", "to room a without the muted")
        try await socket.to("a").emit("news", "to room a without the sender")
        try await socket.broadcast.emit("news", "to everybody but the sender")
        try await io.local.emit("news", "to the clients of this process")
        try await io.volatile.emit("position", 1.5, 2.5)
        try await io.to(socket.id).emit("news", "to one client, wherever it is connected")
        try socket.emit("news", "to this client")
    }

    static func keeping(io: SocketIOServer) async throws {
        let audience = io.to("lobby").except("muted")
        try await audience.emit("first", 1)
        try await audience.volatile.emit("second", 2)
    }

    static func fetching(io: SocketIOServer) async throws {
        for socket in try await io.in("lobby").fetchSockets() {
            print(socket.id, socket.rooms, socket.data["name", as: String.self] ?? "nameless")
            try await socket.emit("welcome", "lobby")
        }
    }

    static func data(io: SocketIOServer, socket: Socket) async throws {
        struct Profile: Codable {
            var name: String
            var since: Date?
        }

        socket.data["since"] = Date.now
        let mine = try socket.data.decode(Profile.self)
        for remote in try await io.in("lobby").fetchSockets() {
            let theirs = try remote.data.decode(Profile.self)
            print(remote.data.keys, remote.data["name"] ?? "nameless", theirs.name == mine.name)
        }
    }

    static func movingInOrder(io: SocketIOServer) async throws {
        try await io.in("lobby").socketsJoin("game")
        try await io.to("game").emit("start")
    }

    static func moving(io: SocketIOServer, socket: Socket) async throws {
        try await io.in("lobby").socketsJoin("game")
        try await io.in("game").socketsLeave("lobby")
        try await io.in("spammers").disconnectSockets(close: true)
        let rooms = try await io.rooms()
        let mine = await socket.rooms
        print(rooms, mine)
    }

    static func incomplete(io: SocketIOServer) async throws {
        let (sockets, missingNodes) = try await io.in("lobby").fetchAvailableSockets()
        print(sockets.count, missingNodes)
    }

    static func servers(io: SocketIOServer) async throws {
        io.on("count") { io.clientsCount }
        io.onAny { event in print("another server sent", event.name) }
        let others = try await io.serverSideEmitWithAck("count", as: Int.self)
        print(io.clientsCount, "clients here,", others, "on the others of", try await io.serverCount(), "servers")
    }

    static func events() -> SocketIOConfiguration {
        var configuration = SocketIOConfiguration()
        configuration.onRoomEvent = { namespace, event in
            if case .create(let room) = event { print(namespace, "has a new room", room) }
        }
        return configuration
    }
}
