// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SwiftSocketIO
import Testing

#if Hummingbird
import Hummingbird

/// Compiles only if `SwiftSocketIO` exports no name that Hummingbird has too.
private struct Greeter: HTTPResponder {
    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        Response(status: .ok, body: .init(byteBuffer: ByteBuffer(string: "hello")))
    }
}
#endif

/// Compiled as the strictest application compiles it, with MemberImportVisibility and no other module of this package imported.
@Suite struct ImportTests {
    @Test func `the types of an application need no other import`() {
        let value: SocketIOValue = ["room": "lobby", "count": 2]
        #expect(value["count"] == 2)
        let rooms: NameSet = ["lobby"]
        #expect(rooms.count == 1 && rooms.contains("lobby"))
        let headers: NameMap<String> = ["origin": "https://example.com"]
        #expect(headers["origin"] == "https://example.com")
        var configuration = SocketIOConfiguration()
        configuration.engine.cors = EngineCORS(origins: .any)
        configuration.engine.cookie = EngineCookie()
        configuration.parser = .messagePack
        configuration.limits.rooms = RoomLimits(perSocket: 10)
        #expect(throws: Never.self) { try configuration.validate() }
        #expect(EngineHTTPServerConfiguration(host: "::1", port: 1).port == 1)
        #expect(ByteBuffer(string: "text").readableBytes == 4)
    }

    /// The quick start of the README, and what the articles do with sockets and their values.
    private static func quickStart() async throws {
        let io = SocketIOServer()
        io.onConnect { socket in
            await socket.join("lobby")
            socket.on("message") { (text: String) in
                try await socket.to("lobby").emit("message", text)
            }
            socket.on("sum") { (a: Double, b: Double) in a + b }
            socket.on("rooms") { await socket.rooms.count }
            socket.on("raw") { (event: SocketEvent) in
                let text = try event.arguments.decode(String.self, at: 0)
                socket.data["text"] = text
            }
            let handshake = await socket.handshake
            socket.data["agent"] = handshake.headers["user-agent"]
        }
        for try await answer in try await io.in("lobby").except("muted").volatile.timeout(.seconds(1)).emitWithAck("ready?", as: Bool.self)
        {
            print(answer)
        }
        for socket in try await io.fetchSockets() where socket.omitted.isEmpty { print(socket.rooms.count) }
        for await state in io.states where state == .serving { break }
        try await io.run(
            EngineHTTPServerConfiguration(port: 3000),
            signals: [.sigterm, .sighup],
            responder: { request in request.path == "/ready" ? io.readiness.response : .notFound }
        )
    }
}
