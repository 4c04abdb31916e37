// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import SocketIOConcurrency

/// What the adapter of a cluster needs to move sessions between processes.
extension CoreLocalAdapter {
    /// A session that its socket has handed over, with the packets that its client has missed.
    package struct HandedOverSession: Sendable {
        package var session: RecoverableSession
        /// The packets after the client's offset.
        package var missed: [BroadcastPacket]
    }

    /// Whether sessions can be recovered.
    package var recovers: Bool { handover.limits != nil }

    /// The event loop that the caller runs on, if it is one of the server's.
    package var currentLoop: (any EventLoop)? { loops.first { $0.inEventLoop } }

    /// Returns a latch that opens when every loop has applied what it was handed before.
    package func caughtUp() -> Latch {
        let latch = Latch(count: loops.count)
        for loop in loops { loop.execute { latch.countDown() } }
        return latch
    }

    /// Enqueues the delivery of a packet to the selected sockets of other loops.
    ///
    /// - Parameters:
    ///   - packet: The packet.
    ///   - options: The selection.
    ///   - position: The position of each loop after it has delivered the packet; nil if it does not change.
    /// - Returns: A function that delivers it on the calling loop, if that is one of the server's; it must be called at once.
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
                // An earlier packet may still be waiting to be delivered here.
                if let position { loop.execute { shard.value.position = position } }
            }
        }
    }

    /// Makes the loop that has a session hand it over, in order with deliveries. Must not be called on a loop.
    ///
    /// - Returns: A function that waits for the session; its result is nil if there is none, or if the client's offset is not covered.
    package func beginHandover(pid: String, offset: MessageID?) -> @Sendable () async -> HandedOverSession? {
        let pending = handover.enqueueMove {
            loops.map { loop in loop.submit { [self] in handOver(pid: pid, offset: offset) } }
        }
        return {
            var result: HandedOverSession?
            for future in pending {
                let session = try? await future.get()
                result = (session ?? nil) ?? result
            }
            return result
        }
    }

    /// A parked session that leaves with its node.
    package struct ParkedSession: Sendable {
        package var session: RecoverableSession
        /// The time since its client disconnected.
        package var age: TimeAmount
    }

    /// How long sessions are kept.
    package var sessionRetention: Duration { handover.limits?.retention ?? .zero }

    /// Makes all loops hand over their parked sessions, in order with deliveries. Must not be called on a loop.
    ///
    /// - Returns: A function that waits for them.
    package func beginHandingOverParkedSessions() -> @Sendable () async -> [ParkedSession] {
        let pending = handover.enqueueMove {
            loops.map { loop in loop.submit { [self] in handOverParkedSessions(on: loop) } }
        }
        return {
            var result: [ParkedSession] = []
            for future in pending { result += (try? await future.get()) ?? [] }
            return result
        }
    }

    private func handOverParkedSessions(on loop: any EventLoop) -> [ParkedSession] {
        let index = index(of: loop)
        let now = loop.now
        let parked = index.members.values.compactMap { $0.isParked ? $0.socket as? ParkedSocket : nil }
        return parked.compactMap { socket in
            guard var session = socket.handOverSession() else { return nil }
            session.state.rooms = index.rooms(of: socket.id)
            index.remove(socket.id)
            countParked(-1)
            return ParkedSession(session: session, age: now - socket.since)
        }
    }

    /// Discards a parked session, if it is here.
    package func discardSession(pid: String) {
        for loop in loops {
            loop.execute { [self] in
                let index = index(of: loop)
                guard let member = index.member(pid: pid), member.isParked else { return }
                index.remove(member.socket.id)
                countParked(-1)
            }
        }
    }

    /// Restores a session of another node for a client that has returned. On the client's loop.
    ///
    /// - Parameters:
    ///   - state: The state of the session.
    ///   - pid: The private session id.
    ///   - missed: The packets that the client has missed.
    ///   - offset: The last packet that the client has received; nil if it has received none.
    ///   - claimant: Makes the new socket.
    /// - Returns: Whether the session was restored; if not, the client has disconnected again, or the session is too large to be kept.
    package func restore(
        _ state: SessionState,
        pid: String,
        missed: [BroadcastPacket],
        after offset: MessageID?,
        to claimant: any SessionClaimant
    ) -> Bool {
        guard mayKeep(state.data, of: state.id), addSocket(state.id, pid: pid, rooms: state.rooms, of: claimant) else { return false }
        claimant.resume(state, missed: missed, after: offset)
        return true
    }
}
