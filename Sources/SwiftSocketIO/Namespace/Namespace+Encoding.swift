// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import SocketIOCore

/// Encoding events for sockets.
extension Namespace {
    /// Encodes an event that asks for an acknowledgement, or one that is never replayed.
    func encode(_ event: String, id: UInt64? = nil, _ arguments: (inout ArgumentsWriter) throws -> Void) throws -> EncodedPacket {
        try checkName(event)
        server.metrics.eventsSent.increment()
        return try encoder.event(event, namespace: name, id: id, arguments: arguments)
    }

    /// Encodes an event, with an offset if it can be replayed to recovered sessions.
    func encodeBroadcast(
        _ event: String,
        flags: BroadcastFlags,
        _ arguments: (inout ArgumentsWriter) throws -> Void
    ) throws -> BroadcastPacket {
        guard let offsets = server.offsets else { return BroadcastPacket(try encode(event, arguments)) }
        guard !flags.volatile else {
            // JavaScript's client takes the last string of every event for its offset, even the event's own name.
            return BroadcastPacket(
                try encode(event) { writer in
                    try arguments(&writer)
                    try writer.append(String?.none)
                }
            )
        }
        let offset = offsets.next()
        let packet = try encode(event) { writer in
            try arguments(&writer)
            try writer.append(adapter.makeOffset(offset))
        }
        var broadcast = BroadcastPacket(packet, offset: offset)
        broadcast.charge = server.recoveryBudget?.charge(packet.byteCount)
        return broadcast
    }

    private func checkName(_ event: String) throws {
        if let problem = EventName.problem(of: event) { throw SocketIOError(.reservedEventName, problem) }
    }
}
