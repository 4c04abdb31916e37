// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import NIOCore
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import Testing

@testable import SwiftSocketIO

/// What a client sends with its connection, and what a socket is described by.
@Suite(.timeLimit(.minutes(1))) struct ClientValuesTests {
    private struct Login: Codable, Equatable, Sendable {
        var token: String
    }

    private struct Options: Decodable {
        var theme: String?
    }

    @Test func `auth is decoded as a type`() async throws {
        let results = Reports<String>()
        try await withTestServer(eventLoops: 1) { io in
            io.onConnect { socket in
                let login = Result { try socket.auth(as: Login.self) }
                let optional = Result { try socket.auth(as: Login?.self) }
                let options = Result { try socket.auth(as: Options.self) }
                results.report(Self.text(login.map(\.token)))
                results.report(Self.text(optional.map { $0?.token ?? "nil" }))
                results.report(Self.text(options.map { $0.theme ?? "nil" }))
            }
        } _: { server in
            let expected = [
                (nil, "unexpectedArguments", "nil", "nil"),
                (#"{"token":"abc","theme":"dark"}"#, "abc", "abc", "dark"),
                (#"{"token":7}"#, "unexpectedArguments", "unexpectedArguments", "nil"),
            ]
            for (auth, login, optional, options) in expected {
                try await server.connect().join(auth: auth)
                #expect(await results.next() == login)
                #expect(await results.next() == optional)
                #expect(await results.next() == options)
            }
        }
    }

    private static func text(_ result: Result<String, any Error>) -> String {
        switch result {
        case .success(let text): text
        case .failure(let error): (error as? SocketIOError).map { "\($0.code)" } ?? "\(error)"
        }
    }

    @Test func `middleware that decodes auth refuses a client without it`() async throws {
        try await withTestServer(eventLoops: 1) { io in
            io.use { socket in socket.data["token"] = try socket.auth(as: Login.self).token }
        } _: { server in
            let client = try await server.connect()
            try await client.requestJoin("/")
            #expect(try await client.receive() == .text(#"44{"message":"Connection refused"}"#))
            try await server.connect().join(auth: #"{"token":"abc"}"#)
            #expect(try await server.io.fetchSockets().first?.data["token", as: String.self] == "abc")
        }
    }

    @Test(arguments: [PacketFormat.json, .messagePack])
    func `a handshake can be sent, with the names of Node`(parser: PacketFormat) async throws {
        var configuration = SocketIOConfiguration()
        configuration.parser = parser
        try await withTestServer(configuration: configuration, eventLoops: 1) { io in
            io.onConnect { socket in
                socket.on("who am I") { await socket.handshake }
                socket.on("rooms") { await socket.rooms }
            }
        } _: { server in
            let client = try await server.connect(headers: [("X-Team", "red")])
            let (sid, _) = try await client.join()
            let sent = try await client.emitWithAck("who am I").decode(SocketIOValue.self, at: 0)
            #expect(sent["headers"]?["x-team"] == "red")
            #expect(sent["query"]?["EIO"] == "4")
            #expect(sent["xdomain"] == false && sent["secure"] == false && sent["auth"] == [:])
            #expect(sent["address"] == "127.0.0.1")
            guard case .int(let issued)? = sent["issued"], case .string(let time)? = sent["time"] else {
                Issue.record("no time")
                return
            }
            #expect(time == JavaScriptDate.text(milliseconds: issued) && time.hasSuffix("GMT+0000 (Coordinated Universal Time)"))
            #expect(try await client.emitWithAck("rooms", id: 1).decode([String].self, at: 0) == [sid])
        }
    }

    @Test func `data is read by key and as a whole, here and from elsewhere`() async throws {
        struct Profile: Decodable, Equatable {
            var name: String
            var level: Int?
        }
        try await withTestServer(eventLoops: 1) { io in
            io.onConnect { socket in
                socket.data["name"] = "Ada"
                socket.data["level"] = 3
                #expect((try? socket.data.decode(Profile.self)) == Profile(name: "Ada", level: 3))
            }
        } _: { server in
            _ = try await server.joined()
            let data = try #require(try await server.io.fetchSockets().first).data
            #expect(data["name"] == "Ada" && data["level"] == 3 && data["other"] == nil)
            #expect(data["name", as: String.self] == "Ada" && data["name", as: Int.self] == nil)
            #expect(data.keys.sorted() == ["level", "name"])
            #expect(try data.decode(Profile.self) == Profile(name: "Ada", level: 3))
        }
    }

    @Test func `the reasons are those of Socket.IO, letter for letter`() {
        let reference = [
            "transport error", "transport close", "forced close", "ping timeout", "parse error", "server shutting down",
            "forced server close", "client namespace disconnect", "server namespace disconnect",
        ]
        let own = ["send buffer full", "event queue full"]
        #expect(Set(DisconnectReason.all.map(\.description)) == Set(reference + own))
        let engine: [EngineCloseReason] = [
            .transportClose, .transportError, .pingTimeout, .parseError, .forcedClose, .forcedServerClose, .serverShuttingDown,
            .sendBufferFull,
        ]
        for reason in engine { #expect(DisconnectReason.all.contains(DisconnectReason(reason.description))) }
        #expect(DisconnectReason.clientNamespaceDisconnect == "client namespace disconnect")
        #expect(DisconnectReason.serverNamespaceDisconnect == "server namespace disconnect")
        #expect(DisconnectReason.serverShuttingDown == "server shutting down")
        #expect(DisconnectReason.pingTimeout == "ping timeout")
        #expect(DisconnectReason.transportClose == "transport close")
        #expect(DisconnectReason.transportError == "transport error")
        #expect(DisconnectReason.parseError == "parse error")
        #expect(DisconnectReason.forcedClose == "forced close")
        #expect(DisconnectReason.forcedServerClose == "forced server close")
    }
}
