// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import Testing

@testable import SwiftSocketIO

/// What a session may carry.
@Suite(.timeLimit(.minutes(1))) struct SessionSizeTests {
    private static let configuration: SocketIOConfiguration = {
        var configuration = SocketIOConfiguration()
        configuration.connectionStateRecovery = ConnectionStateRecovery()
        configuration.limits.descriptionBytes = 2_000
        return configuration
    }()

    @Test(arguments: [(1_000, true), (3_000, false)], [true, false])
    func `a session with too much data is not kept`(_ size: (bytes: Int, isKept: Bool), noticed: Bool) async throws {
        try await withTestServer(configuration: Self.configuration, eventLoops: 1) { io in
            io.onConnect { socket in
                socket.on("size") { () async in socket.recovered ? socket.data["text", as: String.self]?.count : nil }
                socket.on("store") { (count: Int) in socket.data["text"] = String(repeating: "x", count: min(max(count, 0), 1 << 20)) }
            }
        } _: { server in
            let first = try await server.joined()
            _ = try await first.client.emitWithAck("store", size.bytes)
            if noticed {
                await first.client.cut()
                try await eventually { server.io.sockets.socketCount == 0 }
            } else {
                try await first.client.stopReading()
            }
            let back = try await server.connect()
            let sid = try await back.join(auth: "{\"pid\":\"\(first.pid ?? "")\"}").sid
            #expect((sid == first.sid) == size.isKept)
            #expect(try await back.emitWithAck("size").decode(Int?.self, at: 0) == (size.isKept ? size.bytes : nil))
        }
    }

    private final class Claimant: SessionClaimant {
        let eventLoop: any EventLoop
        let wasAsked = Shared(false)
        init(_ loop: any EventLoop) { eventLoop = loop }
        func makeSocket(id: SocketID, pid: String) -> (any LocalSocket)? {
            wasAsked.value = true
            return nil
        }
        func resume(_ state: SessionState, missed: [BroadcastPacket], after offset: MessageID?) {}
        func abandon() {}
    }

    @Test(arguments: [(1_000, true), (3_000, false)])
    func `a session of another node with too much data is not taken over`(_ size: (bytes: Int, isTaken: Bool)) async throws {
        try await withTestServer(configuration: Self.configuration, eventLoops: 1) { server in
            let adapter = server.io.of("/").localAdapter
            let loop = try #require(server.io.eventLoopGroup.makeIterator().first { _ in true })
            let claimant = Claimant(loop)
            let data = EncodedValue(format: .messagePack, bytes: ByteBuffer(repeating: 0xc0, count: size.bytes))
            let state = SessionState(id: "id", rooms: ["id"], data: data)
            try await loop.submit { _ = adapter.restore(state, pid: "pid", missed: [], after: nil, to: claimant) }.get()
            #expect(claimant.wasAsked.value == size.isTaken)
        }
    }
}
