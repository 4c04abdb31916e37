// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore

extension CoreLocalAdapter {
    /// Describes the selected sockets of this process. What a description may not carry is left out, see ``SocketDescription/omitted``.
    public func fetchSockets(_ options: BroadcastOptions) async throws -> [SocketDescription] {
        guard isAllowed(options) else { return [] }
        let parts = await gather { [self] index in describePortion(of: index.selected(options)[...]) }
        var result: [SocketDescription] = []
        for part in parts {
            result += part.described
            // Some at a time, so that one request does not hold up the loop.
            var left = part.left
            while let loop = left.first?.eventLoop {
                let portion = left
                let next = try? await loop.scheduleTask(in: Self.pause) { [self] in describePortion(of: portion) }.futureResult.get()
                // A loop that is shut down has no sockets left.
                guard let next else { break }
                result += next.described
                left = next.left
            }
        }
        return result
    }

    private struct Portion: Sendable {
        var described: [SocketDescription] = []
        var left: ArraySlice<any LocalSocket>
    }

    /// Rooms that one turn of the loop handles; at least one socket.
    private static var roomsPerTurn: Int { 2_000 }
    /// The cost of a socket without its rooms, as a number of rooms.
    private static var roomsPerSocket: Int { 10 }

    private func describePortion(of sockets: ArraySlice<any LocalSocket>) -> Portion {
        var portion = Portion(left: sockets)
        var rooms = 0
        while rooms < Self.roomsPerTurn, let socket = portion.left.popFirst() {
            rooms += Self.roomsPerSocket + roomCount(of: socket)
            if let description = describe(socket) { portion.described.append(description) }
        }
        return portion
    }

    private func describe(_ socket: any LocalSocket) -> SocketDescription? {
        let index = index(of: socket.eventLoop)
        // It may have gone in between.
        guard let member = index.member(socket.id), member.socket === socket else { return nil }
        var description = socket.describe()
        description.rooms = index.rooms(of: socket.id)
        description.limit(to: descriptionBytes)
        if !description.omitted.isEmpty { onLimit?(.description(of: socket.id, description.omitted)) }
        return description
    }
}
