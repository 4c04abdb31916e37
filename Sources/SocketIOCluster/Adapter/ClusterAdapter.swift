// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore
public import SocketIOCore
public import SocketIOText
import Synchronization

/// The adapter of one namespace of a ``ClusterNode``: every operation is applied to the sockets of this process first, then told to the
/// other nodes.
public final class ClusterAdapter: Adapter {
    /// The namespace's name.
    let namespace: String
    let node: ClusterNode
    let context: AdapterContext
    /// Puts what this node emits, what others emit and the moves of sessions into one order.
    let recovery: Mutex<RecoveryStateMachine>
    /// Keeps copies of the sessions; nil unless ``ClusterConfiguration/snapshotsSessions`` is on.
    let snapshots: SnapshotKeeper?
    /// Tells the loops how far the node has come with the return of its own broadcasts.
    let ownPositions: PositionFeed

    init(node: ClusterNode, context: AdapterContext) {
        self.node = node
        self.context = context
        self.namespace = context.namespace
        let limits = RecoveryStateMachine.Limits(retention: TimeAmount(context.local.sessionRetention))
        self.snapshots = SnapshotKeeper(node: node, namespace: context.namespace, local: context.local)
        self.ownPositions = PositionFeed(local: context.local)
        let driver = node.driver
        let machine = RecoveryStateMachine(node: node.id, limits, keepsUnseen: driver.keepsSessions, keepsLog: snapshots != nil)
        self.recovery = Mutex(machine)
    }

    /// The rooms of this process.
    public var local: CoreLocalAdapter { context.local }

    // MARK: Life

    /// Lets the messages of other nodes reach the namespace.
    public func start() async throws {
        node.register(self)
        await startSnapshots()
    }

    /// Ends that. If the node is going to leave, the sessions of clients that are away are stored for the others, within the time that the
    /// end of the node may take. Cancelling the task does not shorten it.
    public func close() async {
        await ClusterNode.shielded { [self] in
            let isComplete = await ClusterNode.wait(until: node.beginClosingNamespace()) { [self] in
                // A copy that is being written must not replace what is stored now.
                await snapshots?.stop()
                await storeSessions()
                await snapshots?.close()
            }
            if !isComplete { node.log.session("sessions could not be stored in time", ["nsp": "\(QuotedText(namespace))"]) }
            node.unregister(self)
        }
    }

    /// The number of nodes in the namespace, this one included. It counts those that are draining.
    public func serverCount() async throws -> Int { node.nodeCount(in: namespace) }

    // MARK: Messages

    /// Whether the sockets of this process can be among the selected ones.
    private func includesLocal(_ options: BroadcastOptions) -> Bool { options.node == nil || options.node == node.id }
    /// Whether the sockets of other processes can be.
    private func includesOthers(_ options: BroadcastOptions) -> Bool { !options.flags.local && options.node != node.id }

    /// Sends a packet to the selected sockets. Local sockets get it at once, whatever happens to the rest.
    ///
    /// It returns when the message is written for good, so that every node that is there gets it.
    ///
    /// - Throws: ``ClusterError`` with `notSent` or `tooLarge` if no other node gets the packet, with `unknown` if they may.
    public func broadcast(_ packet: BroadcastPacket, to options: BroadcastOptions) async throws {
        guard includesOthers(options), includesLocal(options), local.recovers else {
            if includesLocal(options) { local.deliver(packet, to: options) }
            guard includesOthers(options) else { return }
            return try await node.send(.broadcast(packet, options), namespace: namespace, target: options.node, id: packet.offset)
        }
        try await node.send(.broadcast(packet, options), namespace: namespace, id: packet.offset) { enqueue in
            self.deliverInOrder(packet, to: options, enqueue)
        }
    }

    /// Sends an event to the selected sockets and collects their acknowledgements, from all nodes.
    public func broadcastWithAck(_ packet: BroadcastPacket, to options: BroadcastOptions) async throws -> BroadcastAcknowledgements {
        let stream = BroadcastAcknowledgements(bufferLimit: max(1, node.configuration.maximumBufferedAcknowledgements))
        var counting: (@Sendable () async -> Void)?
        if includesLocal(options) {
            counting = local.beginDelivery(packet, to: options, acknowledgements: stream, part: stream.addPart())
        }
        if options.flags.expectSingleResponse, let count = counting.take() {
            await count()
            // The one socket is here: nobody else needs to be asked.
            if stream.summary.expected > 0 {
                stream.seal()
                return stream
            }
        }
        if includesOthers(options) {
            node.requestAcknowledgements(.broadcastWithAck(packet, options), options: options, namespace: namespace, stream: stream)
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

    /// Ends the selected sockets.
    ///
    /// - Throws: As ``broadcast(_:to:)``.
    public func disconnectSockets(_ options: BroadcastOptions, closeConnection: Bool) async throws {
        if includesLocal(options) { try await local.disconnectSockets(options, closeConnection: closeConnection) }
        try await send(.disconnectSockets(options, closeConnection: closeConnection), options)
    }

    private func send(_ body: ClusterBody, _ options: BroadcastOptions) async throws {
        guard includesOthers(options) else { return }
        try await node.send(body, namespace: namespace, target: options.node)
    }

    /// Sends an event to the other nodes.
    ///
    /// - Throws: As ``broadcast(_:to:)``.
    public func serverSideEmit(_ arguments: EventArguments) async throws {
        try await node.send(.serverSideEmit(arguments), namespace: namespace)
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
        for case .fetchSocketsAnswer(let others, _) in result.answers { sockets += others }
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
        await node.request(body, namespace: namespace, target: options.node, timeout: options.flags.timeout)
    }

    /// Sends an event to the other nodes and collects their answers, one of each that has a handler for it.
    ///
    /// - Throws: As ``fetchSockets(_:)``.
    public func serverSideEmitWithAck(_ arguments: EventArguments, timeout: Duration?) async throws -> [EventArguments] {
        let timeout = timeout ?? node.configuration.requestTimeout
        let body = ClusterBody.serverSideEmitWithAck(arguments, timeout: timeout)
        let result = await node.request(body, namespace: namespace, target: nil, timeout: timeout)
        var answers: [EventArguments] = []
        for case .serverSideEmitAnswer(let answer) in result.answers { answers.append(answer) }
        try result.check(partial: answers)
        return answers
    }
}

extension PendingRequestsStateMachine.RequestResult {
    /// Throws if the answers are not complete.
    fileprivate func check<Response: Sendable>(partial: Response) throws {
        if !missing.isEmpty { throw IncompleteResponseError(partial: partial, missingNodes: missing) }
        if let error { throw error }
    }
}
