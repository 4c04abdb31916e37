// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOTesting
import Synchronization

extension TestServer {
    /// Connects a client that joins a namespace.
    func joined(_ namespace: String = "/") async throws -> (client: TestClient, sid: String, pid: String?) {
        let client = try await connect()
        let (sid, pid) = try await client.join(namespace)
        return (client, sid, pid)
    }
}

/// A variable that tasks share.
final class Shared<Value: Sendable>: Sendable {
    private let stored: Mutex<Value>

    init(_ value: Value) { stored = Mutex(value) }

    var value: Value {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }

    func update(_ change: (inout Value) -> Void) { stored.withLock { change(&$0) } }
}

/// Waits for what a handler reports.
final class Reports<Element: Sendable>: Sendable {
    private let stream: AsyncStream<Element>
    private let continuation: AsyncStream<Element>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1_000)) }

    func report(_ element: Element) { continuation.yield(element) }

    func next() async -> Element? {
        var iterator = stream.makeAsyncIterator()
        return await iterator.next()
    }
}
