// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import Logging
import NIOCore
import SocketIOConcurrency
public import SocketIOCore
import SocketIOText
import Synchronization

/// Sessions that outlive a crash of their node: while their clients are connected, copies of them are kept in the backend.
///
/// What a client has missed is then in the logs of all other nodes. It tells with its offset how far it came: besides the id of the last
/// packet that it got there is a broadcast in it, after which everything came to the client later or not at all. Each event loop knows
/// which broadcast that is now; see ``SocketIOCore/RecoveryOffset``.
extension ClusterAdapter {
    // MARK: Offsets

    /// The id, and how far the calling event loop has come.
    public func makeOffset(_ id: MessageID) -> String {
        guard snapshots != nil else { return id.description }
        let position = local.positionOfCurrentLoop ?? recovery.withLock { $0.position }
        return RecoveryOffset(id: id, position: position).description
    }

    /// Starts to keep copies of sessions. A broadcast to nobody gives this node its first place in the stream: all others get to know it.
    /// Returns when it has come back, so that no client has to do without, or after the time that a start may take.
    func startSnapshots() async {
        guard let snapshots else { return }
        snapshots.start()
        let id = node.makeID()
        let packet = BroadcastPacket(EncodedPacket(message: ByteBuffer(), isBinary: local.format == .messagePack), offset: id)
        let options = BroadcastOptions(rooms: [id.description])
        var actions: [ClusterStateMachine.Action] = []
        deliverInOrder(packet, to: options) {
            actions = node.step { state in
                let deadline = state.machine.writeDeadline(now: node.now)
                return state.machine.send(Outgoing(namespace: namespace, body: .broadcast(packet, options), id: id, deadline: deadline))
            }
        }
        node.perform(actions)
        await ownPositions.firstArrival(atMost: node.configuration.settleTimeout)
    }

    // MARK: The node that the client has come to

    /// How long to wait for the answers of nodes that may have crashed: until that is noticed; nil for the usual time.
    var patience: Duration? {
        snapshots == nil ? nil : node.configuration.heartbeatTimeout + node.configuration.heartbeatInterval * 2
    }

    /// Asks all nodes, and if all that are alive have said no looks for what a dead one has left.
    ///
    /// That they are asked first also makes a node that was only taken for dead give its session up, when it reads on.
    func findCopy(pid: String, offset: RecoveryOffset?, mark: RecoveryLog.Mark) async -> Found? {
        let before = node.nodes
        let body = ClusterBody.claimSession(pid: pid, offset: offset?.id)
        let result = await node.request(body, namespace: namespace, target: nil, timeout: patience)
        if let session = result.session { return Found(session: session, mark: mark) }
        let after = Set(node.nodes)
        let areGone = result.missing.allSatisfy { id in !before.contains { $0.id == id && after.contains($0) } }
        guard result.error == nil, areGone else { return nil }
        let found = await takeCopy(pid: pid, offset: offset)
        if found != nil, before.isEmpty { tellAll(body) }
        return found
    }

    /// Nobody is known who could have been asked; but a node may be there that was only taken for dead.
    private func tellAll(_ body: ClusterBody) {
        node.perform { machine, now in
            machine.send(Outgoing(namespace: namespace, body: body, deadline: machine.writeDeadline(now: now)))
        }
    }

    private func takeCopy(pid: String, offset: RecoveryOffset?) async -> Found? {
        guard let store = node.driver.snapshotStore else { return nil }
        let mayTake = recovery.withLock { $0.mayHaveStored || $0.mayCover(offset, now: node.now) }
        guard mayTake else { return nil }
        do {
            guard let stored = try await store.take(pid, in: namespace, sparing: Set(node.nodes + [node.identity])) else { return nil }
            return stored.isSnapshot ? try restore(stored, offset: offset) : try resume(stored, offset: offset?.id)
        } catch {
            node.log.session("a stored session could not be read", ["error": "\(QuotedText("\(error)", limit: 300))"])
            return nil
        }
    }

    /// A session that its node had until it crashed. What it missed is in the log alone.
    private func restore(_ stored: StoredSession, offset: RecoveryOffset?) throws -> Found? {
        let snapshot = try ClusterPayloadCoder.decodeSnapshot(stored.payload)
        guard let mark = recovery.withLock({ $0.mark(for: snapshot, after: offset, now: node.now) }) else { return nil }
        let session = ClaimedSession(
            id: snapshot.id,
            rooms: snapshot.rooms,
            data: snapshot.data,
            missed: [],
            known: offset.map { [$0.id] } ?? [],
            positions: []
        )
        return Found(session: session, mark: mark, start: snapshot.start)
    }

    /// A session that its node has given up when it left.
    private func resume(_ stored: StoredSession, offset: MessageID?) throws -> Found? {
        guard let stored = try read(stored), let session = stored.content.session(after: offset) else { return nil }
        return Found(session: session, mark: stored.mark)
    }
}

extension ClusterNode {
    /// Who this node is in its present life.
    var identity: NodeIdentity { state.withLock { $0.machine.identity } }
}

/// Tells the event loops how far the node has come with the return of its own broadcasts: in one hop for all that come back meanwhile.
final class PositionFeed: Sendable {
    private struct State {
        var isUnderWay = false
        var next: MessageID?
        var hasArrived = false
    }

    private let local: CoreLocalAdapter
    private let first = Signal()
    private let state = Mutex(State())

    init(local: CoreLocalAdapter) { self.local = local }

    func advance(to position: MessageID) {
        let starts = state.withLock { state in
            if state.isUnderWay { state.next = position }
            defer { state.isUnderWay = true }
            return !state.isUnderWay
        }
        if starts { send(position) }
    }

    /// A broadcast of another node takes a later position to the loops.
    func wasOvertaken() { state.withLock { $0.next = nil } }

    private func send(_ position: MessageID) {
        local.enqueuePosition(position) { [weak self] in self?.arrived() }
    }

    /// Returns when the loops have been told something.
    func firstArrival(atMost limit: Duration) async { await first.wait(atMost: limit) }

    private func arrived() {
        let (next, isFirst) = state.withLock { state in
            defer { state.hasArrived = true }
            state.isUnderWay = state.next != nil
            return (state.next.take(), !state.hasArrived)
        }
        if isFirst { first.raise() }
        if let next { send(next) }
    }
}
