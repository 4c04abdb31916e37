// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import EngineIOCore
public import NIOCore
public import SocketIOText

/// A socket that is connected to this process, as adapters see it. The server's sockets conform to it.
///
/// All methods are called on ``eventLoop``.
public protocol LocalSocket: AnyObject, Sendable {
    /// The socket's id, which is also the name of its own room.
    var id: SocketID { get }
    /// The event loop that owns the socket.
    var eventLoop: any EventLoop { get }
    /// Hands a packet to the socket's transport.
    func deliver(_ packet: BroadcastPacket, flags: BroadcastFlags)
    /// Hands a packet to the socket's transport and reports the client's acknowledgement to `acknowledgements`.
    ///
    /// - Parameters:
    ///   - packet: The packet, which already contains `id`.
    ///   - id: The acknowledgement id inside the packet.
    ///   - acknowledgements: Receives the client's acknowledgement, or is notified when the client is disconnected.
    func deliver(_ packet: BroadcastPacket, acknowledgement id: UInt64, to acknowledgements: AcknowledgementSink)
    /// Discards a pending acknowledgement.
    func forgetAcknowledgement(_ id: UInt64)
    /// Describes the socket for `fetchSockets`, without its rooms.
    func describe() -> SocketDescription
    /// Disconnects the socket.
    ///
    /// - Parameter closeConnection: Whether to close the client's connection, with all its namespaces.
    func disconnect(closeConnection: Bool)
    /// Hands the session over because its client has reconnected; the socket sends and receives nothing from here on.
    ///
    /// - Returns: The session, or nil if it cannot be recovered.
    func handOverSession() -> RecoverableSession?
}

/// A packet with the id by which a client that reconnects identifies the last packet that it received.
public struct BroadcastPacket: Sendable {
    /// The packet.
    public var encoded: EncodedPacket
    /// The id that is encoded in the packet as its last argument; nil if the packet is not replayed to clients that reconnect.
    public var offset: MessageID?
    /// The share of the budget of connection state recovery; nil if no session keeps the packet.
    package var charge: RecoveryBudget.Charge?

    /// Creates a packet.
    public init(_ encoded: EncodedPacket, offset: MessageID? = nil) {
        self.encoded = encoded
        self.offset = offset
    }
}

/// Receives the acknowledgements of one broadcast from the clients of one process.
public struct AcknowledgementSink: Sendable {
    private let stream: BroadcastAcknowledgements
    private let part: BroadcastAcknowledgements.PartID
    private var client: SocketID?

    init(stream: BroadcastAcknowledgements, part: BroadcastAcknowledgements.PartID) {
        self.stream = stream
        self.part = part
    }

    /// The sink for one socket, whose id is attached to its acknowledgement.
    public func from(_ id: SocketID) -> AcknowledgementSink {
        var copy = self
        copy.client = id
        return copy
    }

    /// Records the acknowledgement of a client.
    public func receive(_ arguments: EventArguments) {
        var arguments = arguments
        arguments.client = client
        stream.receive(arguments, from: part)
    }

    /// Records that a client is disconnected and will not answer.
    public func clientIsGone() { stream.clientIsGone(from: part) }
}

/// The description of a socket of any process, for `fetchSockets`.
public struct SocketDescription: Sendable {
    /// Parts of a description.
    public struct Omissions: OptionSet, Sendable, Hashable {
        /// The bits.
        public let rawValue: UInt8
        /// Creates a set from its bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The socket's data.
        public static let data = Omissions(rawValue: 1)
        /// The rooms, except for the socket's own.
        public static let rooms = Omissions(rawValue: 2)
        /// The `auth` that the client sent.
        public static let auth = Omissions(rawValue: 4)
        /// The request's headers, query and URL.
        public static let request = Omissions(rawValue: 8)
    }

    /// The socket's id.
    public var id: SocketID
    /// The request with which the client connected.
    public var handshake: Handshake
    /// The rooms that the socket is in, including its own.
    public var rooms: NameSet
    /// The socket's data, as an encoded object with string keys.
    public var data: EncodedValue
    /// The node that the socket is connected to; nil if the adapter serves one process only. Operations on the socket carry it in
    /// ``BroadcastOptions/node``.
    public var node: String?
    /// The parts that were omitted because the description would have exceeded the server's limit. Wire formats of other servers do not carry it.
    public var omitted: Omissions = []

    /// Creates a description.
    public init(id: SocketID, handshake: Handshake, rooms: NameSet = [], data: EncodedValue, node: String? = nil) {
        self.id = id
        self.handshake = handshake
        self.rooms = rooms
        self.data = data
        self.node = node
    }
}
