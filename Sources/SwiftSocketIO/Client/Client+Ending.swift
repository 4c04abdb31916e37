// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOConcurrency
import SocketIOCore

/// The end of a client's sockets. It takes time for each of their rooms, and a client may have many in each of many namespaces: one turn of
/// the loop takes some, so that others do not wait for all.
extension Client {
    /// How the sockets end.
    enum Ending: Equatable {
        /// The connection has ended.
        case closed(DisconnectReason)
        /// The server ends them, and then the connection.
        case disconnect
    }

    /// Rooms that one turn of the loop takes, and one socket at least.
    private static var roomsPerTurn: Int { 1_000 }
    /// What a socket counts as besides its rooms.
    private static var roomsPerSocket: Int { 10 }

    /// Ends the sockets: all before this returns, unless they are in very many rooms.
    func end(_ how: Ending) {
        // Those that the server is ending do not become recoverable because the connection ends first.
        guard ending == nil else { return }
        ending = how
        guard endPortion() else { return }
        let client = LoopBound(self, to: session.eventLoop)
        let eventLoop = session.eventLoop
        // The server waits for it before it ends.
        server.tasks.start {
            var isMore = true
            while isMore {
                // A loop that is shut down has no sockets left.
                let portion = eventLoop.scheduleTask(in: CoreLocalAdapter.pause) { client.value.endPortion() }
                isMore = (try? await portion.futureResult.get()) ?? false
            }
        }
    }

    /// - Returns: Whether there is more to do.
    private func endPortion() -> Bool {
        guard let how = ending else { return false }
        var rooms = 0
        while let socket = sockets.first, rooms < Self.roomsPerTurn {
            rooms += Self.roomsPerSocket + socket.namespace.localAdapter.roomCount(of: socket)
            switch how {
            case .closed(let reason): socket.didDisconnect(reason)
            case .disconnect: socket.disconnect(closeConnection: false)
            }
            forget(socket)
        }
        guard sockets.isEmpty else { return true }
        ending = nil
        if how == .disconnect { session.close(.forcedServerClose) }
        return false
    }
}
