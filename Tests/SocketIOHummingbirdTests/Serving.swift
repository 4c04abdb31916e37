// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if Hummingbird
import Hummingbird
import ServiceLifecycle
import Testing

/// Runs an application until `body` has returned or thrown.
///
/// - Parameters:
///   - application: What runs.
///   - ports: Tells its port when it listens.
///   - body: Gets the port, and what shuts the application down before the end.
func serve(
    _ application: some ApplicationProtocol,
    _ ports: AsyncStream<Int>,
    _ body: @escaping @Sendable (Int, @escaping @Sendable () -> Void) async throws -> Void
) async throws {
    let services = ServiceGroup(services: [application], logger: application.logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await services.run() }
        var iterator = ports.makeAsyncIterator()
        let port = try #require(await iterator.next())
        let stop = AsyncStream.makeStream(of: Void.self)
        tasks.addTask {
            for await _ in stop.stream { await services.triggerGracefulShutdown() }
        }
        do {
            try await body(port) { stop.continuation.yield() }
        } catch {
            tasks.cancelAll()
            throw error
        }
        stop.continuation.yield()
        stop.continuation.finish()
        try await tasks.waitForAll()
    }
}
#endif
