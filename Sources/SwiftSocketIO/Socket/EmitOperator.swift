// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import SocketIOConcurrency
public import SocketIOCore
import Synchronization

/// An event to one client, with its modifiers.
public struct EmitOperator: Sendable {
    let socket: Socket
    var flags = BroadcastFlags()

    init(socket: Socket) { self.socket = socket }

    /// The event may be dropped if the client is not ready to receive.
    public var volatile: EmitOperator { with { $0.volatile = true } }

    /// Has no effect: this server sends messages uncompressed. It is here for code that is ported from Node.js.
    public func compress(_ compress: Bool) -> EmitOperator { with { $0.compress = compress } }

    /// How long the acknowledgement may take.
    public func timeout(_ timeout: Duration) -> EmitOperator { with { $0.timeout = timeout } }

    private func with(_ change: (inout BroadcastFlags) -> Void) -> EmitOperator {
        var copy = self
        change(&copy.flags)
        return copy
    }

    /// Sends an event to the client; see ``Socket/emit(_:_:)``.
    public func emit<each A: Encodable & Sendable>(_ event: String, _ arguments: repeat each A) throws {
        try send(event) { writer in repeat try writer.append(each arguments) }
    }

    /// Sends an event with arguments that are encoded already; see ``Socket/emit(_:raw:)``.
    public func emit(_ event: String, raw arguments: EventArguments) throws {
        try send(event) { writer in try writer.append(contentsOf: arguments) }
    }

    /// Sends an event and waits for the acknowledgement; see ``Socket/emitWithAck(_:_:as:)``.
    public func emitWithAck<each A: Encodable & Sendable, R: Decodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A,
        as type: R.Type
    ) async throws -> R {
        try Self.decode(await emitWithAck(event, repeat each arguments), of: event, as: type)
    }

    /// Sends an event with encoded arguments and waits for the acknowledgement; see ``Socket/emitWithAck(_:raw:as:)``.
    public func emitWithAck<R: Decodable & Sendable>(_ event: String, raw arguments: EventArguments, as type: R.Type) async throws -> R {
        try Self.decode(await emitWithAck(event, raw: arguments), of: event, as: type)
    }

    private static func decode<R: Decodable>(_ answer: EventArguments, of event: String, as type: R.Type) throws -> R {
        do {
            return try answer.decode(type, at: 0)
        } catch {
            throw SocketIOError(.unexpectedArguments, "the acknowledgement of '\(event)' is not of type \(type)", cause: error)
        }
    }

    /// Sends an event and waits for the acknowledgement, which stays encoded; see ``Socket/emitWithAck(_:_:)``.
    public func emitWithAck<each A: Encodable & Sendable>(_ event: String, _ arguments: repeat each A) async throws -> EventArguments {
        let id = socket.namespace.localAdapter.nextAcknowledgementID()
        return try await send(
            try socket.namespace.encode(event, id: id) { writer in repeat try writer.append(each arguments) },
            awaiting: id
        )
    }

    /// Sends an event with encoded arguments and waits for the acknowledgement, which stays encoded; see ``Socket/emitWithAck(_:raw:)``.
    public func emitWithAck(_ event: String, raw arguments: EventArguments) async throws -> EventArguments {
        let id = socket.namespace.localAdapter.nextAcknowledgementID()
        return try await send(
            try socket.namespace.encode(event, id: id) { writer in try writer.append(contentsOf: arguments) },
            awaiting: id
        )
    }

    private func send(_ packet: EncodedPacket, awaiting id: UInt64) async throws -> EventArguments {
        let namespace = socket.namespace
        let timeout = flags.timeout ?? namespace.server.configuration.acknowledgementTimeout
        let cancellation = CancellationFlag()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                socket.perform {
                    // A cancellation that ran before this found nothing to cancel.
                    if cancellation.isSet { return continuation.resume(throwing: CancellationError()) }
                    socket.send(packet, id: id, timeout: timeout, to: continuation)
                }
            }
        } onCancel: {
            cancellation.set()
            socket.perform { socket.giveUpAcknowledgement(id, CancellationError()) }
        }
    }

    private func send(_ event: String, _ arguments: (inout ArgumentsWriter) throws -> Void) throws {
        let packet = try socket.namespace.encodeBroadcast(event, flags: flags, arguments)
        let volatile = flags.volatile
        socket.perform { [socket] in
            socket.write(packet, volatile: volatile)
            if packet.offset != nil { socket.namespace.adapter.emitted(packet, to: socket.id) }
        }
    }
}

/// Whether a task was cancelled, for its event loop.
private final class CancellationFlag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}

/// Waiting for an acknowledgement. On the loop.
extension Socket {
    fileprivate func send(
        _ packet: EncodedPacket,
        id: UInt64,
        timeout: Duration?,
        to continuation: CheckedContinuation<EventArguments, any Error>
    ) {
        guard bound.value.phase == .connected else {
            return continuation.resume(throwing: SocketIOError(.disconnected, "the client is not connected"))
        }
        let timers = namespace.server.context(of: eventLoop).timers
        let timer = timeout.map { time in
            timers.schedule(in: time) { [self] in
                namespace.server.metrics.acknowledgementTimeouts.increment()
                giveUpAcknowledgement(id, SocketIOError(.acknowledgementTimeout, "the client did not acknowledge within \(time)"))
            }
        }
        let limit = namespace.server.configuration.limits.pendingAcknowledgements
        guard bound.value.await(.single(continuation), id: id, timer: timer, limit: limit, now: eventLoop.now) else {
            if let timer { timers.cancel(timer) }
            let message =
                "\(limit) acknowledgements are pending; wait for some, or raise SocketIOConfiguration.limits.pendingAcknowledgements"
            return continuation.resume(throwing: SocketIOError(.tooManyPendingAcknowledgements, message))
        }
        write(BroadcastPacket(packet), volatile: false)
        bound.value.client?.acknowledgementAwaited()
    }

    fileprivate func giveUpAcknowledgement(_ id: UInt64, _ error: any Error) {
        guard let pending = bound.value.takeAcknowledgement(id) else { return }
        if let timer = pending.timer { namespace.server.context(of: eventLoop).timers.cancel(timer) }
        if case .single(let continuation) = pending.receiver { continuation.resume(throwing: error) }
    }
}
