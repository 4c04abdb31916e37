// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import DequeModule
import SocketIOCore
import SocketIOText

/// Counts the responses of the clients that a node has asked. Rust nodes report each client that does not acknowledge; this package only
/// needs to know when no more responses will arrive.
struct SocketioxideTallies {
    /// A node, and the request that it answers.
    struct Answerer: Hashable {
        var request: ClusterRequestID
        var node: NodeID

        static func == (left: Answerer, right: Answerer) -> Bool { left.request == right.request && left.node == right.node }

        func hash(into hasher: inout Hasher) {
            hasher.combine(request)
            Bytewise.hash(node, into: &hasher)
        }
    }

    private struct Tally {
        var expected: Int
        var answered = 0
        var failed = 0
    }

    /// More are forgotten, oldest first; their streams then end by time.
    private static let limit = 10_000

    private var tallies: [Answerer: Tally] = [:]
    private var order: Deque<Answerer> = []

    /// The cluster message for a response.
    mutating func bodies(of response: SocketioxidePayloadReader.Response, from answerer: Answerer) -> [ClusterBody] {
        switch response {
        case .answer(.acknowledgementCount(let count)):
            if count > 0 { begin(answerer, expected: count) }
            return [.acknowledgementCount(count)]
        case .answer(.acknowledgement(let arguments)):
            tallies[answerer]?.answered += 1
            return [.acknowledgement(arguments)] + end(answerer)
        case .answer(let body): return [body]
        case .failure(let client):
            // With the node's own id: all that have not answered.
            if client == answerer.node, let tally = tallies[answerer] {
                tallies[answerer]?.failed = tally.expected - tally.answered
            } else {
                tallies[answerer]?.failed += 1
            }
            return end(answerer)
        }
    }

    private mutating func begin(_ answerer: Answerer, expected: Int) {
        if tallies.updateValue(Tally(expected: expected), forKey: answerer) == nil { order.append(answerer) }
        while order.count > Self.limit, let oldest = order.popFirst() { tallies[oldest] = nil }
    }

    private mutating func end(_ answerer: Answerer) -> [ClusterBody] {
        guard let tally = tallies[answerer], tally.answered + tally.failed >= tally.expected else { return [] }
        tallies[answerer] = nil
        // Its place in the order stays until it is the oldest: it may be there twice, which does no harm.
        return tally.failed > 0 ? [.acknowledgementsEnd] : []
    }
}
#endif
