// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import DequeModule
import NIOCore
import SocketIOCore
import SocketIOText

/// Calls that wait until the other nodes are known: requests, and messages sent after a broadcast with acknowledgements. They are released
/// in the order of the calls.
///
/// Its size is bounded by the limit of requests, by the limits of a lane, and by the number of senders, which are suspended when those are
/// reached.
struct HeldCalls {
    struct Request {
        var kind: PendingRequestsStateMachine.Kind
        var message: Outgoing
        /// When its answers are no longer waited for.
        var deadline: NIODeadline
        /// Its place among all calls.
        fileprivate(set) var order: UInt64 = 0

        /// Whether its sender continues before it is answered, so that later messages must not overtake it.
        fileprivate var isBarrier: Bool { if case .acknowledgements = kind { true } else { false } }
    }

    enum Call {
        case request(ClusterRequestID, Request)
        case message(Outgoing)
    }

    private struct Message {
        var outgoing: Outgoing
        var order: UInt64
        var bytes: Int { outgoing.body.estimatedByteCount }
    }

    private(set) var requests: [ClusterRequestID: Request] = [:]
    /// By namespace.
    private var messages: [Name: Deque<Message>] = [:]
    /// The number of requests of each namespace that hold its messages.
    private var barriers: [Name: Int] = [:]
    private(set) var messageCount = 0
    private var room: LaneRoom
    private var calls: UInt64 = 0

    init(_ limits: ClusterConfiguration) { room = LaneRoom(limits) }

    /// Whether one more message may wait.
    func fits(_ bytes: Int, _ certainty: Outgoing.Certainty) -> Bool { room.fits(bytes, certainty) }

    /// Whether a message of this namespace must wait.
    func holdsMessages(of namespace: String) -> Bool {
        guard !barriers.isEmpty || messageCount > 0 else { return false }
        let name = Name(namespace)
        return barriers[name] != nil || messages[name] != nil
    }

    mutating func add(_ request: Request, as id: ClusterRequestID) {
        calls += 1
        var request = request
        request.order = calls
        requests[id] = request
        if request.isBarrier { barriers[Name(request.message.namespace), default: 0] += 1 }
    }

    mutating func add(_ message: Outgoing) {
        calls += 1
        messageCount += 1
        room.add(message.body.estimatedByteCount, message.certainty)
        messages[Name(message.namespace), default: []].append(Message(outgoing: message, order: calls))
    }

    /// Removes a request. What waited for it only is then ``released(in:)``.
    mutating func remove(_ id: ClusterRequestID) -> Request? {
        guard let request = requests.removeValue(forKey: id) else { return nil }
        guard request.isBarrier else { return request }
        let namespace = Name(request.message.namespace)
        if let count = barriers[namespace] { barriers[namespace] = count > 1 ? count - 1 : nil }
        return request
    }

    /// Removes what no request of the namespace holds any longer, in order.
    mutating func released(in namespace: String) -> [Outgoing] {
        let name = Name(namespace)
        guard let waiting = messages[name] else { return [] }
        let barrier = barriers[name] == nil ? nil : requests.values.filter { $0.isBarrier && $0.message.namespace == namespace }
        let first = barrier?.map(\.order).min() ?? .max
        let free = waiting.prefix { $0.order < first }
        messages[name] = free.count == waiting.count ? nil : Deque(waiting.dropFirst(free.count))
        forget(free)
        return free.map(\.outgoing)
    }

    /// Removes what waits in some namespaces, in order.
    mutating func take(_ isWanted: (_ namespace: String) -> Bool) -> [Call] {
        var calls: [(order: UInt64, call: Call)] = []
        for (id, request) in requests where isWanted(request.message.namespace) {
            calls.append((request.order, .request(id, request)))
            _ = remove(id)
        }
        for (namespace, waiting) in messages where isWanted(namespace.text) {
            calls += waiting.map { ($0.order, .message($0.outgoing)) }
            messages[namespace] = nil
            forget(waiting)
        }
        return calls.sorted { $0.order < $1.order }.map(\.call)
    }

    /// Removes the requests whose timeout has passed, in order.
    func late(now: NIODeadline) -> [ClusterRequestID] {
        requests.filter { $0.value.deadline <= now }.sorted { $0.value.order < $1.value.order }.map(\.key)
    }

    /// Removes the messages whose deadline has passed.
    mutating func lateMessages(now: NIODeadline) -> [Outgoing] {
        guard messageCount > 0 else { return [] }
        var late: [Message] = []
        for (namespace, waiting) in messages where waiting.contains(where: { $0.outgoing.deadline <= now }) {
            late += waiting.filter { $0.outgoing.deadline <= now }
            let rest = waiting.filter { $0.outgoing.deadline > now }
            messages[namespace] = rest.isEmpty ? nil : Deque(rest)
        }
        forget(late)
        return late.map(\.outgoing)
    }

    /// Messages have been removed.
    private mutating func forget(_ removed: some Collection<Message>) {
        messageCount -= removed.count
        for message in removed { room.remove(message.bytes, message.outgoing.certainty) }
    }

    /// The ids of the waiting broadcasts of a namespace.
    func broadcasts(of namespace: String) -> [MessageID] {
        (messages[Name(namespace)] ?? []).compactMap { $0.outgoing.body.kind == .broadcast ? $0.outgoing.id : nil }
    }
}

/// Remembers some of the latest requests.
struct RecentRequests {
    private static let limit = 1_024
    private var order: Deque<ClusterRequestID> = []
    private var ids: Set<ClusterRequestID> = []

    func contains(_ id: ClusterRequestID) -> Bool { !ids.isEmpty && ids.contains(id) }

    /// - Returns: Whether it is new.
    mutating func insert(_ id: ClusterRequestID) -> Bool {
        guard ids.insert(id).inserted else { return false }
        order.append(id)
        if order.count > Self.limit, let oldest = order.popFirst() { ids.remove(oldest) }
        return true
    }
}
