// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// How a node behaves in its cluster.
///
/// All nodes should use the same ``heartbeatInterval`` and ``heartbeatTimeout``. ``validate()`` checks every value against its bounds.
public struct ClusterConfiguration: Sendable {
    // MARK: Membership

    /// How often a node sends a heartbeat. Default: 5 s. Bounds: 100 ms to 1 h.
    public var heartbeatInterval: Duration = .seconds(5)
    /// How long a node may be silent before it is considered dead. Time in which this node itself receives nothing at all does not count.
    /// Default: 10 s. Bounds: twice ``heartbeatInterval`` to 1 day.
    public var heartbeatTimeout: Duration = .seconds(10)
    /// How long a node that has just started waits for the others to announce themselves before it sends requests such as
    /// `fetchSockets`. The time starts when the node's first own message returns; what is emitted behind an `emitWithAck` waits with it.
    /// Default: 300 ms. Bounds: 0 to 1 min.
    public var settleTime: Duration = .milliseconds(300)
    /// The time after which requests are sent in any case, even if nothing has returned. The start of the server does not wait longer
    /// for its stream either. Default: 5 s. Bounds: ``settleTime`` to 1 h.
    public var settleTimeout: Duration = .seconds(5)
    /// How late an own message may return before the node reopens the stream and reports itself deaf. It may be shorter than the
    /// heartbeat interval, because the node only waits for what it has written. Default: 10 s. Bounds: 100 ms to 1 day; use 30 s or more on
    /// a sharded cluster, whose streams wait for the slowest shard.
    public var deafnessTimeout: Duration = .seconds(10)
    /// How long the sequence numbers of departed nodes are remembered. Those of present nodes are remembered as long as they are present.
    /// Default: 10 min. Bounds: 1 s to 1 day.
    public var epochRetention: Duration = .seconds(600)
    /// The maximum number of other nodes to keep track of. Beyond it, nodes that were heard only once give way, and if there are none,
    /// additional nodes are ignored. Default: 4 096. Bounds: at least 1.
    public var maximumNodes = 4_096

    // MARK: Requests

    /// How long a request to other nodes waits for answers unless its caller specifies a timeout. Default: 5 s. Bounds: 1 ms to 1 day.
    public var requestTimeout: Duration = .seconds(5)
    /// The maximum number of requests that wait for answers; additional requests throw
    /// ``ClusterError/Code/tooManyRequests``. Default: 10 000. Bounds: at least 1.
    public var maximumPendingRequests = 10_000
    /// The maximum size in bytes of all answers to one request, such as `fetchSockets`. A node whose answer exceeds it counts as missing.
    /// Default: 64 MiB. Bounds: at least 1.
    public var maximumAnswerBytes = 64 << 20
    /// The maximum number of sockets in one answer to `fetchSockets`. More are sent in several messages, and so are those that exceed half
    /// of ``maximumBatchBytes`` or the driver's limit. `Int.max` means always one answer, for wire formats without partial answers.
    /// Default: 1 000. Bounds: 1 to 100 000, or `Int.max`.
    public var maximumSocketsPerAnswer = 1_000
    /// The maximum number of acknowledgements of one broadcast that wait to be read; additional ones are dropped and counted.
    /// Default: 100 000. Bounds: at least 1.
    public var maximumBufferedAcknowledgements = 100_000

    // MARK: Writing

    /// The number of lanes: batches that are written concurrently. All messages of a namespace use one lane, which keeps their order; more
    /// lanes only help applications with several busy namespaces. Default: 1. Bounds: 1 to 64.
    public var lanes = 1
    /// How long a message may wait to be written, retries included, before it fails: `onError` of the server is then called, or `emit`
    /// throws if it waits for the confirmation. Default: 30 s, longer than an election.
    /// Bounds: 1 s to 1 day.
    public var writeTimeout: Duration = .seconds(30)
    /// The maximum number of messages in a batch. Default: 1 000. Bounds: 1 to 10 000.
    public var maximumBatchMessages = 1_000
    /// The maximum size of a batch in bytes, unless it consists of one message. Default: 8 MB. Bounds: 1 kB to 15 MB.
    public var maximumBatchBytes = 8_000_000
    /// The maximum number of messages queued in a lane; when it is reached, senders wait, and volatile events are dropped. Volatile events
    /// have a quarter of it in addition, which other messages do not use, and wait for at most 2 s. It also bounds the queued answers to
    /// other nodes, for which no sender waits: beyond it the requesting node gets an error answer. Default: 10 000. Bounds: at least 1.
    public var maximumQueuedMessages = 10_000
    /// The maximum size in bytes of the messages queued in a lane; when it is reached, senders wait, and volatile events are dropped. They
    /// have a quarter in addition, as with ``maximumQueuedMessages``. The same value bounds the queued answers to other nodes.
    /// Default: 64 MiB. Bounds: at least 1.
    public var maximumQueuedBytes = 64 << 20
    /// The delay before a failed batch is retried for the first time. It doubles up to ``maximumRetryDelay``. Default: 20 ms.
    /// Bounds: 1 ms to 1 min.
    public var minimumRetryDelay: Duration = .milliseconds(20)
    /// The longest delay before a failed batch is retried. Default: 1 s. Bounds: ``minimumRetryDelay`` to 1 min.
    public var maximumRetryDelay: Duration = .seconds(1)

    /// How fast each lane writes broadcasts at most, in addition to the limits of a batch. Default nil: as fast as the backend takes messages; or as
    /// the wire format says, if the nodes of another implementation have small buffers. ``WritePacing/unlimited`` turns that off.
    public var pacing: WritePacing?

    // MARK: Closing

    /// How long closing a node may take, whatever the backend does: storing sessions, writing what is queued, announcing the departure, and
    /// closing connections. Default: 15 s, longer than an election. Bounds: 1 s to 1 h.
    public var closeTimeout: Duration = .seconds(15)
    /// The same if the backend cannot be written to when closing begins. Default: 5 s. Bounds: 1 s to 1 h.
    public var unreachableCloseTimeout: Duration = .seconds(5)

    // MARK: Recovery

    /// Whether snapshots of the sessions of connected clients are kept in the backend, so that clients can resume their sessions on another
    /// node after their own has crashed. All nodes must use the same value. It has no effect unless connection state recovery is enabled in
    /// the server. Default: false.
    ///
    /// It costs a write for each connection, change of rooms and end of a session, batched; and memory: each namespace keeps the last
    /// 50 000 broadcasts, or 64 MiB of them. Events carry a longer offset. A client that returns gets its socket id, rooms and data as of
    /// the last snapshot, which is a few tenths of a second older than the crash at worst, and every broadcast of the cluster that it has
    /// missed, **at least once**: it may get the last ones twice, and in another order. Events to this one socket that were in flight when
    /// the node died are lost. A client that returns before the crash is detected waits for that, at most ``heartbeatTimeout`` plus twice
    /// ``heartbeatInterval``.
    public var snapshotsSessions = false

    // MARK: Wire format

    /// Whether the wire format announces a node in each of its namespaces, as those of other implementations do. Default: false.
    public var announcesNamespaces = false
    /// Kinds of messages that have no representation in the wire format: nothing is written for them, so nothing of them returns.
    /// Default: none.
    public var unwrittenKinds: Set<ClusterMessageKind> = []
    /// Whether each client that does not acknowledge a broadcast is reported by a message of its own, because nodes of another
    /// implementation count them. Default: false, one message for all of them.
    public var reportsEachMissingAcknowledgement = false

    /// Creates a configuration with the defaults.
    public init() {}

    /// Checks every value against its bounds.
    ///
    /// A ``ClusterNode`` does it when it starts.
    ///
    /// - Throws: ``ClusterError`` with ``ClusterError/Code/invalidConfiguration``; its message names the value and its bounds.
    public func validate() throws(ClusterError) {
        let day = Duration.seconds(86_400)
        let hour = Duration.seconds(3_600)
        let minute = Duration.seconds(60)
        try check(heartbeatInterval, in: .milliseconds(100)...hour, "heartbeatInterval")
        try check(heartbeatTimeout, in: heartbeatInterval * 2...day, "heartbeatTimeout, at least twice heartbeatInterval,")
        try check(settleTime, in: .zero...minute, "settleTime")
        try check(settleTimeout, in: settleTime...hour, "settleTimeout, at least settleTime,")
        try check(deafnessTimeout, in: .milliseconds(100)...day, "deafnessTimeout")
        try check(epochRetention, in: .seconds(1)...day, "epochRetention")
        try check(maximumNodes, in: 1...Int.max, "maximumNodes")
        try check(requestTimeout, in: .milliseconds(1)...day, "requestTimeout")
        try check(maximumPendingRequests, in: 1...Int.max, "maximumPendingRequests")
        try check(maximumAnswerBytes, in: 1...Int.max, "maximumAnswerBytes")
        if maximumSocketsPerAnswer != .max { try check(maximumSocketsPerAnswer, in: 1...100_000, "maximumSocketsPerAnswer") }
        try check(maximumBufferedAcknowledgements, in: 1...Int.max, "maximumBufferedAcknowledgements")
        try check(lanes, in: 1...64, "lanes")
        try check(writeTimeout, in: .seconds(1)...day, "writeTimeout")
        try check(maximumBatchMessages, in: 1...10_000, "maximumBatchMessages")
        try check(maximumBatchBytes, in: 1_000...15_000_000, "maximumBatchBytes")
        try check(maximumQueuedMessages, in: 1...Int.max, "maximumQueuedMessages")
        try check(maximumQueuedBytes, in: 1...Int.max, "maximumQueuedBytes")
        try check(minimumRetryDelay, in: .milliseconds(1)...minute, "minimumRetryDelay")
        try check(maximumRetryDelay, in: minimumRetryDelay...minute, "maximumRetryDelay, at least minimumRetryDelay,")
        if let pacing {
            try check(pacing.batchMessages, in: 1...Int.max, "pacing.batchMessages")
            try check(pacing.messagesPerSecond, in: 1...Int.max, "pacing.messagesPerSecond")
        }
        try check(closeTimeout, in: .seconds(1)...hour, "closeTimeout")
        try check(unreachableCloseTimeout, in: .seconds(1)...hour, "unreachableCloseTimeout")
    }

    private func check<Value: Comparable>(_ value: Value, in bounds: ClosedRange<Value>, _ name: String) throws(ClusterError) {
        guard !bounds.contains(value) else { return }
        throw ClusterError(.invalidConfiguration, "\(name) must be \(bounds.lowerBound) to \(bounds.upperBound), not \(value)")
    }
}
