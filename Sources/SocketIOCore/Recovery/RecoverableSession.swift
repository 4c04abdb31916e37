// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import DequeModule
import EngineIOCore
public import SocketIOText

/// What connection state recovery keeps of a socket.
public struct RecoverableSession: Sendable {
    /// The socket's id, which it gets back.
    public var id: SocketID
    /// The private session id, known only to the client.
    public var pid: String
    /// The rooms that the socket was in, its own included.
    public var rooms: NameSet
    /// The socket's data, as an encoded object with string keys.
    public var data: EncodedValue
    /// The packets that the client may have missed.
    public var buffer: RecoveryBuffer

    /// Creates a session.
    public init(id: SocketID, pid: String, rooms: NameSet, data: EncodedValue, buffer: RecoveryBuffer) {
        self.id = id
        self.pid = pid
        self.rooms = rooms
        self.data = data
        self.buffer = buffer
    }
}

/// The packets that were handed to one socket's transport and may not have arrived, oldest first. Bounded.
///
/// A packet leaves the buffer when the client has answered a ping that was sent after it, or when the buffer is full. The client's
/// offset must lie inside what is left; if it does not, the session is not recovered.
public struct RecoveryBuffer: Sendable {
    /// How much a buffer keeps.
    public struct Limit: Sendable, Hashable {
        /// The number of packets.
        public var packets: Int
        /// The size of the packets in bytes, each counted in full although connections share them.
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
    /// What the entries cost, besides their packets.
    private var charges: [RecoveryBudget.Charge] = []

    /// Entries are charged in batches, so that the loops do not compete for the budget with every packet.
    private static var batch: Int { 32 }

    /// Creates an empty buffer.
    ///
    /// - Parameters:
    ///   - limit: How much it keeps.
    ///   - base: The offset of the last packet that the client got before; nil if it got none.
    public init(limit: Limit = .init(), base: MessageID? = nil) {
        self.init(limit: limit, base: base, budget: nil)
    }

    /// The same with a budget that buffers share: a buffer that gets a packet while it is exceeded keeps nothing.
    package init(limit: Limit, base: MessageID?, budget: RecoveryBudget?) {
        self.limit = limit
        self.base = base
        self.budget = budget
    }

    /// The number of packets in the buffer.
    public var count: Int { entries.count }

    /// The offsets of the packets in the buffer.
    public var offsets: [MessageID] { entries.compactMap(\.packet.offset) }

    /// The offsets of what the client certainly need not get again: the packets in the buffer, and the one that left last. A session that
    /// was restored a moment ago has nothing else to tell that by.
    package var known: [MessageID] { (base.map { [$0] } ?? []) + offsets }

    /// A packet has been handed to the transport. Packets without an offset are not kept.
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

    /// The client has answered a ping: what was sent before it has arrived.
    ///
    /// - Parameter ping: The number of the ping, from 1.
    public mutating func pongReceived(for ping: Int) {
        while let first = entries.first, first.pings < ping { removeFirst() }
    }

    /// The packets after the client's last one.
    ///
    /// - Parameter offset: The offset of the last packet that the client got; nil if it got none.
    /// - Returns: The packets, or nil if the buffer cannot tell what was missed.
    public func packets(after offset: MessageID?) -> [BroadcastPacket]? {
        if offset == base { return entries.map(\.packet) }
        // From the end: a client has missed little, most often.
        guard let offset, let index = entries.lastIndex(where: { $0.packet.offset == offset }) else { return nil }
        return entries[(index + 1)...].map(\.packet)
    }
}
