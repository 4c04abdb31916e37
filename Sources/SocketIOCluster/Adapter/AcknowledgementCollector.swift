// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore
import SocketIOText
import Synchronization

/// Feeds the acknowledgements from other nodes into a stream, which has a part for each node.
final class AcknowledgementCollector: Sendable {
    private let stream: BroadcastAcknowledgements
    private let parts = Mutex<[Name: BroadcastAcknowledgements.PartID]>([:])

    init(_ stream: BroadcastAcknowledgements) { self.stream = stream }

    /// The request was sent to these nodes. Answers may have arrived already.
    func start(_ nodes: [NodeID]) {
        for node in nodes { _ = part(node) }
        stream.seal()
    }

    /// The part of a node. A node that was not known when the request was sent gets one when it answers.
    private func part(_ node: NodeID) -> BroadcastAcknowledgements.PartID {
        parts.withLock { parts in
            if let part = parts[Name(node)] { return part }
            let part = stream.addPart(node: node)
            parts[Name(node)] = part
            return part
        }
    }

    func expect(_ count: Int, from node: NodeID) { stream.expect(count, from: part(node)) }
    func receive(_ arguments: EventArguments, from node: NodeID) { stream.receive(arguments, from: part(node)) }
    func fail(_ node: NodeID) { stream.fail(part(node)) }
    func timeOut() { stream.timeOut() }

    /// A node will send no more; missing acknowledgements are those of clients that have disconnected.
    func finish(_ node: NodeID) { stream.finish(part(node)) }
}
