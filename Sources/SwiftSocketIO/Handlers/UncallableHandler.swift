// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore
import SocketIOText

/// Handlers that compile and that no event ever reaches.
package enum UncallableHandler {
    /// Whether such a handler stops a debug build. Tests of this package turn it off.
    @TaskLocal package static var stopsDebugBuilds = true

    /// A handler that is registered for nothing.
    struct Problem: Equatable {
        /// What to do about it.
        let advice: String
        /// Whether no event can reach the handler; otherwise it is only improbable.
        let isCertain: Bool

        init(_ advice: String, isCertain: Bool = true) {
            self.advice = advice
            self.isCertain = isCertain
        }
    }

    /// Why no client can send an event of this name; nil if clients can.
    ///
    /// - Parameter limit: The bytes that the name of a client's event may have.
    static func problem(ofEvent name: String, limit: Int) -> Problem? {
        let size = name.utf8.count
        // Every connection registers its handlers, mostly for short names.
        if size < EventName.shortestReserved, size <= limit { return nil }
        guard EventName.isReserved(name) else {
            guard size > limit else { return nil }
            let reason = "its name has \(size) bytes, and clients may send \(limit)"
            return Problem("\(reason): choose a shorter one, or raise SocketIOConfiguration.limits.eventNameBytes")
        }
        return switch name {
        case "connect": Problem("the socket is connected already: use onConnect { socket in … } on the server or namespace")
        case "connect_error":
            Problem("clients receive it when middleware throws: register it with use { socket in … } on the server or namespace")
        case "disconnect": Problem("use socket.onDisconnect { end in … }")
        case "disconnecting": Problem("use socket.onDisconnecting { end in … }")
        default: Problem("the name is reserved by Socket.IO: choose another")
        }
    }

    /// Why no server sends an event of this name; nil if servers may.
    static func problem(ofServerSideEvent name: String) -> Problem? {
        switch name {
        case "connect", "connection": Problem("use onConnect { socket in … }")
        case "new_namespace": Problem("use io.of(matching: …).onNamespace { namespace in … }")
        // Node.js servers do not reserve these.
        case "disconnect", "disconnecting":
            Problem("it is for events of other servers: for the end of a connection use socket.onDisconnect { end in … }", isCertain: false)
        default: nil
        }
    }
}
