// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import EngineIOCore
public import NIOCore
public import NIOPosix
public import SocketIOCore
import SocketIOText
import Synchronization

/// A Socket.IO client for tests that can send every packet and see every packet, over WebSocket or by long-polling.
///
/// Apart from answering pings and polling, it does nothing automatically.
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

    /// An event of the server.
    public struct ReceivedEvent: Sendable {
        /// The event's name.
        public let name: String
        /// Its arguments, still encoded.
        public let arguments: EventArguments
        /// The acknowledgement id, if the server asks for an acknowledgement; see ``TestClient/acknowledge(_:_:namespace:)``.
        public let id: UInt64?
        /// The namespace that it was sent in.
        public let namespace: String
    }

    /// How a client connects.
    public enum Transport: Sendable, CaseIterable {
        /// Over WebSocket from the start.
        case webSocket
        /// By long-polling, and nothing else.
        case polling
        /// By long-polling, and then over WebSocket, as clients do by default. The upgrade is complete when the client is connected.
        case upgrade
    }

    private let transport: Mutex<any TestTransport>
    private let inbox: Inbox
    private let lastID = Atomic<UInt64>(0)
    /// The parser that the client uses.
    public let format: PacketFormat

    private init(_ transport: any TestTransport, _ inbox: Inbox, format: PacketFormat) {
        self.transport = Mutex(transport)
        self.inbox = inbox
        self.format = format
    }

    /// Connects and waits for the server's handshake.
    ///
    /// - Parameters:
    ///   - host: The server's address.
    ///   - port: The server's port.
    ///   - path: The server's path.
    ///   - transport: How to connect. Default: over WebSocket.
    ///   - format: The parser.
    ///   - headers: Further request headers.
    ///   - answersPings: Whether pings are answered.
    ///   - group: The event loops to use.
    /// - Throws: ``Failure`` if the server refuses the connection; NIO's errors if nothing listens there.
    public static func connect(
        host: String = "127.0.0.1",
        port: Int,
        path: String = "/socket.io/",
        transport: Transport = .webSocket,
        format: PacketFormat = .json,
        headers: [(String, String)] = [],
        answersPings: Bool = true,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> TestClient {
        let endpoint = NetworkEndpoint(address: host, port: port, group: group)
        let requests = TestRequests(endpoint: endpoint, path: path, headers: headers, answersPings: answersPings)
        return try await connect(requests, transport, format: format)
    }

    static func connect(_ requests: TestRequests, _ transport: Transport, format: PacketFormat) async throws -> TestClient {
        let inbox = Inbox(format: format)
        let connection: any TestTransport =
            switch transport {
            case .webSocket: try await WebSocketTransport.connect(requests, inbox)
            case .polling, .upgrade: try await PollingTransport.connect(requests, inbox)
            }
        let client = TestClient(connection, inbox, format: format)
        guard case .text(let open) = try await client.receive(), open.hasPrefix("0{") else {
            throw Failure(description: "the server did not open the session")
        }
        if transport == .upgrade { try await client.upgrade() }
        return client
    }

    /// Moves a client that polls to a WebSocket. Returns when the WebSocket carries everything.
    ///
    /// - Throws: ``Failure`` if the client does not poll, or the server refuses.
    public func upgrade() async throws {
        guard let polling = transport.withLock({ $0 }) as? PollingTransport else {
            throw Failure(description: "only a client that polls can be upgraded")
        }
        let webSocket = try await polling.upgrade()
        transport.withLock { $0 = webSocket }
    }

    // MARK: Raw messages

    /// Sends an Engine.IO text packet, such as `42["hello"]`.
    public func send(text: String) async throws { try await send([.text(text)]) }

    /// Sends a binary message.
    public func send(binary: ByteBuffer) async throws { try await send([.binary(binary)]) }

    private func send(_ messages: [Message]) async throws { try await transport.withLock { $0 }.send(messages) }

    /// The next message, pings left out.
    ///
    /// - Parameter timeout: How long to wait. Default 10 s.
    /// - Throws: ``Failure`` if none arrives in time, or the connection is closed.
    public func receive(timeout: Duration = .seconds(10)) async throws -> Message {
        var item = try await next(within: timeout)
        let message = item.messages.removeFirst()
        if !item.messages.isEmpty { inbox.putBack(Inbox.Item(messages: item.messages, packet: nil)) }
        return message
    }

    private func next(within timeout: Duration) async throws -> Inbox.Item {
        guard let item = await inbox.take(inbox.claim(), within: timeout) else {
            throw Failure(description: "nothing arrived within \(timeout), or the connection is closed")
        }
        return item
    }

    /// Waits until the server has closed the connection. A client that polls notices it with its next poll.
    public func waitUntilClosed() async { await transport.withLock { $0 }.waitUntilClosed() }

    /// Whether the connection is open.
    public var isOpen: Bool { transport.withLock { $0 }.isOpen }

    /// Closes the connection without a packet.
    public func cut() async { await transport.withLock { $0 }.cut() }

    /// Stops reading, like a client that hangs. A client that polls makes no further poll.
    public func stopReading() async throws { try await transport.withLock { $0 }.stopReading() }

    // MARK: Socket.IO

    /// Sends a packet.
    public func send(_ packet: EncodedPacket) async throws {
        let message = packet.isBinary ? Message.binary(packet.message) : .text("4" + String(buffer: packet.message))
        try await send([message] + packet.attachments.map { .binary($0) })
    }

    /// The next packet, with its attachments.
    ///
    /// - Parameter timeout: How long to wait. Default 10 s.
    /// - Throws: ``Failure`` if none arrives in time or it is not a packet; `PacketError` if it is malformed.
    public func receivePacket(timeout: Duration = .seconds(10)) async throws -> Packet {
        let item = try await next(within: timeout)
        guard let packet = item.packet else {
            throw Failure(description: "not a packet: \(item.messages.map(\.description).joined(separator: ", "))")
        }
        return try packet.get()
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
    ///
    /// - Parameters:
    ///   - id: The event's ``ReceivedEvent/id``.
    ///   - arguments: The acknowledgement's arguments.
    ///   - namespace: The event's namespace.
    public func acknowledge<each A: Encodable>(_ id: UInt64, _ arguments: repeat each A, namespace: String = "/") async throws {
        try await send(
            PacketEncoder(format: format).acknowledgement(id, namespace: namespace) { writer in
                repeat try writer.append(each arguments)
            }
        )
    }

    /// Sends an event and returns the server's acknowledgement. Other packets that arrive before it are kept for ``receivePacket(timeout:)`` and
    /// ``receiveEvent(timeout:)``.
    ///
    /// - Parameters:
    ///   - event: The event's name.
    ///   - arguments: Its arguments.
    ///   - namespace: The namespace.
    ///   - id: The acknowledgement id. Default: nil, one that this function has not used before.
    ///   - timeout: How long to wait. Default 10 s.
    /// - Throws: ``Failure`` if the acknowledgement does not arrive in time, or the client leaves the namespace before; it shows what has arrived.
    public func emitWithAck<each A: Encodable>(
        _ event: String,
        _ arguments: repeat each A,
        namespace: String = "/",
        id: UInt64? = nil,
        timeout: Duration = .seconds(10)
    ) async throws -> EventArguments {
        let id = id ?? lastID.wrappingAdd(1, ordering: .relaxed).oldValue
        let claim = inbox.claim { item in
            guard case .success(let packet)? = item.packet, packet.namespace == namespace else { return false }
            return switch packet.content {
            case .acknowledgement(id, _), .disconnect: true
            default: false
            }
        }
        do { try await emit(event, repeat each arguments, namespace: namespace, id: id) } catch {
            inbox.giveUp(claim)
            throw error
        }
        let item = await inbox.take(claim, within: timeout)
        if case .success(let packet)? = item?.packet, case .acknowledgement(_, let answer) = packet.content { return answer }
        let reason = item == nil ? "within \(timeout), or the connection is closed" : "before the server disconnected the client"
        throw Failure(description: "no acknowledgement of \"\(event)\" \(reason)\(unread)")
    }

    /// What has arrived and was not taken, for failures.
    private var unread: String {
        let shown = 10
        let items = inbox.unread
        guard !items.isEmpty else { return "" }
        let rest = items.count > shown ? " and \(items.count - shown) more" : ""
        return "; unread: " + items.prefix(shown).map(\.description).joined(separator: ", ") + rest
    }

    /// The next event, in any namespace.
    ///
    /// - Parameter timeout: How long to wait. Default 10 s.
    /// - Throws: ``Failure`` if another packet is next.
    public func receiveEvent(timeout: Duration = .seconds(10)) async throws -> ReceivedEvent {
        let packet = try await receivePacket(timeout: timeout)
        guard case .event(let name, let arguments, let id) = packet.content else { throw Failure(description: "no event but \(packet)") }
        return ReceivedEvent(name: name, arguments: arguments, id: id, namespace: packet.namespace)
    }
}
