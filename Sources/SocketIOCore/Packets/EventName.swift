// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// The rules for the names of events.
package enum EventName {
    /// The bytes of the shortest name for which ``isReserved(_:)`` is true.
    @inlinable package static var shortestReserved: Int { 7 }

    /// Whether clients and servers use the name for an event of their own, so that no packet may carry it.
    package static func isReserved(_ name: String) -> Bool {
        // Every packet and every registration asks, and few names have one of these lengths.
        switch name.utf8.count {
        case 7: name == "connect"
        case 10: name == "disconnect"
        case 11: name == "newListener"
        case 13: name == "connect_error" || name == "disconnecting"
        case 14: name == "removeListener"
        default: false
        }
    }

    /// Whether servers use the name for an event of their own, so that no server may send another server an event of this name.
    package static func isReservedForServers(_ name: String) -> Bool {
        switch name {
        case "connect", "connection", "new_namespace": true
        default: false
        }
    }

    /// Why an application cannot emit an event of this name, and what to do about it; nil if it can.
    package static func problem(of name: String) -> String? {
        isReserved(name) ? "'\(name)' is one of Socket.IO's own events; choose another name" : nil
    }

    /// Why an application cannot send an event of this name to other servers, and what to do about it; nil if it can.
    package static func problem(ofServerSide name: String) -> String? {
        isReservedForServers(name) ? "'\(name)' is one of Socket.IO's own events; choose another name" : nil
    }

    /// The bytes that a name of so many bytes can take in JSON: an escape has six for one, and there are two quotes.
    static func encodedLimit(_ limit: Int) -> Int {
        let (bytes, overflow) = limit.multipliedReportingOverflow(by: 6)
        return overflow || bytes > Int.max - 2 ? .max : bytes + 2
    }

    /// Throws if a client may not emit an event of this name.
    static func check(_ name: String, limit: Int) throws(PacketError) {
        guard name.utf8.count <= limit, !CombiningMarks.exceedLimit(in: name) else { throw PacketError(.eventNameTooLong) }
        guard !isReserved(name) else { throw PacketError(.illegalPayload) }
    }
}
