// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import NIOCore
import NIOEmbedded
import SocketIOCore
import SocketIOMessagePack
import SwiftSocketIO

/// A client of a server that is fuzzed, connected in memory by WebSocket. Used on the server's event loop only.
final class FuzzClient {
    /// A message as the server sent it.
    struct Message {
        var isBinary: Bool
        var bytes: ByteBuffer
    }

    let channel: NIOAsyncTestingChannel
    private let wire = FuzzWire()

    /// Connects, and joins the main namespace.
    init(to io: SocketIOServer, on loop: NIOAsyncTestingEventLoop, auth: [(String, String)] = []) throws {
        self.channel = NIOAsyncTestingChannel(loop: loop)
        try channel.pipeline.syncOperations.addHandler(wire)
        try io.engine.configure(channel)
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        let path = io.configuration.engine.path
        let lines = [
            "GET \(path)?EIO=4&transport=websocket HTTP/1.1", "Host: fuzz", "Connection: Upgrade", "Upgrade: websocket",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "", "",
        ]
        receive(ByteBuffer(string: lines.joined(separator: "\r\n")))
        send(try Self.connect(io.configuration.parser, auth))
    }

    var isActive: Bool { channel.isActive }

    /// The server reads bytes.
    private func receive(_ bytes: ByteBuffer) {
        guard channel.isActive else { return }
        channel.pipeline.fireChannelRead(bytes)
        channel.pipeline.fireChannelReadComplete()
    }

    /// The server reads a message; of a text the packet type `4` comes first.
    func send(_ message: Message) {
        var frame = ByteBuffer()
        var payload = ByteBuffer()
        if !message.isBinary { payload.writeInteger(UInt8(ascii: "4")) }
        payload.writeImmutableBuffer(message.bytes)
        frame.writeInteger(UInt8(message.isBinary ? 0x82 : 0x81))
        switch payload.readableBytes {
        case 0..<126: frame.writeInteger(0x80 | UInt8(payload.readableBytes))
        case ..<65_536:
            frame.writeInteger(UInt8(0xfe))
            frame.writeInteger(UInt16(payload.readableBytes))
        default:
            frame.writeInteger(UInt8(0xff))
            frame.writeInteger(UInt64(payload.readableBytes))
        }
        // A mask of zeros changes nothing.
        frame.writeInteger(UInt32(0))
        frame.writeImmutableBuffer(payload)
        receive(frame)
    }

    /// The messages that have come since the last call, without Engine.IO's own.
    func takeMessages() throws -> [Message] { try wire.takeMessages() }

    func close() { channel.close(promise: nil) }

    private static func connect(_ format: PacketFormat, _ auth: [(String, String)]) throws -> Message {
        var writer = MessagePackWriter()
        try writer.writeMapHeader(count: auth.isEmpty ? 2 : 3)
        try writer.write("type")
        writer.write(0)
        try writer.write("nsp")
        try writer.write("/")
        if !auth.isEmpty {
            try writer.write("data")
            try writer.writeMapHeader(count: auth.count)
            for (name, value) in auth {
                try writer.write(name)
                try writer.write(value)
            }
        }
        guard format == .json else { return Message(isBinary: true, bytes: writer.buffer) }
        var text = ByteBuffer(string: "0")
        if !auth.isEmpty {
            let members = auth.map { SocketIOValue.string($0.1) }
            var attachments: [ByteBuffer] = []
            text.writeString("{")
            for (index, member) in members.enumerated() {
                text.writeString((index > 0 ? "," : "") + "\"\(auth[index].0)\":")
                try JSONArgumentEncoder().encode(member, into: &text, attachments: &attachments)
            }
            text.writeString("}")
        }
        return Message(isBinary: false, bytes: text)
    }
}

/// The head of the channel's pipeline: keeps what the server writes.
private final class FuzzWire: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    private var written = ByteBuffer()
    private var isUpgraded = false

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        written.writeImmutableBuffer(unwrapOutboundIn(data))
        promise?.succeed()
    }

    func flush(context: ChannelHandlerContext) {}
    func read(context: ChannelHandlerContext) {}

    func takeMessages() throws -> [FuzzClient.Message] {
        try skipResponse()
        var messages: [FuzzClient.Message] = []
        while isUpgraded, let (opcode, payload) = nextFrame() {
            switch opcode {
            case 0x81 where payload.readableBytesView.first == UInt8(ascii: "4"):
                let text = payload.getSlice(at: payload.readerIndex + 1, length: payload.readableBytes - 1)
                messages.append(.init(isBinary: false, bytes: text ?? payload))
            case 0x82: messages.append(.init(isBinary: true, bytes: payload))
            case 0x81, 0x88: break
            default: try rule(false, "a server sends whole frames")
            }
        }
        written.discardReadBytes()
        return messages
    }

    private func skipResponse() throws {
        guard !isUpgraded, let end = written.readableBytesView.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
        let head = String(decoding: written.readableBytesView[..<end.lowerBound], as: UTF8.self)
        try rule(head.hasPrefix("HTTP/1.1 101"), "a client can open a WebSocket")
        written.moveReaderIndex(to: end.upperBound)
        isUpgraded = true
    }

    private func nextFrame() -> (opcode: UInt8, payload: ByteBuffer)? {
        let start = written
        guard let opcode = written.readInteger(as: UInt8.self), let short = written.readInteger(as: UInt8.self) else { return undo(start) }
        var length = Int(short & 0x7f)
        if length == 126 {
            guard let long = written.readInteger(as: UInt16.self) else { return undo(start) }
            length = Int(long)
        } else if length == 127 {
            guard let long = written.readInteger(as: UInt64.self) else { return undo(start) }
            length = Int(clamping: long)
        }
        guard let payload = written.readSlice(length: length) else { return undo(start) }
        return (opcode, payload)
    }

    private func undo(_ buffer: ByteBuffer) -> (opcode: UInt8, payload: ByteBuffer)? {
        written = buffer
        return nil
    }
}
