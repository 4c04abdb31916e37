// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
import SocketIOConcurrency
import SocketIOText
import Synchronization

/// The bounds of connection state recovery in one namespace of a process.
public struct RecoveryLimits: Sendable, Hashable {
    /// The maximum number of parked sessions on each event loop; additional ones are not kept. Default: 10 000.
    public var sessions: Int
    /// The bounds of the packets that are kept for each session.
    public var buffer: RecoveryBuffer.Limit
    /// How long a session is kept after its client has disconnected. Default: 2 minutes.
    public var retention: Duration

    /// Creates limits.
    public init(sessions: Int = 10_000, buffer: RecoveryBuffer.Limit = .init(), retention: Duration = .seconds(120)) {
        self.sessions = sessions
        self.buffer = buffer
        self.retention = retention
    }
}

/// Orders broadcasts and the move of a session from one event loop to another.
///
/// The claimant's loop starts to collect packets before the owner's loop stops. A broadcast could still miss both, if its sender was
/// between its two hops: it reached the claimant before that collected, and the owner after that stopped. Or it could reach both, if the
/// claimant lags behind, although the client already has it. Hence senders enqueue their hops, and a move its two, under one lock.
struct RecoveryHandover: ~Copyable {
    let limits: RecoveryLimits?
    private let lock = Mutex<Void>(())

    init(limits: RecoveryLimits?) { self.limits = limits }

    func fanOut(loops: Int, _ enqueue: () -> Void) {
        if limits == nil || loops == 1 { enqueue() } else { lock.withLock { _ in enqueue() } }
    }

    func enqueueMove<T>(_ enqueue: () -> T) -> T { lock.withLock { _ in enqueue() } }
}

extension CoreLocalAdapter {
    /// Parks the session of a socket whose client has lost its connection: the socket is replaced by one that collects the packets that it
    /// would have got. On the socket's loop.
    ///
    /// - Returns: Whether the session is kept; false if recovery is off, the limit is reached or the socket has left.
    public func parkSession(of socket: any LocalSocket, _ session: RecoverableSession) -> Bool {
        let index = index(of: socket.eventLoop)
        guard let limits = handover.limits, index.parkedCount < limits.sessions else { return false }
        let parked = index.park(socket, as: ParkedSocket(session, eventLoop: socket.eventLoop))
        if parked {
            countSockets(-1)
            countParked(1)
        }
        return parked
    }

    /// Whether the data of a socket is small enough to be kept for it, here or elsewhere. Reports it if not.
    package func mayKeep(_ data: EncodedValue, of id: SocketID) -> Bool {
        guard !isSmallEnough(data) else { return true }
        onLimit?(.session(of: id, bytes: data.bytes.readableBytes))
        return false
    }

    /// The same without a report, for what is asked again and again.
    func isSmallEnough(_ data: EncodedValue) -> Bool { data.bytes.readableBytes <= descriptionBytes }

    /// Calls `body` when the parked session of this socket is claimed. On the loop where it is parked.
    ///
    /// - Returns: Whether there is such a session.
    package func whenSessionIsClaimed(id: SocketID, on loop: any EventLoop, _ body: @escaping () -> Void) -> Bool {
        guard let parked = index(of: loop).member(id)?.socket as? ParkedSocket else { return false }
        parked.onClaim.value = body
        return true
    }

    /// Discards a parked session whose client has been away for too long. On the loop where it is parked.
    ///
    /// - Returns: Whether it was there.
    @discardableResult
    public func discardSession(id: SocketID, pid: String, on loop: any EventLoop) -> Bool {
        let index = index(of: loop)
        guard let member = index.member(pid: pid), member.isParked, member.socket.id == id else { return false }
        index.remove(id)
        countParked(-1)
        return true
    }

    /// Restores a session of this process for a client that has returned. See ``Adapter/restoreSession(pid:offset:to:)``.
    public func restoreSession(pid: String, offset: String?, to claimant: any SessionClaimant) async -> Bool {
        guard let offset = RecoveryOffset.parse(offset) else { return false }
        return await restoreSession(pid: pid, after: offset?.id, to: claimant)
    }

    /// The same with the id of the last packet that the client has received; nil if it has received none.
    package func restoreSession(pid: String, after offset: MessageID?, to claimant: any SessionClaimant) async -> Bool {
        guard recovers, let owner = await findOwner(of: pid) else { return false }
        if owner.loop === claimant.eventLoop {
            return await run(on: owner.loop) { [self] in restoreOnLoop(pid: pid, after: offset, to: claimant) }
        }
        return await move(pid: pid, after: offset, from: owner, to: claimant)
    }

    private struct Owner: Sendable {
        var loop: any EventLoop
        var id: SocketID
        var rooms: NameSet
    }

    private func findOwner(of pid: String) async -> Owner? {
        for (loop, shard) in zip(loops, shards) {
            let owner: Owner? = await run(on: loop) {
                let index = shard.value
                return index.member(pid: pid).map { Owner(loop: loop, id: $0.socket.id, rooms: index.rooms(of: $0.socket.id)) }
            }
            if let owner { return owner }
        }
        return nil
    }

    /// Makes the owner of a session hand it over. On the owner's loop.
    ///
    /// - Returns: The session; nil if there is none, or if the client's offset is not covered.
    func handOver(pid: String, offset: MessageID?) -> HandedOverSession? {
        guard let index = loops.first(where: { $0.inEventLoop }).map({ self.index(of: $0) }), let member = index.member(pid: pid),
            member.presence != .leaving
        else {
            return nil
        }
        let rooms = index.rooms(of: member.socket.id)
        guard var session = member.socket.handOverSession() else { return nil }
        session.state.rooms = rooms
        // A socket that was connected has removed itself.
        let own = index.count
        let parked = index.parkedCount
        index.remove(session.state.id)
        countSockets(index.count - own)
        countParked(index.parkedCount - parked)
        return session.buffer.packets(after: offset).map { HandedOverSession(session: session, missed: $0) }
    }

    /// Owner and claimant share a loop: nothing can be delivered in between.
    private func restoreOnLoop(pid: String, after offset: MessageID?, to claimant: any SessionClaimant) -> Bool {
        guard let claimed = handOver(pid: pid, offset: offset) else { return false }
        let state = claimed.session.state
        guard addSocket(state.id, pid: pid, rooms: state.rooms, of: claimant) else { return false }
        claimant.resume(state, missed: claimed.missed, after: offset)
        return true
    }

    private func move(pid: String, after offset: MessageID?, from owner: Owner, to claimant: any SessionClaimant) async -> Bool {
        // Enqueued, even on the claimant's own loop: what the owner had delivered when it was found was delivered there before.
        let started = handover.enqueueMove {
            claimant.eventLoop.submit { [self] in addSocket(owner.id, pid: pid, rooms: owner.rooms, of: claimant) }
        }
        guard (try? await started.get()) ?? false else { return false }
        let handedOver = handover.enqueueMove { owner.loop.submit { [self] in handOver(pid: pid, offset: offset) } }
        let result = try? await handedOver.get()
        return await run(on: claimant.eventLoop) {
            // If the rooms changed after the owner was found, the packets that were collected are not those of the session.
            guard let claimed = result ?? nil, claimed.session.state.rooms == owner.rooms else {
                claimant.abandon()
                return false
            }
            claimant.resume(claimed.session.state, missed: claimed.missed, after: offset)
            self.index(of: claimant.eventLoop).onSession?(.changed(pid: pid))
            return true
        }
    }

    /// Adds the claimant's socket, which collects the packets for its rooms from here on.
    func addSocket(_ id: SocketID, pid: String, rooms: NameSet, of claimant: any SessionClaimant) -> Bool {
        guard let socket = claimant.makeSocket(id: id, pid: pid) else { return false }
        guard add(socket, pid: pid) else {
            claimant.abandon()
            return false
        }
        join(socket, rooms: Array(rooms))
        return true
    }

    private func run<T: Sendable>(on loop: any EventLoop, _ body: @escaping @Sendable () -> T) async -> T {
        if loop.inEventLoop { return body() }
        return await withCheckedContinuation { continuation in
            loop.execute { continuation.resume(returning: body()) }
        }
    }
}

/// Replaces a socket whose client has lost its connection, and collects the packets that it misses.
final class ParkedSocket: LocalSocket {
    let id: SocketID
    let eventLoop: any EventLoop
    /// When its client disconnected.
    let since: NIODeadline
    private let session: LoopBoundBox<RecoverableSession>
    let onClaim: LoopBoundBox<(() -> Void)?>

    init(_ session: RecoverableSession, eventLoop: any EventLoop) {
        self.id = session.state.id
        self.eventLoop = eventLoop
        self.since = eventLoop.now
        self.session = LoopBoundBox(session, to: eventLoop)
        self.onClaim = LoopBoundBox(nil, to: eventLoop)
    }

    func deliver(_ packet: BroadcastPacket, flags: BroadcastFlags) { session.value.buffer.append(packet, pings: .max) }
    func deliver(_ packet: BroadcastPacket, acknowledgement id: UInt64, to acknowledgements: AcknowledgementSink) {
        acknowledgements.clientIsGone()
    }
    func forgetAcknowledgement(_ id: UInt64) {}
    func describe() -> SocketDescription { SocketDescription(id: id, handshake: Handshake(), data: session.value.state.data) }
    func disconnect(closeConnection: Bool) {}
    func handOverSession() -> RecoverableSession? {
        onClaim.value?()
        onClaim.value = nil
        return session.value
    }
}
