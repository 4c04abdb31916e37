// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore
import SocketIOText
import SwiftSocketIO

/// What every namespace does.
@Sendable
func addEcho(_ socket: Socket) async {
    socket.on("message") { event in try socket.emit("message-back", raw: event.arguments) }
    socket.on("message-with-ack") { event in try event.acknowledgement?.send(Ack(raw: event.arguments)) }
    do {
        let auth = try await socket.handshake.auth?.decode(SocketIOValue.self)
        try socket.emit("auth", auth ?? .null)
    } catch {
        socket.disconnect()
    }
}

struct Failure: Error {}
struct Refusal: Encodable { let error: String }
struct Code: Encodable { let code: String }
struct Chorus: Encodable { let answers: [SocketIOValue], missing: Int }
struct Who: Encodable { let id: String, recovered: Bool, rooms: [String] }
struct Stats: Encodable { let connections: Int, sockets: Int }

/// The main namespace's events about one client.
@Sendable
func addConversation(_ socket: Socket) {
    socket.on("sum") { (a: Double, b: Double) in a + b }
    socket.on("fail") { throw Failure() }
    socket.on("refuse") { (text: String) in throw AckError(Refusal(error: text)) }
    socket.on("leave-me") { (close: Bool) in socket.disconnect(close: close) }
    socket.on("who") { Who(id: socket.id, recovered: socket.recovered, rooms: await socket.rooms.sorted()) }
    socket.on("call-me") { (value: SocketIOValue) -> SocketIOValue in
        do {
            return try await socket.timeout(.seconds(1)).emitWithAck("call", value, as: SocketIOValue.self)
        } catch let error as SocketIOError where error.code == .acknowledgementTimeout {
            return "timeout"
        }
    }
    socket.on("sequence") { (count: Int) in
        for number in 0..<min(max(count, 0), 10_000) {
            if number % 3 == 0 { try socket.emit("tick", number, [UInt8]([1, 2, 3])) } else { try socket.emit("tick", number) }
        }
    }
    socket.on("flood") { (count: Int, bytes: Int) in
        let filler = String(repeating: "x", count: min(max(bytes, 0), 1_000_000))
        for _ in 0..<min(max(count, 0), 1_000) { try socket.emit("filler", filler) }
    }
}

/// The main namespace's events about rooms.
func addRooms(_ socket: Socket, of io: SocketIOServer) {
    socket.on("join") { (room: Room) in
        await socket.join(room)
        return await socket.rooms.sorted()
    }
    socket.on("leave") { (room: Room) in
        await socket.leave(room)
        return await socket.rooms.sorted()
    }
    socket.on("join-quietly") { (rooms: [Room]) in socket.join(rooms) }
    socket.on("room-count") { await socket.rooms.count }
    socket.on("fill") { (crowd: Room, rooms: [Room]) in
        try await io.in(crowd).socketsJoin(rooms)
        return try await io.in(crowd).fetchAvailableSockets().sockets.isEmpty ? 0 : await socket.rooms.count
    }
    socket.on("to-room") { (room: Room, exception: Room?, value: SocketIOValue) in
        var target = socket.to(room)
        if let exception { target = target.except(exception) }
        try await target.emit("news", value)
    }
    socket.on("io-to") { (rooms: [Room], value: SocketIOValue) in try await io.to(rooms).emit("news", value) }
    socket.on("broadcast") { event in try await socket.broadcast.emit("news", raw: event.arguments) }
    socket.on("local-volatile") { (value: SocketIOValue) in try await io.local.volatile.emit("news", value) }
    socket.on("sockets") { (room: Room) in try await io.in(room).fetchSockets().map(\.id).sorted() }
    socket.on("ask-room") { (room: Room) in
        let answers = try await io.to(room).timeout(.seconds(1)).emitWithAck("question", as: SocketIOValue.self).collectAvailable()
        return Chorus(answers: answers.responses, missing: answers.summary.expected - answers.summary.answered)
    }
    socket.on("address") { await socket.handshake.address }
    socket.on("stats") { Stats(connections: io.clientsCount, sockets: io.sockets.socketCount) }
    socket.onDisconnect { end in try? await io.to("watchers").emit("gone", socket.id, end.reason.description) }
}
