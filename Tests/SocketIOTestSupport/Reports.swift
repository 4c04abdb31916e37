// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// What handlers report, in order, for the test that awaits it.
package final class Reports<Element: Sendable>: Sendable {
    private let stream: AsyncStream<Element>
    private let continuation: AsyncStream<Element>.Continuation

    package init() { (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1_000)) }

    package func report(_ element: Element) { continuation.yield(element) }

    package func next() async -> Element? {
        var iterator = stream.makeAsyncIterator()
        return await iterator.next()
    }
}
