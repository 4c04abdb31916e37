// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import EngineIOCore
public import NIOCore
public import NIOPosix
import NIOWebSocket
public import SocketIOCore
import SocketIOText

/// A Socket.IO client for tests: a WebSocket connection on which every packet can be sent and seen.
///
/// Apart from answering pings, it does nothing automatically.
public final class TestClient: Sendable {
    /// A message of the server.
    public enum Message: Sendable, Equatable {
        /// An Engine.IO text packet with its type, such as `42["hello"]`.
        case text(String)
        /// A binary message.
        case binary(ByteBuffer)
    }

    /// The event that a test waited for did not happen.
    public struct Failure: Error, CustomStringConvertible {
        /// The expected event, and the actual one.
        public let description: String
    }

    private let channel: any Channel
    private let mailbox: Mailbox<Message>
    private let decoder: TestClientDecoder
    /// The parser that the client uses.
    public let format: PacketFormat

    private init(channel: any Channel, mailbox: Mailbox<Message>, format: PacketFormat) {
        self.channel = channel
        self.mailbox = mailbox
        self.format = format
        self.decoder = TestClientDecoder(format: format)
    }

    /// Connects over WebSocket and waits for the server's handshake.
    ///
    /// - Parameters:
    ///   - host: The server's address.
    ///   - port: The server's port.
    ///   - path: The server's path.
    ///   - format: The parser.
    ///   - headers: Further request headers.
    ///   - answersPings: Whether pings are answered.
    ///   - group: The event loops to use.
    /// - Throws: ``Failure`` if the server refuses the connection.
    public static func connect(
        host: String = "127.0.0.1",
        port: Int,
        path: String = "/socket.io/",
        format: PacketFormat = .json,
        headers: [(String, String)] = [],
        answersPings: Bool = true,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> TestClient {
        let request = TestClientRequest(host: "\(host):\(port)", path: path, headers: headers, answersPings: answersPings)
        let upgraded: EventLoopFuture<any Channel> = try await ClientBootstrap(group: group)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: host, port: port) { channel in channel.eventLoop.makeCompletedFuture { try request.configure(channel) } }
        return try await open(upgraded, request.mailbox, format: format)
    }

    /// Waits for the server's answer.
    static func open(_ upgraded: EventLoopFuture<any Channel>, _ mailbox: Mailbox<Message>, format: PacketFormat) async throws -> TestClient
    {
        let client = TestClient(channel: try await upgraded.get(), mailbox: mailbox, format: format)
        guard case .text(let open) = try await client.receive(), open.hasPrefix("0{") else {
            throw Failure(description: "the server did not open the session")
        }
        return client
    }

    // MARK: Raw messages

    /// Sends an Engine.IO text packet, such as `42["hello"]`.
    public func send(text: String) async throws {
        try await write(.text, ByteBuffer(string: text))
    }

    /// Sends a binary message.
    public func send(binary: ByteBuffer) async throws {
        try await write(.binary, binary)
    }

    private func write(_ opcode: WebSocketOpcode, _ data: ByteBuffer) async throws {
        try await channel.writeAndFlush(WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: data)).get()
    }

    /// The next message, pings left out.
    ///
    /// - Parameter timeout: How long to wait. Default 10 s.
    /// - Throws: ``Failure`` if none arrives in time, or the connection is closed.
    public func receive(timeout: Duration = .seconds(10)) async throws -> Message {
        guard let message = await next(timeout) else {
            throw Failure(description: "no message within \(timeout), or the connection is closed")
        }
        return message
    }

    private func next(_ timeout: Duration) async -> Message? {
        await withTaskGroup(of: Message?.self) { group in
            group.addTask { await self.mailbox.next() }
            group.addTask {
                try? await Task.sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    /// Waits until the server has closed the connection, and discards its remaining messages.
    public func waitUntilClosed() async { try? await channel.closeFuture.get() }

    /// Whether the connection is open.
    public var isOpen: Bool { channel.isActive }

    /// Closes the connection without a packet.
    public func cut() async { try? await channel.close().get() }

    /// Stops reading, like a client that hangs.
    public func stopReading() async throws {
        try await channel.setOption(.autoRead, value: false).get()
        // A channel in memory has no such option.
        try await channel.eventLoop.submit { [channel] in
            try channel.pipeline.syncOperations.handler(type: TestClientHandler.self).isReading = false
        }.get()
    }

    // MARK: Socket.IO

    /// Sends a packet.
    public func send(_ packet: EncodedPacket) async throws {
        if packet.isBinary {
            try await send(binary: packet.message)
        } else {
            try await send(text: "4" + String(buffer: packet.message))
        }
        for attachment in packet.attachments { try await send(binary: attachment) }
    }

    /// The next packet, assembled from its messages.
    ///
    /// - Throws: ``Failure`` if none arrives in time or it is not a packet.
    public func receivePacket(timeout: Duration = .seconds(10)) async throws -> Packet {
        while true {
            let message = try await receive(timeout: timeout)
            if let packet = try decoder.packet(message) { return packet }
        }
    }

    /// Joins a namespace.
    ///
    /// - Parameters:
    ///   - namespace: The namespace.
    ///   - auth: An object in JSON to send as `auth`, with the JSON parser.
    /// - Returns: The socket's id and private session id.
    /// - Throws: ``Failure`` if the server refuses.
    @discardableResult
    public func join(_ namespace: String = "/", auth: String? = nil) async throws -> (sid: String, pid: String?) {
        try await requestJoin(namespace, auth: auth)
        let packet = try await receivePacket()
        guard case .connect(let payload?) = packet.content, packet.namespace == namespace else {
            throw Failure(description: "not let into \(namespace): \(packet)")
        }
        let answer = try payload.decode(ConnectAnswer.self)
        return (answer.sid, answer.pid)
    }

    /// Asks for a namespace, without waiting for the answer.
    public func requestJoin(_ namespace: String, auth: String? = nil) async throws {
        switch format {
        case .json: try await send(text: "40" + (namespace == "/" ? "" : namespace + ",") + (auth ?? ""))
        case .messagePack: try await send(TestClientDecoder.messagePackConnect(namespace))
        }
    }

    private struct ConnectAnswer: Decodable {
        var sid: String
        var pid: String?
    }

    /// Sends an event.
    ///
    /// - Parameters:
    ///   - event: The event's name.
    ///   - arguments: Its arguments.
    ///   - namespace: The namespace.
    ///   - id: The acknowledgement id, if the event asks for an acknowledgement.
    public func emit<each A: Encodable>(_ event: String, _ arguments: repeat each A, namespace: String = "/", id: UInt64? = nil)
        async throws
    {
        try await send(
            PacketEncoder(format: format).event(event, namespace: namespace, id: id) { writer in
                repeat try writer.append(each arguments)
            }
        )
    }

    /// Answers an event of the server.
    public func acknowledge<each A: Encodable>(_ id: UInt64, _ arguments: repeat each A, namespace: String = "/") async throws {
        try await send(
            PacketEncoder(format: format).acknowledgement(id, namespace: namespace) { writer in
                repeat try writer.append(each arguments)
            }
        )
    }

    /// Sends an event and returns the server's acknowledgement.
    ///
    /// - Throws: ``Failure`` if another packet arrives first.
    public func emitWithAck<each A: Encodable>(
        _ event: String,
        _ arguments: repeat each A,
        namespace: String = "/",
        id: UInt64 = 0
    ) async throws -> EventArguments {
        try await emit(event, repeat each arguments, namespace: namespace, id: id)
        let packet = try await receivePacket()
        guard case .acknowledgement(id, let answer) = packet.content else { throw Failure(description: "no acknowledgement but \(packet)") }
        return answer
    }

    /// The next event.
    ///
    /// - Throws: ``Failure`` if another packet arrives first.
    public func receiveEvent(timeout: Duration = .seconds(10)) async throws -> (name: String, arguments: EventArguments, id: UInt64?) {
        let packet = try await receivePacket(timeout: timeout)
        guard case .event(let name, let arguments, let id) = packet.content else { throw Failure(description: "no event but \(packet)") }
        return (name, arguments, id)
    }
}
