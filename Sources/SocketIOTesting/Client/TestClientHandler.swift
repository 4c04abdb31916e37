// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import NIOWebSocket
import SocketIOCore
import SocketIOMessagePack
import SocketIOText
import Synchronization

/// Passes the server's messages on and answers its pings.
final class TestClientHandler: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private let mailbox: Mailbox<TestClient.Message>
    private let answersPings: Bool
    var isReading = true

    init(mailbox: Mailbox<TestClient.Message>, answersPings: Bool) {
        self.mailbox = mailbox
        self.answersPings = answersPings
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .text:
            let text = String(buffer: frame.unmaskedData)
            if text == "2" { return answerPing(context) }
            mailbox.append(.text(text))
        case .binary: mailbox.append(.binary(frame.unmaskedData))
        case .connectionClose: context.close(promise: nil)
        default: break
        }
    }

    private func answerPing(_ context: ChannelHandlerContext) {
        guard answersPings else { return }
        let frame = WebSocketFrame(fin: true, opcode: .text, maskKey: .random(), data: ByteBuffer(string: "3"))
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }

    func read(context: ChannelHandlerContext) {
        if isReading { context.read() }
    }

    func channelInactive(context: ChannelHandlerContext) { mailbox.finish() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// Puts packets together.
final class TestClientDecoder: Sendable {
    private let machine: Mutex<PacketDecoderStateMachine>

    init(format: PacketFormat) {
        let limits = PacketDecoderStateMachine.Limits(attachments: 1_000, bytes: 1 << 30, values: .max, eventName: 1 << 20)
        self.machine = Mutex(PacketDecoderStateMachine(format: format, limits: limits))
    }

    func packet(_ message: TestClient.Message) throws -> Packet? {
        try machine.withLock { machine in
            switch message {
            case .binary(let bytes): return try machine.receive(binary: bytes)
            case .text(let text):
                guard text.utf8.first == UInt8(ascii: "4") else { throw TestClient.Failure(description: "not a message: \(text)") }
                return try machine.receive(text: ByteBuffer(string: String(text.dropFirst())))
            }
        }
    }

    static func messagePackConnect(_ namespace: String) throws -> EncodedPacket {
        var writer = MessagePackWriter()
        try writer.writeMapHeader(count: 2)
        try writer.write("type")
        writer.write(0)
        try writer.write("nsp")
        try writer.write(namespace)
        return EncodedPacket(message: writer.buffer, isBinary: true)
    }
}
