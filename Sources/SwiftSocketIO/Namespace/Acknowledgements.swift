// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore

/// The decoded acknowledgements of a broadcast, as they arrive from all nodes. For one consumer.
public struct Acknowledgements<Response: Decodable & Sendable>: AsyncSequence, Sendable {
    /// The acknowledgements, still encoded, and how complete they are.
    public let raw: BroadcastAcknowledgements

    init(_ raw: BroadcastAcknowledgements) { self.raw = raw }

    /// Waits for all acknowledgements.
    ///
    /// - Returns: The acknowledgements, in the order of their arrival.
    /// - Throws: ``SocketIOCore/IncompleteResponseError`` if clients or nodes did not answer in time; it carries those that
    ///   arrived. ``SocketIOError`` with `unexpectedArguments` if a client answered with another type.
    public func collect() async throws -> [Response] {
        let (responses, summary) = try await collectAvailable()
        guard summary.isComplete else { throw IncompleteResponseError(partial: responses, missingNodes: summary.missingNodes) }
        return responses
    }

    /// Waits until all acknowledgements have arrived or the time is over.
    ///
    /// - Returns: The acknowledgements, and how complete they are.
    /// - Throws: ``SocketIOError`` with `unexpectedArguments` if a client answered with another type.
    public func collectAvailable() async throws -> (responses: [Response], summary: BroadcastAcknowledgements.Summary) {
        var responses: [Response] = []
        for try await response in self { responses.append(response) }
        return (responses, raw.summary)
    }

    /// Creates the consumer's iterator.
    public func makeAsyncIterator() -> Iterator { Iterator(base: raw.makeAsyncIterator()) }

    /// The consumer's position.
    public struct Iterator: AsyncIteratorProtocol {
        var base: BroadcastAcknowledgements.Iterator

        /// The next acknowledgement; nil at the end.
        ///
        /// - Throws: ``SocketIOError`` with `unexpectedArguments` if the client answered with another type; the next call returns the next one.
        public mutating func next() async throws -> Response? {
            guard let arguments = await base.next() else { return nil }
            do {
                return try arguments.decode(Response.self, at: 0)
            } catch {
                throw SocketIOError(.unexpectedArguments, "a client's acknowledgement is not of type \(Response.self)", cause: error)
            }
        }
    }
}
