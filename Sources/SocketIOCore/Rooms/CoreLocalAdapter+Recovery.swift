// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
import SocketIOConcurrency
import SocketIOText
import Synchronization

/// How much connection state recovery keeps in one namespace of a process.
public struct RecoveryLimits: Sendable, Hashable {
    /// The number of sessions whose client is away, for each event loop; further ones are not kept. Default: 10 000.
    public var sessions: Int
    /// What is kept for each session.
    public var buffer: RecoveryBuffer.Limit
    /// How long a session is kept. Default: 2 minutes.
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
/// The claimant's loop starts to collect before the owner's loop stops. A broadcast could still miss both, if its sender was between
/// its two hops meanwhile: reached the claimant before it collected, and the owner after it stopped. Or it could reach both, if the
/// claimant lags behind: the client had it long before. Hence senders enqueue their hops, and the move its two, under one lock.
struct RecoveryHandover: ~Copyable {
    let limits: RecoveryLimits?
    private let lock = Mutex<Void>(())

    init(limits: RecoveryLimits?) { self.limits = limits }

    func fanOut(loops: Int, _ enqueue: () -> Void) {
        if limits == nil || loops == 1 { enqueue() } else { lock.withLock { _ in enqueue() } }
    }

    func claim<T>(_ enqueue: () -> T) -> T {
        lock.withLock { _ in enqueue() }
    }
}

extension CoreLocalAdapter {
    /// Keeps the session of a socket whose client is away: the socket's place is taken by one that collects what it would have got.
    /// On the socket's loop.
    ///
    /// - Returns: Whether it is kept; false if recovery is off, the limit is reached or the socket is gone.
    public func persistSession(of socket: any LocalSocket, _ session: RecoverableSession) -> Bool {
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
        let bytes = data.bytes.readableBytes
        if bytes > descriptionBytes { onLimit?(.session(of: id, bytes: bytes)) }
        return bytes <= descriptionBytes
    }

    /// Calls `body` when a client has come back for the session that is kept under this id. On the loop where it is kept.
    ///
    /// - Returns: Whether there is such a session.
    package func whenSessionIsClaimed(id: SocketID, on loop: any EventLoop, _ body: @escaping () -> Void) -> Bool {
        guard let parked = index(of: loop).member(id)?.socket as? ParkedSocket else { return false }
        parked.onClaim.value = body
        return true
    }

    /// Forgets a session whose client has been away for too long. On the loop where it was kept.
    ///
    /// - Returns: Whether it was there.
    @discardableResult
    public func dropSession(id: SocketID, pid: String, on loop: any EventLoop) -> Bool {
        let index = index(of: loop)
        guard let member = index.member(pid: pid), member.isParked, member.socket.id == id else { return false }
        index.remove(id)
        countParked(-1)
        return true
    }

    /// Gives a session of this process to a client that has come back. See ``Adapter/restoreSession(pid:offset:to:)``.
    public func restoreSession(pid: String, offset: String?, to claimant: any SessionClaimant) async -> Bool {
        guard handover.limits != nil else { return false }
        let position = offset.flatMap { RecoveryOffset($0) }?.id
        guard (offset == nil) == (position == nil), let owner = await findOwner(of: pid) else { return false }
        if owner.loop === claimant.eventLoop {
            return await run(on: owner.loop) { [self] in restore(pid: pid, offset: position, to: claimant) }
        }
        return await move(pid: pid, offset: position, from: owner, to: claimant)
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

    /// Takes the session from its owner if the offset is covered. On the owner's loop.
    func claim(pid: String, offset: MessageID?) -> (session: RecoverableSession, missed: [BroadcastPacket])? {
        guard let index = loops.first(where: { $0.inEventLoop }).map({ self.index(of: $0) }), let member = index.member(pid: pid),
            member.presence != .leaving
        else {
            return nil
        }
        let rooms = index.rooms(of: member.socket.id)
        guard var session = member.socket.surrenderSession() else { return nil }
        session.rooms = rooms
        // A socket that was connected has removed itself.
        let own = index.count
        let parked = index.parkedCount
        index.remove(session.id)
        countSockets(index.count - own)
        countParked(index.parkedCount - parked)
        return session.buffer.packets(after: offset).map { (session, $0) }
    }

    /// Owner and claimant share a loop: nothing can come between.
    private func restore(pid: String, offset: MessageID?, to claimant: any SessionClaimant) -> Bool {
        guard let (session, missed) = claim(pid: pid, offset: offset), take(session.id, pid: pid, rooms: session.rooms, for: claimant)
        else {
            return false
        }
        claimant.resume(session, missed: missed)
        return true
    }

    private func move(pid: String, offset: MessageID?, from owner: Owner, to claimant: any SessionClaimant) async -> Bool {
        // Enqueued, even on the claimant's own loop: what the owner had delivered when it was found has passed there before.
        let started = handover.claim { claimant.eventLoop.submit { [self] in take(owner.id, pid: pid, rooms: owner.rooms, for: claimant) } }
        guard (try? await started.get()) ?? false else { return false }
        let claimed = handover.claim {
            owner.loop.submit { [self] in claim(pid: pid, offset: offset).map { Claimed(session: $0.session, missed: $0.missed) } }
        }
        let result = try? await claimed.get()
        return await run(on: claimant.eventLoop) {
            // The rooms changed between the two looks at them: what was collected is not what the session would have got.
            guard let claimed = result ?? nil, claimed.session.rooms == owner.rooms else {
                claimant.abandon()
                return false
            }
            claimant.resume(claimed.session, missed: claimed.missed)
            self.index(of: claimant.eventLoop).onSession?(.changed(pid: pid))
            return true
        }
    }

    /// Makes the claimant's socket, which collects what comes for its rooms from here on.
    private func take(_ id: SocketID, pid: String, rooms: NameSet, for claimant: any SessionClaimant) -> Bool {
        guard let socket = claimant.makeSocket(id: id, pid: pid) else { return false }
        guard add(socket, pid: pid) else {
            claimant.abandon()
            return false
        }
        join(socket, rooms: Array(rooms))
        return true
    }

    private struct Claimed: Sendable {
        var session: RecoverableSession
        var missed: [BroadcastPacket]
    }

    private func run<T: Sendable>(on loop: any EventLoop, _ body: @escaping @Sendable () -> T) async -> T {
        if loop.inEventLoop { return body() }
        return await withCheckedContinuation { continuation in
            loop.execute { continuation.resume(returning: body()) }
        }
    }
}

/// Stands in for a socket whose client is away, and collects what it misses.
final class ParkedSocket: LocalSocket {
    let id: SocketID
    let eventLoop: any EventLoop
    /// When its client was seen to be away.
    let since: NIODeadline
    private let session: LoopBoundBox<RecoverableSession>
    let onClaim: LoopBoundBox<(() -> Void)?>

    init(_ session: RecoverableSession, eventLoop: any EventLoop) {
        self.id = session.id
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
    func describe() -> SocketDescription { SocketDescription(id: id, handshake: Handshake(), data: session.value.data) }
    func disconnect(closeConnection: Bool) {}
    func surrenderSession() -> RecoverableSession? {
        onClaim.value?()
        onClaim.value = nil
        return session.value
    }
}
