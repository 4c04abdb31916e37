// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// How a node behaves in its cluster. All nodes should use the same heartbeat interval and timeout.
public struct ClusterConfiguration: Sendable {
    /// How often a node says that it is alive. Default: 5 s.
    public var heartbeatInterval: Duration = .seconds(5)
    /// After what silence a node is taken for dead; time in which this node itself hears nothing at all does not count.
    /// Default: 10 s; at least twice the interval.
    public var heartbeatTimeout: Duration = .seconds(10)
    /// How long a request waits for answers if its caller does not say. Default: 5 s.
    public var requestTimeout: Duration = .seconds(5)
    /// How long after the return of its first own message a node that has just started waits for the others to say that they are there,
    /// before it makes requests. Default: 300 ms.
    public var settleTime: Duration = .milliseconds(300)
    /// After what time it makes requests in any case. Default: 5 s.
    public var settleLimit: Duration = .seconds(5)
    /// How long a message may wait to be written. Default: 30 s, longer than an election.
    public var writeDeadline: Duration = .seconds(30)
    /// How late an own message may come back before the stream is opened again. It may be shorter than the heartbeat interval: only
    /// what was written is waited for. Default: 10 s; 30 s or more on a sharded cluster.
    public var deafnessLimit: Duration = .seconds(10)
    /// How long the numbers of nodes that are gone are remembered. Those of nodes that are there are remembered as long as they are.
    /// Default: 10 min.
    public var epochRetention: Duration = .seconds(600)
    /// The number of lanes: batches that are written at the same time. All messages of a namespace use one lane. Default: 1; at most 64.
    public var lanes = 1
    /// The largest number of messages in a batch. Default: 1 000.
    public var batchMessages = 1_000
    /// The largest size of a batch in bytes, unless it is one message. Default: 8 MB.
    public var batchBytes = 8_000_000
    /// The number of messages that wait in a lane; when it is reached, senders wait. Of answers to other nodes, for which no sender
    /// waits, no more are kept; a request whose answer is not is told so with an error answer. Default: 10 000.
    public var queueMessages = 10_000
    /// The size in bytes of the messages that wait in a lane; when it is reached, senders wait. The same bounds the answers to other
    /// nodes. Default: 64 MiB.
    public var queueBytes = 64 << 20
    /// The shortest pause before a batch is written again. It doubles up to ``retryLimit``. Default: 20 ms.
    public var retryDelay: Duration = .milliseconds(20)
    /// The longest pause before a batch is written again. Default: 1 s.
    public var retryLimit: Duration = .seconds(1)
    /// The number of requests that wait for answers; further ones fail. Default: 10 000.
    public var maximumPendingRequests = 10_000
    /// The number of other nodes that are kept track of. Beyond it nodes that were heard only once give way, and if there are none further
    /// ones are ignored. Default: 4 096.
    public var maximumNodes = 4_096
    /// The size in bytes of all answers of other nodes to one request, such as `fetchSockets`. A node whose answer exceeds it counts as one
    /// that has not answered. Default: 64 MiB.
    public var maximumAnswerBytes = 64 << 20
    /// How long closing a node takes at most, whatever the backend does: storing sessions, writing what waits, saying that it leaves, and
    /// ending its connections. Default: 15 s, longer than an election.
    public var closeTimeout: Duration = .seconds(15)
    /// The same if the backend takes nothing when the closing begins. Default: 5 s.
    public var unreachableCloseTimeout: Duration = .seconds(5)
    /// The number of acknowledgements of one broadcast that wait to be read; further ones are dropped and counted. Default: 100 000.
    public var acknowledgementBuffer = 100_000
    /// The number of sockets in one answer to `fetchSockets`; more are sent in several, and so are those that exceed half of
    /// ``batchBytes`` or what the backend carries. `Int.max` means always one answer, for formats that know no parts. Default: 1 000.
    public var socketsPerAnswer = 1_000
    /// Whether copies of the sessions of connected clients are kept in the backend, so that their clients find them on another node after
    /// theirs has crashed. All nodes must have the same; has no effect unless the server has connection state recovery on. Default: false.
    ///
    /// It costs a write for each connection, change of rooms and end of a session, gathered in batches; and memory: each namespace keeps
    /// the last 50 000 broadcasts, or 64 MiB of them. Events carry a longer offset. A client that comes back gets its socket's id, its rooms
    /// and data as they were stored last, some tenths of a second before the crash at worst, and every broadcast of the cluster that it had
    /// not got, **at least once**: it may get the last ones twice, and in another order. Events to this one socket that were on their
    /// way when the node died are lost. If the client comes back before the crash is noticed it waits for that, at most
    /// ``heartbeatTimeout`` and twice ``heartbeatInterval``.
    public var snapshotsSessions = false
    /// Whether the wire format announces a node in each of its namespaces, as the foreign formats do. Default: false.
    public var announcesNamespaces = false
    /// Messages that the wire format has no document for: nothing is written for them, so nothing of them comes back. Default: none.
    public var unwrittenKinds: Set<ClusterMessageKind> = []

    /// The defaults.
    public init() {}
}
