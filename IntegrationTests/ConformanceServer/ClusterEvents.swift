// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore
import SocketIOText
import SwiftSocketIO

struct Gathered: Encodable { let answers: [SocketIOValue], missing: [String], disconnected: Int, timedOut: Bool }
struct Found: Encodable { let id: String, rooms: [String], node: String?, nick: String?, auth: SocketIOValue?, agent: String? }
struct Fetched: Encodable { let sockets: [Found], missing: [String] }
struct Replies: Encodable { let replies: [SocketIOValue], missing: [String] }

/// What other servers may ask this one.
func addServerEvents(_ io: SocketIOServer) {
    io.on("heard") { (value: SocketIOValue) in try await io.local.emit("heard", value) }
    io.on("asked") { (value: SocketIOValue) in value }
    io.on("asked-slowly") { () -> String in
        // Longer than these servers wait for an answer (20 s).
        try await Task.sleep(for: .seconds(30))
        return "late"
    }
}

/// The main namespace's events about all servers.
func addCluster(_ socket: Socket, of io: SocketIOServer) {
    socket.on("nick") { (nick: String) in socket.data["nick"] = nick }
    socket.on("server-count") { try await io.serverCount() }
    socket.on("tell-servers") { (value: SocketIOValue) in try await io.serverSideEmit("heard", value) }
    socket.on("ask-servers") { (event: String, value: SocketIOValue) in
        let (replies, missing) = try await io.serverSideEmitWithAvailableAcks(event, value, as: SocketIOValue.self)
        return Replies(replies: replies, missing: missing)
    }
    socket.on("fetch") { (room: Room) in
        let (sockets, missing) = try await io.in(room).fetchAvailableSockets()
        return Fetched(sockets: sockets.map(describe).sorted { $0.id < $1.id }, missing: missing)
    }
    socket.on("all-rooms") { try await io.rooms().sorted() }
    socket.on("move") { (from: Room, to: Room) in try await io.in(from).socketsJoin(to) }
    socket.on("move-out") { (from: Room, room: Room) in try await io.in(from).socketsLeave(room) }
    socket.on("throw-out") { (room: Room, close: Bool) in try await io.in(room).disconnectSockets(close: close) }
    socket.on("tell-one") { (id: String, value: SocketIOValue) in
        guard let other = try await io.in(id).fetchSockets().first else { return false }
        try await other.emit("news", value)
        return true
    }
    socket.on("gather") { (room: Room, seconds: Int) in
        let stream = try await io.to(room).timeout(.seconds(min(max(seconds, 0), 60))).emitWithAck("question", as: SocketIOValue.self)
        let (answers, summary) = try await stream.collectAvailable()
        return Gathered(
            answers: answers,
            missing: summary.missingNodes,
            disconnected: summary.disconnected,
            timedOut: summary.timedOut
        )
    }
}

private func describe(_ socket: RemoteSocket) -> Found {
    Found(
        id: socket.id,
        rooms: socket.rooms.sorted(),
        node: socket.node,
        nick: socket.data["nick", as: String.self],
        auth: try? socket.handshake.auth?.decode(SocketIOValue.self),
        agent: socket.handshake.headers["user-agent"]
    )
}
