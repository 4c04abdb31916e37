// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOTestSupport
import NIOCore
import NIOEmbedded
import SocketIOCore
import Testing

@testable import EngineIO

/// What sessions send in one tick of their event loop.
@Suite struct TickTests {
    private func frame(_ text: String) -> ByteBuffer { ByteBuffer(bytes: RawClient.encodeFrame(0x81, Array("4\(text)".utf8))) }

    private func messages(_ client: EmbeddedClient) throws -> [String] {
        var texts: [String] = []
        while case .text(let text)? = try client.frame() { texts.append(text) }
        return texts
    }

    @Test func `messages of one tick leave in one write`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        try client.openWebSocket()
        for number in 0..<20 { try client.channel.writeInbound(frame("\(number)")) }
        server.loop.run()
        let written = try #require(try client.channel.readOutbound(as: ByteBuffer.self))
        #expect(try client.channel.readOutbound(as: ByteBuffer.self) == nil)
        let expected = (0..<20).flatMap { number -> [UInt8] in
            let text = Array("4\(number)".utf8)
            return [0x81, UInt8(text.count)] + text
        }
        #expect(Array(written.readableBytesView) == expected)
    }

    @Test func `sessions that take turns in one tick keep their order`() throws {
        let server = EmbeddedServer()
        let clients = try (0..<3).map { _ in try server.connect() }
        for client in clients { try client.openWebSocket() }
        for number in 0..<10 {
            for (index, client) in clients.enumerated() where number % (index + 1) == 0 {
                try client.channel.writeInbound(frame("\(number)"))
            }
        }
        server.loop.run()
        for (index, client) in clients.enumerated() {
            #expect(try messages(client) == (0..<10).filter { $0 % (index + 1) == 0 }.map { "4\($0)" })
        }
    }

    @Test func `what was sent in the tick of the close still leaves before it`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        try client.openWebSocket()
        try client.channel.writeInbound(frame("last"))
        // Engine.IO's close packet.
        try client.channel.writeInbound(ByteBuffer(bytes: RawClient.encodeFrame(0x81, [UInt8(ascii: "1")])))
        server.loop.run()
        #expect(try client.frame() == .text("4last"))
    }

    @Test func `a message of any size keeps its place`() throws {
        let server = EmbeddedServer()
        let client = try server.connect()
        try client.openWebSocket()
        let texts = [10, 40_000, 10, 70_000, 10].map { String(repeating: "x", count: $0) }
        for text in texts { try client.channel.writeInbound(frame(text)) }
        server.loop.run()
        #expect(try messages(client) == texts.map { "4\($0)" })
    }

    // MARK: The log itself

    private func buffer(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    @Test func `sessions that send the same share it`() {
        var log = TickLog()
        let (first, second) = (buffer("one"), buffer("two"))
        for _ in 0..<3 { #expect(log.append(first) == 0) }
        #expect(log.append(second) == 1)
        #expect(log.append(buffer("two")) == 2, "equal bytes elsewhere are another packet")
        #expect(log.frames(0..<2, bytes: 6) == buffer("onetwo"))
        #expect(log.frames(0..<2, bytes: 6) == buffer("onetwo"))
        #expect(log.frames(1..<3, bytes: 6) == buffer("twotwo"))
        #expect(log.frames(0..<2, bytes: 1 << 20) == nil, "large ranges are not copied")
    }

    @Test func `what is sent while the tick is written is not forgotten with it`() {
        var log = TickLog()
        let again = buffer("again")
        _ = log.append(again)
        let end = log.seal()
        let position = log.append(again)
        #expect(position == end, "the very same frames, but for the next tick")
        log.removeAll(before: end)
        #expect(log[position] == again)
    }

    @Test func `positions stay when the tick ends`() {
        var log = TickLog()
        _ = log.append(buffer("one"))
        let end = log.end
        #expect(log.append(buffer("two")) == end)
        log.removeAll(before: end)
        #expect(log[end] == buffer("two"))
        log.removeAll(before: log.end)
        #expect(log.append(buffer("three")) == 2)
        #expect(log[2] == buffer("three"))
    }
}
