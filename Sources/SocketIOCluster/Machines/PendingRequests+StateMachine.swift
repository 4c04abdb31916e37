// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import SocketIOCore
import SocketIOText

/// The requests of this node, and the nodes that still owe an answer to each.
package struct PendingRequestsStateMachine {
    /// What a request collects.
    package enum Kind: Sendable, Hashable {
        /// One answer of each node.
        case answers
        /// A count of clients from each node, then their acknowledgements.
        case acknowledgements(single: Bool)
    }

    /// What follows from an input.
    package enum Action: Sendable {
        /// All answers have arrived, or no more will.
        case complete(ClusterRequestID, RequestResult)
        /// A node has asked this number of clients.
        case expect(ClusterRequestID, node: NodeID, count: Int)
        /// A client of a node has acknowledged.
        case acknowledge(ClusterRequestID, node: NodeID, EventArguments)
        /// A node will send no more, because its clients have disconnected.
        case finish(ClusterRequestID, node: NodeID)
        /// A node will send no more, because it failed.
        case fail(ClusterRequestID, node: NodeID)
        /// The timeout for acknowledgements has passed.
        case timeOut(ClusterRequestID)
    }

    /// The answers to a request.
    package struct RequestResult: Sendable {
        /// The answers, in the order of their arrival.
        package var answers: [ClusterBody] = []
        /// The nodes whose answer is missing.
        package var missing: [NodeID] = []
        /// The reason why the request could not be sent at all.
        package var error: ClusterError?

        package init(error: ClusterError? = nil) { self.error = error }
    }

    private struct Request {
        var kind: Kind
        var deadline: NIODeadline
        /// The nodes that owe an answer.
        var owed: [Name: NodeIdentity]
        /// The number of acknowledgements that are still expected from each node that has sent its count.
        var counts: [Name: Int] = [:]
        /// The nodes that owe nothing any longer.
        var done: Set<Name> = []
        /// Nodes that were not known when the request was sent, but answer it.
        var strangers = 0
        /// The size of the answers.
        var bytes = 0
        var result = RequestResult()

        func knows(_ node: Name) -> Bool { owed[node] != nil || counts[node] != nil }
    }

    private var requests: [ClusterRequestID: Request] = [:]
    private let strangerLimit: Int
    private let byteLimit: Int
    private var hasRefused = false

    /// - Parameters:
    ///   - strangers: The maximum number of nodes whose answers to a request are accepted in addition to those that owe one.
    ///   - answerBytes: The maximum size of all answers to a request.
    package init(strangers: Int = 4_096, answerBytes: Int = 64 << 20) {
        self.strangerLimit = strangers
        self.byteLimit = answerBytes
    }

    /// Whether the last answer was refused because of its size; resets the flag.
    package mutating func takeRefusal() -> Bool {
        defer { hasRefused = false }
        return hasRefused
    }

    /// The number of pending requests.
    package var count: Int { requests.count }

    /// Whether the request is pending.
    package func contains(_ id: ClusterRequestID) -> Bool { requests[id] != nil }

    /// A request is being sent.
    ///
    /// - Returns: Its completion, if no node owes an answer.
    package mutating func start(_ id: ClusterRequestID, _ kind: Kind, nodes: [NodeIdentity], deadline: NIODeadline) -> [Action] {
        let owed = Dictionary(nodes.map { (Name($0.id), $0) }) { first, _ in first }
        requests[id] = Request(kind: kind, deadline: deadline, owed: owed)
        return completeIfDone(id)
    }

    /// An answer has arrived. It is ignored if the request is not pending.
    package mutating func receive(_ body: ClusterBody, to id: ClusterRequestID, from origin: NodeIdentity) -> [Action] {
        // A life that is over, or a node that has said all, is not listened to; one that was not known of is.
        let node = Name(origin.id)
        guard let request = requests[id], !request.done.contains(node), request.owed[node].map({ $0 == origin }) ?? true else {
            return []
        }
        if !request.knows(node) {
            guard request.strangers < strangerLimit else { return [] }
            requests[id]?.strangers += 1
        }
        switch request.kind {
        case .answers: return collect(body, to: id, from: node)
        case .acknowledgements: return acknowledge(body, to: id, from: node)
        }
    }

    /// Whether there is room for an answer. A request whose answers are too large ends without those that exceed the limit.
    private mutating func admit(_ body: ClusterBody, to id: ClusterRequestID) -> Bool {
        let bytes = (requests[id]?.bytes ?? 0) + body.estimatedByteCount
        guard bytes <= byteLimit else {
            hasRefused = true
            return false
        }
        requests[id]?.bytes = bytes
        return true
    }

    private mutating func collect(_ body: ClusterBody, to id: ClusterRequestID, from node: Name) -> [Action] {
        guard admit(body, to: id) else { return fail(node, of: id) }
        switch body {
        case .errorAnswer: return fail(node, of: id)
        case .roomsAnswer, .serverSideEmitAnswer, .sessionAnswer: requests[id]?.result.answers.append(body)
        case .fetchSocketsAnswer(var sockets, let hasMore):
            // Who has them is known from the header.
            for index in sockets.indices { sockets[index].node = node.text }
            requests[id]?.result.answers.append(.fetchSocketsAnswer(sockets, hasMore: hasMore))
        default: return []
        }
        if case .fetchSocketsAnswer(_, hasMore: true) = body { return [] }
        return finish(node, of: id)
    }

    private mutating func acknowledge(_ body: ClusterBody, to id: ClusterRequestID, from node: Name) -> [Action] {
        switch body {
        case .acknowledgementCount(let count) where count >= 0: return expect(count, to: id, from: node)
        case .acknowledgement(let arguments):
            var actions = [Action.acknowledge(id, node: node.text, arguments)]
            if case .acknowledgements(single: true) = requests[id]?.kind { return actions + finishAll(id) }
            requests[id]?.counts[node, default: 0] -= 1
            if requests[id]?.owed[node] == nil, let left = requests[id]?.counts[node], left == 0 { actions += finish(node, of: id) }
            return actions
        case .acknowledgementsEnd: return [.finish(id, node: node.text)] + finish(node, of: id)
        case .errorAnswer: return fail(node, of: id)
        default: return []
        }
    }

    private mutating func expect(_ count: Int, to id: ClusterRequestID, from node: Name) -> [Action] {
        requests[id]?.owed[node] = nil
        requests[id]?.counts[node, default: 0] += count
        let isDone = requests[id]?.counts[node] == 0
        return [.expect(id, node: node.text, count: count)] + (isDone ? finish(node, of: id) : [])
    }

    /// The one acknowledgement that was requested has arrived.
    private mutating func finishAll(_ id: ClusterRequestID) -> [Action] {
        guard let request = requests.removeValue(forKey: id) else { return [] }
        let open = Set(request.owed.keys).union(request.counts.keys).subtracting(request.done)
        return open.sorted().map { .finish(id, node: $0.text) }
    }

    private mutating func finish(_ node: Name, of id: ClusterRequestID) -> [Action] {
        requests[id]?.owed[node] = nil
        requests[id]?.counts[node] = nil
        requests[id]?.done.insert(node)
        return completeIfDone(id)
    }

    private mutating func fail(_ node: Name, of id: ClusterRequestID) -> [Action] {
        requests[id]?.result.missing.append(node.text)
        let end = finish(node, of: id)
        guard case .acknowledgements = requests[id]?.kind else { return end }
        return [.fail(id, node: node.text)] + end
    }

    private mutating func completeIfDone(_ id: ClusterRequestID) -> [Action] {
        guard let request = requests[id], request.owed.isEmpty, request.counts.isEmpty else { return [] }
        // A stream ends by itself when its parts have; the request stays for acknowledgements of nodes that were not known of.
        guard case .answers = request.kind else { return [] }
        requests[id] = nil
        return [.complete(id, request.result)]
    }

    /// A node, or one epoch of it, is gone: what it owes will not arrive.
    package mutating func nodeIsGone(_ node: NodeIdentity) -> [Action] {
        let name = Name(node.id)
        return requests.keys.sorted().flatMap { id -> [Action] in
            guard let request = requests[id], !request.done.contains(name) else { return [] }
            guard request.owed[name] == node || request.counts[name] != nil else { return [] }
            return fail(name, of: id)
        }
    }

    /// The request could not be sent.
    package mutating func cannotSend(_ id: ClusterRequestID, _ error: ClusterError) -> [Action] {
        guard var request = requests.removeValue(forKey: id) else { return [] }
        let nodes = request.owed.keys.sorted().map(\.text)
        if case .acknowledgements = request.kind { return nodes.map { .fail(id, node: $0) } }
        request.result.missing += nodes
        request.result.error = error
        return [.complete(id, request.result)]
    }

    /// The caller of the request no longer waits.
    package mutating func cancel(_ id: ClusterRequestID) { requests[id] = nil }

    /// Time has passed.
    package mutating func tick(now: NIODeadline) -> [Action] {
        let late = requests.filter { $0.value.deadline <= now }
        return late.sorted { $0.key < $1.key }.map { id, request in
            requests[id] = nil
            if case .acknowledgements = request.kind { return .timeOut(id) }
            var result = request.result
            result.missing += request.owed.keys.sorted().map(\.text)
            return .complete(id, result)
        }
    }
}
