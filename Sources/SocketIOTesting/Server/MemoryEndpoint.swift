// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import NIOCore
import NIOEmbedded
import SwiftSocketIO

/// A server that clients reach in memory, on the event loop of a manual clock.
struct MemoryEndpoint: TestEndpoint {
    let io: SocketIOServer
    let loop: NIOAsyncTestingEventLoop
    /// Called with the channels of each connection.
    let onOpen: @Sendable ([NIOAsyncTestingChannel]) -> Void

    var host: String { "in-memory" }

    func open<Result: Sendable>(_ configure: @escaping @Sendable (any Channel) throws -> Result) async throws -> Result {
        try await loop.submit { [io, loop, onOpen] in
            let pipe = try InMemoryPipe.make(on: loop)
            onOpen([pipe.client, pipe.server])
            try io.engine.configure(pipe.server)
            let result = try configure(pipe.client)
            let address = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
            pipe.server.connect(to: address, promise: nil)
            pipe.client.connect(to: address, promise: nil)
            return result
        }.get()
    }
}
