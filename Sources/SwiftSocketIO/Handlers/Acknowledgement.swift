// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore
import Synchronization

/// Several values as one acknowledgement, or as the answer to `serverSideEmitWithAck`.
///
/// A handler's return value is one argument of the acknowledgement, even if it is an array. Return an `Ack` for any other number.
public struct Ack: Encodable, Sendable {
    let write: @Sendable (inout ArgumentsWriter) throws -> Void

    /// Creates an acknowledgement with these arguments.
    public init<each T: Encodable & Sendable>(_ values: repeat each T) {
        self.write = { writer in repeat try writer.append(each values) }
    }

    /// The same for one argument, without the cost of a parameter pack.
    init<T: Encodable & Sendable>(value: T) {
        self.write = { writer in try writer.append(value) }
    }

    /// Creates an acknowledgement with encoded arguments.
    public init(raw arguments: EventArguments) {
        self.write = { writer in try writer.append(contentsOf: arguments) }
    }

    /// Encodes null: an `Ack` is not a value and cannot be part of one.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encodeNil()
    }
}

/// Acknowledges an event with other values than the handler's result. If a handler throws any other error, no acknowledgement is sent.
public struct AckError: Error {
    let ack: Ack

    /// Creates an error that acknowledges with these arguments.
    public init<each T: Encodable & Sendable>(_ values: repeat each T) { self.ack = Ack(repeat each values) }
}

/// Acknowledges an event of a client, or answers one of another server. The first acknowledgement is sent; further ones are ignored and
/// counted.
public final class Acknowledgement: Sendable {
    /// The client's socket, and the id of its event; nil if another server has sent it. Not an enumeration: each use would copy its value.
    private let socket: Socket?
    private let id: UInt64
    /// How an event of another server is answered.
    private let reply: ServerSideReply?
    private let isUsed = Atomic<Bool>(false)

    init(socket: Socket, id: UInt64) {
        self.socket = socket
        self.id = id
        self.reply = nil
    }

    init(_ reply: ServerSideReply) {
        self.socket = nil
        self.id = 0
        self.reply = reply
    }

    /// Acknowledges the event.
    ///
    /// - Parameter values: The arguments of the client's callback.
    /// - Throws: `EncodingError` if a value cannot be encoded; the event can then still be acknowledged.
    public func callAsFunction<each T: Encodable & Sendable>(_ values: repeat each T) throws {
        try send(Ack(repeat each values))
    }

    /// Acknowledges the event.
    ///
    /// - Parameter ack: The arguments of the client's callback.
    /// - Throws: `EncodingError` if a value cannot be encoded; the event can then still be acknowledged.
    public func send(_ ack: Ack) throws {
        guard let socket else { return try answer(ack) }
        let packet = try socket.encoder.acknowledgement(id, namespace: socket.namespace.name, arguments: ack.write)
        guard isFirst else { return socket.namespace.server.metrics.duplicateAcknowledgements.increment() }
        socket.namespace.server.metrics.acknowledgementsSent.increment()
        socket.write(packet)
    }

    private func answer(_ ack: Ack) throws {
        guard let reply else { return }
        let arguments = try reply.encoder.arguments(ack.write)
        guard isFirst else { return reply.duplicates.increment() }
        reply.send(arguments)
    }

    private var isFirst: Bool { isUsed.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged }
}

/// How an event of another server is answered.
final class ServerSideReply: Sendable {
    let encoder: PacketEncoder
    let duplicates: SocketIOMetrics.Total
    let send: @Sendable (EventArguments) -> Void

    init(encoder: PacketEncoder, duplicates: SocketIOMetrics.Total, send: @escaping @Sendable (EventArguments) -> Void) {
        self.encoder = encoder
        self.duplicates = duplicates
        self.send = send
    }
}
