// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore
import SocketIOConcurrency

/// What an adapter for many processes needs, so that sessions can move between them.
extension CoreLocalAdapter {
    /// A session that was given up, with what its client has missed.
    package struct SurrenderedSession: Sendable {
        package var session: RecoverableSession
        /// The packets after the client's offset.
        package var missed: [BroadcastPacket]
    }

    /// Whether sessions can be recovered.
    package var recovers: Bool { handover.limits != nil }

    /// The event loop that the caller runs on, if it is one of the server's.
    package var currentLoop: (any EventLoop)? { loops.first { $0.inEventLoop } }

    /// Puts a packet on its way to the selected sockets of other loops.
    ///
    /// - Parameters:
    ///   - packet: The packet.
    ///   - options: The selection.
    ///   - position: How far each loop has come when it has delivered the packet; nil if that does not change.
    /// - Returns: What delivers it on the calling loop, if that is one of the server's; to be called at once.
    package func enqueueDelivery(
        _ packet: BroadcastPacket,
        to options: BroadcastOptions,
        position: MessageID? = nil
    ) -> (() -> Void)? {
        let packet = charged(packet)
        let includingParked = packet.offset != nil
        let isAllowed = isAllowed(options)
        let deliver: @Sendable (RoomIndex) -> Void = { index in
            guard isAllowed else { return }
            index.forEach(rooms: options.rooms, except: options.except, includingParked: includingParked) { member in
                member.socket.deliver(packet, flags: options.flags)
            }
        }
        var own: (loop: any EventLoop, shard: LoopBound<RoomIndex>)?
        handover.fanOut(loops: loops.count) {
            for (loop, shard) in zip(loops, shards) {
                if loop.inEventLoop {
                    own = (loop, shard)
                } else {
                    loop.execute {
                        deliver(shard.value)
                        if let position { shard.value.position = position }
                    }
                }
            }
        }
        return own.map { loop, shard in
            {
                deliver(shard.value)
                // Something that comes before it may still wait to be delivered here.
                if let position { loop.execute { shard.value.position = position } }
            }
        }
    }

    /// Takes a session from whichever loop has it, in order with what is delivered. Not to be called on a loop.
    ///
    /// - Returns: What waits for the session; it is nil if there is none, or if the client's offset is not covered.
    package func beginClaim(pid: String, offset: MessageID?) -> @Sendable () async -> SurrenderedSession? {
        let pending = handover.claim {
            loops.map { loop in
                loop.submit { [self] in claim(pid: pid, offset: offset).map { SurrenderedSession(session: $0.session, missed: $0.missed) } }
            }
        }
        return {
            var result: SurrenderedSession?
            for future in pending {
                let session = try? await future.get()
                result = (session ?? nil) ?? result
            }
            return result
        }
    }

    /// A session that leaves with its node.
    package struct ParkedSession: Sendable {
        package var session: RecoverableSession
        /// How long its client has been away.
        package var age: TimeAmount
    }

    /// How long sessions are kept.
    package var sessionRetention: Duration { handover.limits?.retention ?? .zero }

    /// Takes all sessions whose clients are away, in order with what is delivered. Not to be called on a loop.
    ///
    /// - Returns: What waits for them.
    package func beginTakingParkedSessions() -> @Sendable () async -> [ParkedSession] {
        let pending = handover.claim {
            loops.map { loop in loop.submit { [self] in takeParkedSessions(on: loop) } }
        }
        return {
            var result: [ParkedSession] = []
            for future in pending { result += (try? await future.get()) ?? [] }
            return result
        }
    }

    private func takeParkedSessions(on loop: any EventLoop) -> [ParkedSession] {
        let index = index(of: loop)
        let now = loop.now
        let parked = index.members.values.compactMap { $0.isParked ? $0.socket as? ParkedSocket : nil }
        return parked.compactMap { socket in
            guard var session = socket.surrenderSession() else { return nil }
            session.rooms = index.rooms(of: socket.id)
            index.remove(socket.id)
            countParked(-1)
            return ParkedSession(session: session, age: now - socket.since)
        }
    }

    /// Forgets a session whose client is away, if it is here.
    package func dropParkedSession(pid: String) {
        for loop in loops {
            loop.execute { [self] in
                let index = index(of: loop)
                guard let member = index.member(pid: pid), member.isParked else { return }
                index.remove(member.socket.id)
                countParked(-1)
            }
        }
    }

    /// Gives a session of another node to a client that has come back. On the client's loop.
    ///
    /// - Returns: Whether the client was still there.
    package func adopt(
        _ session: RecoverableSession,
        missed: [BroadcastPacket],
        by claimant: any SessionClaimant
    ) -> Bool {
        let pid = session.pid
        guard mayKeep(session.data, of: session.id), let socket = claimant.makeSocket(id: session.id, pid: pid) else { return false }
        guard add(socket, pid: pid) else {
            claimant.abandon()
            return false
        }
        join(socket, rooms: Array(session.rooms))
        claimant.resume(session, missed: missed)
        return true
    }
}
