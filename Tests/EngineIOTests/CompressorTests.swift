// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOTestSupport
import NIOCore
import NIOPosix
import SocketIOCore
import Synchronization
import Testing

@testable import EngineIO

private let polling = "/socket.io/?EIO=4&transport=polling"

@Suite(.timeLimit(.minutes(1))) struct CompressorTests {
    @Test func `an event loop does not compress long answers itself`() async throws {
        try await TestServer.with { server in
            try await RawClient.with(server.port) { client in
                let sid = try await client.handshake()
                let text = String(repeating: "0123456789", count: 50_000)
                try await server.delegate.on(sid) { session in
                    session.send(text: text)
                    session.send(text: "behind it")
                }
                let first = try await client.get(polling + "&sid=" + sid, headers: ["Accept-Encoding: gzip"])
                #expect(first.headers["content-encoding"] == "gzip")
                #expect(first.headers["content-length"].flatMap { Int($0) } ?? .max < 10_000)
                try await server.delegate.on(sid) { $0.send(text: "next") }
                #expect(try await client.get(polling + "&sid=" + sid, headers: ["Accept-Encoding: gzip"]).body == "4next")
            }
        }
    }

    @Test func `what is too much is not compressed`() async throws {
        let compressor = Compressor()
        let body = ByteBuffer(repeating: 0x61, count: 500_000)
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let (results, continuation) = AsyncStream.makeStream(of: Bool.self)
        var jobs = 0
        for _ in 0..<1000 {
            if compressor.compress(body, for: eventLoop, { continuation.yield(($0?.readableBytes ?? .max) < 10_000) }) != nil { jobs += 1 }
        }
        #expect(jobs >= 16 && jobs < 1000)
        var iterator = results.makeAsyncIterator()
        for _ in 0..<jobs { #expect(await iterator.next() == true) }
        #expect(compressor.compress(body, for: eventLoop) { _ in } != nil, "there is room again")
    }

    @Test func `what was cancelled is not delivered`() async throws {
        let compressor = Compressor()
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let delivered = Atomic(0)
        // On the event loop as a connection does, so that no result can come in between.
        try await eventLoop.submit {
            for _ in 0..<10 {
                let job = compressor.compress(ByteBuffer(repeating: 0x61, count: 900_000), for: eventLoop) { _ in
                    delivered.add(1, ordering: .relaxed)
                }
                job?.cancel()
            }
        }.get()
        let (done, continuation) = AsyncStream.makeStream(of: Void.self)
        _ = compressor.compress(ByteBuffer(repeating: 0x61, count: 100_000), for: eventLoop) { _ in continuation.yield() }
        for await _ in done { break }
        #expect(delivered.load(ordering: .relaxed) == 0)
    }
}
