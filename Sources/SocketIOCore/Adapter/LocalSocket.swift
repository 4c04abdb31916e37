// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import EngineIOCore
public import NIOCore
public import SocketIOText

/// What an adapter needs of a socket that is connected to this process. The server's sockets conform to it.
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
    ///   - packet: The packet, which carries `id` already.
    ///   - id: The acknowledgement id inside the packet.
    ///   - acknowledgements: Gets the client's answer, or learns that there will be none because the client is gone.
    func deliver(_ packet: BroadcastPacket, acknowledgement id: UInt64, to acknowledgements: AcknowledgementSink)
    /// Forgets an acknowledgement that is no longer waited for.
    func forgetAcknowledgement(_ id: UInt64)
    /// Describes the socket for `fetchSockets`, without its rooms.
    func describe() -> SocketDescription
    /// Ends the socket.
    ///
    /// - Parameter closeConnection: Whether the client's whole connection ends, with all its namespaces.
    func disconnect(closeConnection: Bool)
    /// Gives up the session because its client has come back on another connection; the socket sends and receives nothing any more.
    ///
    /// - Returns: The session, or nil if it cannot be recovered.
    func surrenderSession() -> RecoverableSession?
}

/// A packet with the id by which a client that was cut off tells how far it came.
public struct BroadcastPacket: Sendable {
    /// The packet.
    public var encoded: EncodedPacket
    /// The id that is encoded in the packet as its last argument; nil if the packet is not replayed to clients that come back.
    public var offset: MessageID?
    /// What it costs the budget of connection state recovery; nil if nobody keeps it.
    package var charge: RecoveryBudget.Charge?

    /// Creates a packet.
    public init(_ encoded: EncodedPacket, offset: MessageID? = nil) {
        self.encoded = encoded
        self.offset = offset
    }
}

/// Where the acknowledgements of one broadcast go. The clients of one process share a sink.
public struct AcknowledgementSink: Sendable {
    private let stream: BroadcastAcknowledgements
    private let part: BroadcastAcknowledgements.PartID
    private var client: SocketID?

    init(stream: BroadcastAcknowledgements, part: BroadcastAcknowledgements.PartID) {
        self.stream = stream
        self.part = part
    }

    /// The same for one socket, whose id goes with its answer to nodes that want to know it.
    public func from(_ id: SocketID) -> AcknowledgementSink {
        var copy = self
        copy.client = id
        return copy
    }

    /// A client has answered.
    public func receive(_ arguments: EventArguments) {
        var arguments = arguments
        arguments.client = client
        stream.receive(arguments, from: part)
    }

    /// A client is gone and will not answer.
    public func clientIsGone() { stream.clientIsGone(from: part) }
}

/// A socket as `fetchSockets` reports it, from whichever process it is connected to.
public struct SocketDescription: Sendable {
    /// Parts of a description.
    public struct Omissions: OptionSet, Sendable, Hashable {
        /// The bits.
        public let rawValue: UInt8
        /// Creates a set from its bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The socket's data.
        public static let data = Omissions(rawValue: 1)
        /// The rooms, but for the socket's own.
        public static let rooms = Omissions(rawValue: 2)
        /// What the client sent as `auth`.
        public static let auth = Omissions(rawValue: 4)
        /// The request's headers, query and URL.
        public static let request = Omissions(rawValue: 8)
    }

    /// The socket's id.
    public var id: SocketID
    /// The request with which the client connected.
    public var handshake: Handshake
    /// The rooms that the socket is in, its own included.
    public var rooms: NameSet
    /// The socket's data, as an encoded object with string keys.
    public var data: EncodedValue
    /// The node that the socket is connected to; nil if the adapter serves one process only. Operations on the socket carry it in
    /// ``BroadcastOptions/node``.
    public var node: String?
    /// What was left out because the description would have become larger than the server's limit. Wire formats of others do not carry it.
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
