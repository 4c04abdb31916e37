// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SocketIOText
import SwiftSocketIO

/// What the chat does; `PROTOCOL.md` lists the events.
struct Chat: Sendable {
    let io: SocketIOServer
    /// The name of this process, shown beside the people that it serves.
    let node: String
    let history = History(rooms: ["lobby", "random", "swift"])

    func start() async throws {
        addNodes()
        io.use { socket in
            let credentials = try? await socket.handshake.auth?.decode(Credentials.self)
            do throws(Refusal) {
                socket.data["nick"] = try Limits.nick(credentials?.nick ?? "")
            } catch {
                throw ConnectError("nickname", data: ["reason": error.error])
            }
        }
        io.onConnect { socket in
            addRooms(socket)
            addMessages(socket)
            await welcome(socket)
        }
        // Before the first client: what was said on the other nodes.
        try await io.start()
        // A node that does not answer does not keep this one from starting.
        for past in (try? await io.serverSideEmitWithAck("past", as: Past.self)) ?? [] { await history.add(past) }
    }

    private func welcome(_ socket: Socket) async {
        socket.data["node"] = node
        try? await socket.emit("welcome", Welcome(you: member(socket), rooms: history.names))
        guard socket.recovered else { return }
        for room in await socket.rooms.compactMap(name) {
            try? await socket.to(channel(room)).emit("joined", Presence(room: room, member: member(socket), back: true))
        }
    }

    // MARK: Rooms

    private func addRooms(_ socket: Socket) {
        socket.on("join") { (name: String) in
            let room = try refusing { () throws(Refusal) in try Limits.room(name) }
            guard await socket.rooms.count <= Limits.rooms else { throw AckError(Refusal(error: "You are in too many rooms.")) }
            let isNew = await history.open(room)
            await socket.join(channel(room))
            try await socket.to(channel(room)).emit("joined", Presence(room: room, member: member(socket)))
            if isNew {
                try await io.serverSideEmit("open", room)
                try await io.emit("rooms", await history.names)
            }
            let members = try await io.in(channel(room)).fetchSockets().map(member)
            return Joined(members: members, messages: await history.messages(in: room))
        }
        socket.on("leave") { (room: String) in
            await socket.leave(channel(room))
            try await io.to(channel(room)).emit("left", Presence(room: room, member: member(socket)))
        }
        socket.on("rename") { (name: String) in
            let was = member(socket).nick
            socket.data["nick"] = try refusing { () throws(Refusal) in try Limits.nick(name) }
            let rooms = await socket.rooms.filter { self.name($0) != nil }
            if !rooms.isEmpty { try await socket.to(Array(rooms)).emit("renamed", Renamed(member: member(socket), was: was)) }
            return member(socket)
        }
        socket.on("typing") { (room: String, on: Bool) in
            guard await isMember(socket, of: room) else { return }
            try await socket.to(channel(room)).volatile.emit("typing", Typing(room: room, member: member(socket), on: on))
        }
        socket.onDisconnecting { end in
            for room in end.rooms.compactMap(name) {
                try? await socket.to(channel(room)).emit("left", Presence(room: room, member: member(socket)))
            }
        }
    }

    // MARK: Messages

    private func addMessages(_ socket: Socket) {
        socket.on("message") { (draft: Draft) in
            try refusing { () throws(Refusal) in try Limits.check(draft) }
            guard await isMember(socket, of: draft.room) else { throw AckError(Refusal(error: "You are not in that room.")) }
            let message = Message(id: draft.id, room: draft.room, from: member(socket), text: draft.text, at: now())
            let kept = await history.keep(message, in: draft.room)
            if !kept.isSent {
                // If the database is away for longer than an election, this throws: the author gets no answer and sends it again.
                try await socket.to(channel(draft.room)).emit("message", kept.message)
                try await io.serverSideEmit("said", kept.message)
                _ = await history.keep(kept.message, in: draft.room, isSent: true)
            }
            return Accepted(at: kept.message.at)
        }
        socket.on("private") { (draft: PrivateDraft) in
            try refusing { () throws(Refusal) in try Limits.check(draft) }
            guard let peer = try await io.in(draft.to).fetchSockets().first(where: { $0.id == draft.to }) else {
                throw AckError(Refusal(error: "That person is not here any more."))
            }
            let message = Message(id: draft.id, to: member(peer), from: member(socket), text: draft.text, at: now())
            try await peer.emit("private", message)
            return Accepted(at: message.at)
        }
        socket.on("received") { (receipt: Receipt) in
            guard name(receipt.from) == nil else { return }
            try await io.to(receipt.from).emit("delivered", Delivered(id: receipt.id, by: member(socket)))
        }
    }

    // MARK: Between nodes

    private func addNodes() {
        io.on("past") { await history.past }
        io.on("open") { (room: String) in _ = await history.open(room) }
        io.on("said") { (message: Message) in
            guard let room = message.room else { return }
            _ = await history.keep(message, in: room, isSent: true)
        }
    }

    // MARK: Who and where

    /// The rooms of the chat have a prefix. Without it, a client could join the room of another socket's id and read private messages.
    private func channel(_ room: String) -> Room { "room:\(room)" }
    private func name(_ channel: Room) -> String? { channel.hasPrefix("room:") ? String(channel.dropFirst(5)) : nil }
    private func isMember(_ socket: Socket, of room: String) async -> Bool { await socket.rooms.contains(channel(room)) }

    private func member(_ socket: Socket) -> Member {
        Member(id: socket.id, nick: socket.data["nick", as: String.self] ?? "?", node: node)
    }
    private func member(_ socket: RemoteSocket) -> Member {
        Member(id: socket.id, nick: socket.data["nick", as: String.self] ?? "?", node: socket.data["node", as: String.self] ?? "?")
    }
    private func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

    /// Makes a refusal the acknowledgement.
    private func refusing<T>(_ body: () throws(Refusal) -> T) throws -> T {
        do { return try body() } catch { throw AckError(error) }
    }
}
