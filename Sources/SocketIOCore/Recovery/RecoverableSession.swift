// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import DequeModule
import EngineIOCore

/// A session that its client can recover: what connection state recovery keeps for a socket.
public struct RecoverableSession: Sendable {
    /// The private session id, known only to the client. It must not be logged.
    public var pid: String
    /// The state of the session.
    public var state: SessionState
    /// The packets that the client may have missed.
    public var buffer: RecoveryBuffer

    /// Creates a session.
    public init(pid: String, state: SessionState, buffer: RecoveryBuffer) {
        self.pid = pid
        self.state = state
        self.buffer = buffer
    }
}

/// The packets that were written to one socket's transport and may not have arrived, oldest first. Bounded.
///
/// A packet leaves the buffer when the client has answered a ping that was sent after it, or when the buffer is full. A session is only
/// recovered if the client's offset is still in the buffer.
public struct RecoveryBuffer: Sendable {
    /// The bounds of a buffer.
    public struct Limit: Sendable, Hashable {
        /// The number of packets.
        public var packets: Int
        /// The size of the packets in bytes. Each counts in full, although connections share them.
        public var bytes: Int

        /// Creates a limit. Default: 1 000 packets, 1 MiB.
        public init(packets: Int = 1_000, bytes: Int = 1 << 20) {
            self.packets = packets
            self.bytes = bytes
        }
    }

    private struct Entry: Sendable {
        var packet: BroadcastPacket
        /// How many pings had been sent before the packet.
        var pings: Int
    }

    private var entries: Deque<Entry> = []
    private var bytes = 0
    /// The offset of the packet that left last.
    package private(set) var base: MessageID?
    private let limit: Limit
    private let budget: RecoveryBudget?
    /// What the entries cost in addition to their packets.
    private var charges: [RecoveryBudget.Charge] = []

    /// Entries are charged in batches, so that the loops do not contend for the budget with every packet.
    private static var batch: Int { 32 }

    /// Creates an empty buffer.
    ///
    /// - Parameters:
    ///   - limit: Its bounds.
    ///   - base: The offset of the last packet that the client got before; nil if it got none.
    public init(limit: Limit = .init(), base: MessageID? = nil) {
        self.init(limit: limit, base: base, budget: nil)
    }

    /// The same with a budget that buffers share: a buffer that gets a packet while the budget is exceeded discards everything.
    package init(limit: Limit, base: MessageID?, budget: RecoveryBudget?) {
        self.limit = limit
        self.base = base
        self.budget = budget
    }

    /// The number of packets in the buffer.
    public var count: Int { entries.count }

    /// The offsets of the packets in the buffer.
    public var offsets: [MessageID] { entries.compactMap(\.packet.offset) }

    /// The offsets of packets that the client must not get again: those in the buffer, and the one that left last, which is all that a
    /// session has that was restored a moment ago.
    package var known: [MessageID] { (base.map { [$0] } ?? []) + offsets }

    /// Adds a packet that was written to the transport. Packets without an offset are ignored.
    ///
    /// - Parameters:
    ///   - packet: The packet.
    ///   - pings: The number of pings that were sent before it.
    public mutating func append(_ packet: BroadcastPacket, pings: Int) {
        guard packet.offset != nil else { return }
        entries.append(Entry(packet: packet, pings: pings))
        bytes += packet.encoded.byteCount
        while entries.count > limit.packets || bytes > limit.bytes { removeFirst() }
        if let budget { charge(budget) }
    }

    private mutating func charge(_ budget: RecoveryBudget) {
        if budget.isExceeded {
            while !entries.isEmpty { removeFirst() }
            entries = []
            charges = []
        } else if entries.count > charges.count * Self.batch {
            charges.append(budget.charge(Self.batch * MemoryLayout<Entry>.stride))
        }
    }

    private mutating func removeFirst() {
        guard let first = entries.popFirst() else { return }
        bytes -= first.packet.encoded.byteCount
        base = first.packet.offset
    }

    /// Removes what was sent before a ping that the client has answered.
    ///
    /// - Parameter ping: The number of the ping, from 1.
    public mutating func pongReceived(for ping: Int) {
        while let first = entries.first, first.pings < ping { removeFirst() }
    }

    /// The packets after the client's last one.
    ///
    /// - Parameter offset: The offset of the last packet that the client got; nil if it got none.
    /// - Returns: The packets, or nil if the offset is not covered.
    public func packets(after offset: MessageID?) -> [BroadcastPacket]? {
        if offset == base { return entries.map(\.packet) }
        // From the end: most clients have missed little.
        guard let offset, let index = entries.lastIndex(where: { $0.packet.offset == offset }) else { return nil }
        return entries[(index + 1)...].map(\.packet)
    }
}
