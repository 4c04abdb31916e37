// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SwiftSocketIO

/// The events of the contract. What is only passed on stays encoded; `echo-typed` is the one that decodes.
func addHandlers(to io: SocketIOServer) {
    io.onConnect { socket in
        socket.on("echo") { event in try event.acknowledgement?.send(Ack(raw: event.arguments)) }
        socket.on("echo-typed") { (text: String) in text }
        socket.on("join") { (room: Room) in
            socket.join(room)
            return "ok"
        }
        socket.on("leave") { (room: Room) in
            socket.leave(room)
            return "ok"
        }
        // An emit returns when it is accepted; what is in flight is limited by the load generator, which counts what has arrived.
        socket.on("roomcast", .concurrent) { (event: SocketEvent) async throws in
            let room = try event.arguments.decode(Room.self, at: 0)
            try await io.to(room).emit("msg", raw: event.arguments.dropFirst())
            try event.acknowledgement?.send(Ack())
        }
        socket.on("broadcast", .concurrent) { (event: SocketEvent) async throws in
            try await io.to([]).emit("msg", raw: event.arguments)
            try event.acknowledgement?.send(Ack())
        }
        socket.on("bcast-ack") { (payload: SocketIOValue) -> [SocketIOValue] in
            let answers = try await io.timeout(.seconds(5)).emitWithAck("msg-ack", payload, as: SocketIOValue.self)
            return try await answers.collectAvailable().responses
        }
        socket.on("fetch") { try await io.fetchSockets().map(\.id) }
        socket.on("sse") { (payload: SocketIOValue) in try await io.serverSideEmit("sse", payload) }
    }
    io.on("sse") { (payload: SocketIOValue) in try await io.local.emit("sse-received", payload) }
}
