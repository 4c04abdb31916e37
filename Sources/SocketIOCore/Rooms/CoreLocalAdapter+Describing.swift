// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore

extension CoreLocalAdapter {
    /// Describes the selected sockets of this process. What a description may not carry is left out, see ``SocketDescription/omitted``.
    public func fetchSockets(_ options: BroadcastOptions) async throws -> [SocketDescription] {
        guard isAllowed(options) else { return [] }
        let parts = await gather { [self] index in
            let sockets = index.selected(options)
            let first = sockets.prefix(Self.describedAtOnce)
            return (described: describe(first), left: sockets.dropFirst(first.count))
        }
        var result: [SocketDescription] = []
        for part in parts {
            result += part.described
            // Some at a time, so that one request does not hold up the loop.
            var left = part.left
            while let loop = left.first?.eventLoop {
                let next = left.prefix(Self.describedAtOnce)
                left = left.dropFirst(next.count)
                // A loop that is shut down has no sockets left.
                result += (try? await loop.scheduleTask(in: Self.pause) { [self] in describe(next) }.futureResult.get()) ?? []
            }
        }
        return result
    }

    private static var describedAtOnce: Int { 200 }

    private func describe(_ sockets: ArraySlice<any LocalSocket>) -> [SocketDescription] {
        sockets.compactMap { socket in
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
}
