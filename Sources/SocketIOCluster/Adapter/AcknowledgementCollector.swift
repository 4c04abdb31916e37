// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore
import SocketIOText
import Synchronization

/// The parts of a stream of acknowledgements that stand for other nodes.
final class AcknowledgementCollector: Sendable {
    private let stream: BroadcastAcknowledgements
    private let parts = Mutex<[Name: BroadcastAcknowledgements.PartID]>([:])

    init(_ stream: BroadcastAcknowledgements) { self.stream = stream }

    /// The request is on its way. Answers may be here already.
    func start(_ nodes: [NodeID]) {
        for node in nodes { _ = part(node) }
        stream.seal()
    }

    /// The part of a node; nodes that were not known when the request was made get one when they answer.
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

    /// Nothing more comes from a node; what is missing is because its clients are gone.
    func finish(_ node: NodeID) { stream.finish(part(node)) }
}
