// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOConcurrency
import SocketIOCore

/// Disconnecting a client's sockets. It takes time for each of their rooms, and a client may be in many rooms of many namespaces, so each turn
/// of the loop handles some of them and other clients do not have to wait for all.
extension Client {
    /// How the sockets are disconnected.
    enum Ending: Equatable {
        /// The connection has ended.
        case closed(DisconnectReason)
        /// The server disconnects them and then closes the connection.
        case disconnect
    }

    /// Rooms that one turn of the loop handles; at least one socket.
    private static var roomsPerTurn: Int { 1_000 }
    /// The cost of a socket without its rooms, as a number of rooms.
    private static var roomsPerSocket: Int { 10 }

    /// Disconnects the sockets: all of them before this returns, unless they are in very many rooms.
    func end(_ how: Ending) {
        // Sockets that the server disconnects do not become recoverable because the connection ends first.
        guard ending == nil else { return }
        ending = how
        guard endPortion() else { return }
        let client = LoopBound(self, to: session.eventLoop)
        let eventLoop = session.eventLoop
        // A server that closes waits for it.
        server.tasks.start {
            var isMore = true
            while isMore {
                // An event loop that is shut down has no sockets left.
                let portion = eventLoop.scheduleTask(in: CoreLocalAdapter.pause) { client.value.endPortion() }
                isMore = (try? await portion.futureResult.get()) ?? false
            }
        }
    }

    /// Disconnects a socket before its turn, if all are being disconnected.
    func endNow(_ socket: Socket) {
        if let ending { end(socket, ending) }
    }

    private func end(_ socket: Socket, _ how: Ending) {
        switch how {
        case .closed(let reason): socket.didDisconnect(reason)
        case .disconnect: socket.disconnect(closeConnection: false)
        }
        forget(socket)
    }

    /// - Returns: Whether there is more to do.
    private func endPortion() -> Bool {
        guard let how = ending else { return false }
        var rooms = 0
        while let socket = sockets.first, rooms < Self.roomsPerTurn {
            rooms += Self.roomsPerSocket + socket.namespace.localAdapter.roomCount(of: socket)
            end(socket, how)
        }
        guard sockets.isEmpty else { return true }
        ending = nil
        if how == .disconnect { session.close(.forcedServerClose) }
        return false
    }
}
