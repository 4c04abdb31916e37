// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCore
import SocketIOTesting
import SocketIOText
import SwiftSocketIO
import Synchronization
import Testing

/// The client that tests use.
@Suite(.timeLimit(.minutes(1))) struct TestClientTests {
    private struct Credentials: Codable, Equatable {
        var token: String
        var roles: [String]
    }

    private struct Hint: Encodable { var code: String }

    private static func configuration(_ format: PacketFormat) -> SocketIOConfiguration {
        var configuration = SocketIOConfiguration()
        configuration.parser = format
        return configuration
    }

    private func addEvents(to io: SocketIOServer) {
        io.of("/guarded").use { socket in
            let credentials = try? await socket.handshake.auth?.decode(Credentials.self)
            guard credentials == Credentials(token: "secret", roles: ["a", "b"]) else {
                throw ConnectError("not authorized", data: Hint(code: "E_TOKEN"))
            }
        }
        io.onConnect { socket in
            socket.on("echo") { (text: String) in text }
            socket.on("bytes") { (bytes: ByteBuffer) in bytes }
            socket.on("noisy") { (count: Int) in
                for number in 0..<count { try socket.emit("noise", number) }
                return count
            }
            socket.on("silent") {}
            socket.on("kick") { socket.disconnect() }
        }
    }

    // MARK: Acknowledgements

    @Test(arguments: [PacketFormat.json, .messagePack])
    func `acknowledgements arrive among events, which keep their order`(format: PacketFormat) async throws {
        try await withTestServer(configuration: Self.configuration(format), setUp: addEvents(to:)) { server in
            let client = try await server.connect()
            try await client.join()
            #expect(try await client.emitWithAck("noisy", 20).decode(Int.self, at: 0) == 20)
            #expect(try await client.emitWithAck("echo", "after").decode(String.self, at: 0) == "after")
            for number in 0..<20 {
                let event = try await client.receiveEvent()
                #expect(event.name == "noise")
                #expect(try event.arguments.decode(Int.self, at: 0) == number)
            }
        }
    }

    @Test func `acknowledgements go to those who wait for them, whoever else waits`() async throws {
        try await withTestServer(setUp: addEvents(to:)) { server in
            let client = try await server.connect()
            try await client.join()
            async let event = client.receiveEvent()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        let answer = try await client.emitWithAck("echo", "\(number)")
                        #expect(try answer.decode(String.self, at: 0) == "\(number)")
                    }
                }
                try await group.waitForAll()
            }
            _ = try await client.emitWithAck("noisy", 1)
            #expect(try await event.name == "noise")
        }
    }

    @Test func `an acknowledgement that does not come is a failure that shows what came`() async throws {
        try await withTestServer(setUp: addEvents(to:)) { server in
            let client = try await server.connect()
            try await client.join()
            _ = try await client.emitWithAck("noisy", 2)
            let failure = await #expect(throws: TestClient.Failure.self) {
                try await client.emitWithAck("unknown", timeout: .milliseconds(50))
            }
            #expect(failure?.description.contains(#"no acknowledgement of "unknown""#) == true)
            #expect(failure?.description.hasSuffix(#"unread: 2["noise",0], 2["noise",1]"#) == true, "\(failure?.description ?? "")")
            let left = await #expect(throws: TestClient.Failure.self) { try await client.emitWithAck("kick") }
            #expect(left?.description.contains("before the server disconnected") == true)
        }
    }

    // MARK: Joining

    @Test(arguments: [PacketFormat.json, .messagePack]) func `auth is any value, or JSON`(format: PacketFormat) async throws {
        try await withTestServer(configuration: Self.configuration(format), setUp: addEvents(to:)) { server in
            let client = try await server.connect()
            try await client.join("/guarded", auth: Credentials(token: "secret", roles: ["a", "b"]))
            let other = try await server.connect()
            try await other.join("/guarded", auth: #"{"token":"secret","roles":["a","b"]}"#)
            let dictionary = try await server.connect()
            let refusal = try await dictionary.expectRefusal("/guarded", auth: ["token": "secret"])
            #expect(refusal.message == "not authorized" && refusal.data == ["code": "E_TOKEN"])
        }
    }

    @Test func `a refusal that does not come is a failure`() async throws {
        try await withTestServer(setUp: addEvents(to:)) { server in
            let client = try await server.connect()
            let failure = await #expect(throws: TestClient.Failure.self) { try await client.expectRefusal() }
            #expect(failure?.description.hasPrefix(#"not refused by /: 0{"sid":""#) == true, "\(failure?.description ?? "")")
            #expect(try await client.expectRefusal("/unknown").message == "Invalid namespace")
        }
    }

    // MARK: Transports

    @Test(arguments: TestClient.Transport.allCases, [PacketFormat.json, .messagePack])
    func `all transports carry text and binary both ways`(transport: TestClient.Transport, format: PacketFormat) async throws {
        try await withTestServer(configuration: Self.configuration(format), setUp: addEvents(to:)) { server in
            try await exchange(try await server.connect(transport: transport))
        }
    }

    @Test(arguments: TestClient.Transport.allCases) func `all transports work in memory`(transport: TestClient.Transport) async throws {
        try await withTestServer(clock: await ManualClock(), setUp: addEvents(to:)) { server in
            try await exchange(try await server.connect(transport: transport))
        }
    }

    private func exchange(_ client: TestClient) async throws {
        try await client.join()
        let bytes = ByteBuffer(bytes: (0..<1_000).map { UInt8($0 % 256) })
        #expect(try await client.emitWithAck("bytes", bytes).decode(ByteBuffer.self, at: 0) == bytes)
        for number in 0..<30 { #expect(try await client.emitWithAck("echo", "\(number)").decode(String.self, at: 0) == "\(number)") }
        #expect(client.isOpen)
        await client.cut()
        #expect(!client.isOpen)
    }

    @Test func `the server sees the transport, and the upgrade`() async throws {
        let transports = Mutex<[String]>([])
        try await withTestServer(setUp: { io in
            io.onConnect { socket in
                let transport = await socket.handshake.query["transport"] ?? "none"
                transports.withLock { $0.append(transport) }
            }
        }) { server in
            for transport in [TestClient.Transport.webSocket, .polling, .upgrade] { try await server.connect(transport: transport).join() }
            let upgrading = try await server.connect(transport: .polling)
            try await upgrading.join()
            try await upgrading.upgrade()
            #expect(transports.withLock { $0 } == ["websocket", "polling", "polling", "polling"])
            await #expect(throws: TestClient.Failure.self) { try await upgrading.upgrade() }
        }
    }

    @Test(arguments: [TestClient.Transport.webSocket, .polling])
    func `a connection that is refused is a failure`(transport: TestClient.Transport) async throws {
        var configuration = SocketIOConfiguration()
        configuration.engine.allowRequest = { _ in .reject() }
        try await withTestServer(configuration: configuration) { server in
            await #expect(throws: TestClient.Failure.self) { try await server.connect(transport: transport) }
        }
    }

    @Test(arguments: TestClient.Transport.allCases)
    func `a client notices that the server closes`(transport: TestClient.Transport) async throws {
        var configuration = SocketIOConfiguration()
        configuration.drainDuration = .zero
        try await withTestServer(configuration: configuration) { server in
            let client = try await server.connect(transport: transport)
            try await client.join()
            await server.io.close()
            await client.waitUntilClosed()
            #expect(!client.isOpen)
        }
    }

    @Test func `a client that polls answers pings, unless it is told not to`() async throws {
        let clock = await ManualClock()
        try await withTestServer(clock: clock, setUp: addEvents(to:)) { server in
            let alive = try await server.connect(transport: .polling)
            let silent = try await server.connect(transport: .polling, answersPings: false)
            for client in [alive, silent] { try await client.join() }
            await clock.advance(by: .seconds(46))
            await silent.waitUntilClosed()
            await clock.advance(by: .seconds(300))
            #expect(alive.isOpen)
            #expect(try await alive.emitWithAck("echo", "still here").decode(String.self, at: 0) == "still here")
        }
    }

    // MARK: Printing

    @Test(arguments: [PacketFormat.json, .messagePack]) func `packets print as JSON`(format: PacketFormat) async throws {
        struct Point: Codable {
            var x: Int
            var name: String?
        }
        try await withTestServer(configuration: Self.configuration(format)) { io in
            io.of("/admin").onConnect { socket in
                socket.on("go") { () async throws in
                    try socket.emit("point", Point(x: 1, name: "a \"quoted\" name"), ByteBuffer(bytes: [1, 2, 3]), true)
                }
            }
        } _: { server in
            let client = try await server.connect()
            #expect("\(try await client.expectRefusalPacket())" == #"4/nowhere,{"message":"Invalid namespace"}"#)
            try await client.join("/admin")
            try await client.emit("go", namespace: "/admin")
            let packet = try await client.receivePacket()
            #expect("\(packet)" == #"2/admin,["point",{"name":"a \"quoted\" name","x":1},<3 bytes>,true]"#)
        }
    }
}

extension TestClient {
    fileprivate func expectRefusalPacket() async throws -> Packet {
        try await requestJoin("/nowhere")
        return try await receivePacket()
    }
}
