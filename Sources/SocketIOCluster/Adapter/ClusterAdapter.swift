// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore
public import SocketIOCore
public import SocketIOText
import Synchronization

/// The adapter of one namespace of a ``ClusterNode``: every operation is applied to the sockets of this process first, then sent to the
/// other nodes.
public final class ClusterAdapter: Adapter {
    /// The namespace's name.
    let namespace: String
    /// Moves the namespace's sessions; nil if the server recovers none.
    let mover: SessionMover?
    /// The rooms of this process.
    public let local: CoreLocalAdapter
    private let node: ClusterNode
    private let applier: MessageApplier

    init(node: ClusterNode, context: AdapterContext) {
        self.node = node
        self.namespace = context.namespace
        self.local = context.local
        self.mover = SessionMover(node: node, context: context)
        self.applier = MessageApplier(node: node, context: context, mover: mover)
    }

    // MARK: Lifecycle

    /// Starts to receive the messages of other nodes. Returns when those count this node in the namespace.
    public func start() async throws {
        node.register(self)
        await mover?.start()
        await node.waitUntilServed(namespace)
    }

    /// Stops receiving messages. If the node is going to leave, the parked sessions are stored for the other nodes, within the time that
    /// closing the node may take. Cancelling the task does not shorten it.
    public func close() async {
        await BoundedWait.shielded { [self] in
            let isComplete = await BoundedWait.abandoning(at: node.namespaceDeadline()) { [mover] in await mover?.close() }
            if !isComplete { node.log.session("sessions could not be stored in time", namespace: namespace) }
            node.unregister(self)
        }
    }

    /// Applies a message of another node. Called by the task that reads the stream.
    func apply(_ header: ClusterHeader, _ body: ClusterBody) { applier.apply(header, body) }

    /// The number of nodes in the namespace, this one included. It counts those that are draining.
    public func serverCount() async throws -> Int { node.nodeCount(in: namespace) }

    // MARK: Messages

    /// Whether sockets of this process may be selected.
    private func includesLocal(_ options: BroadcastOptions) -> Bool { options.node == nil || options.node == node.id }
    /// Whether sockets of other processes may be selected.
    private func includesOthers(_ options: BroadcastOptions) -> Bool { !options.flags.local && options.node != node.id }

    /// Sends a packet to the selected sockets. Local sockets get it immediately, even if sending it to other nodes fails.
    ///
    /// Returns when the message has its place in the lane of the namespace; it waits only if the lane is full. Then the message is written
    /// until it succeeds, for at most ``ClusterConfiguration/writeTimeout``. What fails after this returns is reported to
    /// `AdapterContext.onUndelivered`, counted, and affects ``ClusterNode/health``.
    ///
    /// With `flags.confirmed`, returns when the message is durably written, so that every node that is alive gets it. Volatile messages
    /// never wait, and are dropped and counted if the lane is full.
    ///
    /// - Throws: ``ClusterError`` with `notSent`, `tooLarge`, `unsupported` or `closed` if no other node gets the packet, with `unknown` if
    ///   they may.
    public func broadcast(_ packet: BroadcastPacket, to options: BroadcastOptions) async throws {
        guard includesOthers(options), includesLocal(options), let mover else {
            if includesLocal(options) { local.deliver(packet, to: options) }
            guard includesOthers(options) else { return }
            return try await node.runner.send(
                .broadcast(packet, options),
                namespace: namespace,
                target: options.node,
                id: packet.offset,
                certainty: options.flags.certainty
            )
        }
        try await node.runner.send(
            .broadcast(packet, options),
            namespace: namespace,
            id: packet.offset,
            certainty: options.flags.certainty
        ) { enqueue in
            mover.emit(packet, to: options, enqueue)
        }
    }

    /// Sends an event to the selected sockets and collects their acknowledgements, from all nodes.
    ///
    /// - Throws: ``ClusterError`` with `tooLarge` or `unsupported` if the event can never be written for other nodes. Then no socket gets it,
    ///   those of this process included.
    public func broadcastWithAck(_ packet: BroadcastPacket, to options: BroadcastOptions) async throws -> BroadcastAcknowledgements {
        let body = ClusterBody.broadcastWithAck(packet, options)
        if includesOthers(options), let refusal = node.runner.refusal(of: body, in: namespace) { throw refusal }
        let stream = BroadcastAcknowledgements(bufferLimit: max(1, node.configuration.maximumBufferedAcknowledgements))
        var counting: (@Sendable () async -> Void)?
        if includesLocal(options) {
            counting = local.beginDelivery(packet, to: options, acknowledgements: stream, part: stream.addPart())
        }
        if options.flags.expectSingleResponse, let count = counting.take() {
            await count()
            // The one socket is here, so no other node has to be asked.
            if stream.summary.expected > 0 {
                stream.seal()
                return stream
            }
        }
        if includesOthers(options) {
            node.runner.requestAcknowledgements(body, options: options, namespace: namespace, stream: stream)
        } else {
            stream.seal()
        }
        await counting?()
        return stream
    }

    /// Makes the selected sockets join rooms.
    ///
    /// - Throws: As ``broadcast(_:to:)``.
    public func addSockets(_ options: BroadcastOptions, to rooms: [Room]) async throws {
        if includesLocal(options) { try await local.addSockets(options, to: rooms) }
        try await send(.addSockets(options, rooms: rooms), options)
    }

    /// Makes the selected sockets leave rooms.
    ///
    /// - Throws: As ``broadcast(_:to:)``.
    public func removeSockets(_ options: BroadcastOptions, from rooms: [Room]) async throws {
        if includesLocal(options) { try await local.removeSockets(options, from: rooms) }
        try await send(.removeSockets(options, rooms: rooms), options)
    }

    /// Disconnects the selected sockets.
    ///
    /// - Throws: As ``broadcast(_:to:)``.
    public func disconnectSockets(_ options: BroadcastOptions, closeConnection: Bool) async throws {
        if includesLocal(options) { try await local.disconnectSockets(options, closeConnection: closeConnection) }
        try await send(.disconnectSockets(options, closeConnection: closeConnection), options)
    }

    private func send(_ body: ClusterBody, _ options: BroadcastOptions) async throws {
        guard includesOthers(options) else { return }
        let certainty: Outgoing.Certainty = options.flags.confirmed ? .confirmed : .accepted
        try await node.runner.send(body, namespace: namespace, target: options.node, certainty: certainty)
    }

    /// Sends an event to the other nodes.
    ///
    /// - Throws: As ``broadcast(_:to:)``.
    public func serverSideEmit(_ arguments: EventArguments, confirmed: Bool) async throws {
        try await node.runner.send(.serverSideEmit(arguments), namespace: namespace, certainty: confirmed ? .confirmed : .accepted)
    }

    // MARK: Requests

    /// Describes the selected sockets of all nodes.
    ///
    /// - Throws: ``SocketIOCore/IncompleteResponseError`` if nodes did not answer in time, left or died; it carries what arrived.
    ///   ``ClusterError`` if none could be asked.
    public func fetchSockets(_ options: BroadcastOptions) async throws -> [SocketDescription] {
        var sockets = includesLocal(options) ? try await local.fetchSockets(options) : []
        for index in sockets.indices { sockets[index].node = node.id }
        guard includesOthers(options) else { return sockets }
        let result = await ask(.fetchSockets(options), options)
        // Rust nodes name a socket once for each room that selects it, and one that is moving may be on two nodes.
        var ids = NameSet(sockets.map(\.id))
        for case .fetchSocketsAnswer(let others, _) in result.answers {
            for socket in others where ids.insert(socket.id).inserted { sockets.append(socket) }
        }
        try result.check(partial: sockets)
        return sockets
    }

    /// The rooms that the selected sockets of all nodes are in.
    ///
    /// - Throws: As ``fetchSockets(_:)``.
    public func rooms(_ options: BroadcastOptions) async throws -> NameSet {
        var rooms = includesLocal(options) ? try await local.rooms(options) : []
        guard includesOthers(options) else { return rooms }
        let result = await ask(.rooms(options), options)
        for case .roomsAnswer(let others) in result.answers { rooms.formUnion(others) }
        try result.check(partial: rooms)
        return rooms
    }

    private func ask(_ body: ClusterBody, _ options: BroadcastOptions) async -> PendingRequestsStateMachine.RequestResult {
        await node.runner.request(body, namespace: namespace, target: options.node, timeout: options.flags.timeout)
    }

    /// Sends an event to the other nodes and collects their answers, one of each that has a handler for it.
    ///
    /// - Throws: As ``fetchSockets(_:)``.
    public func serverSideEmitWithAck(_ arguments: EventArguments, timeout: Duration?) async throws -> [EventArguments] {
        let timeout = timeout ?? node.configuration.requestTimeout
        let body = ClusterBody.serverSideEmitWithAck(arguments, timeout: timeout)
        let result = await node.runner.request(body, namespace: namespace, target: nil, timeout: timeout)
        var answers: [EventArguments] = []
        for case .serverSideEmitAnswer(let answer) in result.answers { answers.append(answer) }
        try result.check(partial: answers)
        return answers
    }

    // MARK: Recovery

    /// The random characters and the id of this node.
    public func makeSessionID(_ random: String) -> String { ClusterSessionID.make(random, node: node.id) }

    /// The id; if snapshots are on, followed by the position of the calling event loop.
    public func makeOffset(_ id: MessageID) -> String { mover?.makeOffset(id) ?? id.description }

    /// Parks the session in this process. If there are nodes of another implementation, it is written for them too.
    public func parkSession(of socket: any LocalSocket, _ session: RecoverableSession) -> Bool {
        mover?.park(session, of: socket) ?? false
    }

    /// Writes a packet that was given to a single socket of this process, for a node of another implementation to which its client may
    /// move. It is left out if too many messages are queued; that node then lacks it.
    public func emitted(_ packet: BroadcastPacket, to id: SocketID) { mover?.emitted(packet, to: id) }

    /// Restores the session of a client that has returned: from this process, or from the node that has it.
    ///
    /// A session that is not covered, for instance because its node is gone or because messages were lost, is not restored.
    public func restoreSession(pid: String, offset: String?, to claimant: any SessionClaimant) async -> Bool {
        await mover?.restore(pid: pid, offset: offset, to: claimant) ?? false
    }
}

extension BroadcastFlags {
    /// What the sender of an event waits for.
    fileprivate var certainty: Outgoing.Certainty { volatile ? .volatile : confirmed ? .confirmed : .accepted }
}

extension PendingRequestsStateMachine.RequestResult {
    /// Throws if the answers are not complete.
    fileprivate func check<Response: Sendable>(partial: Response) throws {
        if !missing.isEmpty { throw IncompleteResponseError(partial: partial, missingNodes: missing) }
        if let error { throw error }
    }
}
