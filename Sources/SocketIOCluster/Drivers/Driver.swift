// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
public import SocketIOCore

/// Carries the messages of a cluster: a MongoDB change stream, a tailable cursor, an in-memory bus, somebody's Redis.
///
/// A driver carries; it does not know what messages mean. Three things are asked of it:
/// - **One order.** All nodes get the messages in the same order, and the messages that one node writes through one lane come in the
///   order of its batches, and inside a batch in its order.
/// - **Nothing lost in silence.** A stream that breaks goes on where it was, or says that it could not (``DriverItem/opened(lost:)``).
/// - **Honest outcomes.** ``emit(_:)`` says what is certain, and the same batch given again is not written twice: messages whose ids are
///   there already count as written.
public protocol Driver: Sendable {
    /// What the stream consists of; it ends, or throws, when it breaks, and is then asked for again.
    associatedtype Items: AsyncSequence & Sendable where Items.Element == DriverItem

    /// The largest message that can be carried, in bytes as ``ClusterBody`` estimates them.
    var messageLimit: Int { get }

    /// Prepares what the driver needs, such as a collection. Called once, before anything else.
    ///
    /// - Throws: An error that ends the start of the server, with advice in its message.
    func start() async throws

    /// Opens the stream, or opens it again where the last one ended.
    ///
    /// - Parameter node: The id of this node. Messages for other nodes only are left out; its own come as ``DriverItem/own(_:origin:)``.
    func watch(as node: NodeID) async throws -> Items

    /// Tries once to write a batch. Different lanes call it at the same time, one lane never does.
    ///
    /// It must return within a bounded time, whatever the backend does, and go on when its task is cancelled.
    ///
    /// - Parameter batch: The messages, in order. At most ``ClusterConfiguration/maximumBatchMessages`` of them.
    func emit(_ batch: [ClusterMessage]) async -> BatchOutcome

    /// Whether ``storeSessions(_:for:)`` and ``takeSession(_:in:)`` do what they say. Default: false; then the sessions of a node that
    /// leaves are lost, and their clients start anew.
    var keepsSessions: Bool { get }

    /// Stores the sessions of a node that is about to leave, so that they cannot be lost any more when this returns (with MongoDB:
    /// `w: majority`). A session that is stored under the same namespace and private id is replaced. What cannot be stored, because it is
    /// too large, is left out.
    ///
    /// It must return within a bounded time. Its task is cancelled when the end of the node takes too long.
    ///
    /// - Parameters:
    ///   - sessions: At most ``ClusterConfiguration/maximumBatchMessages`` and ``ClusterConfiguration/maximumBatchBytes``.
    ///   - duration: For how long they are wanted; the driver deletes them some time after that.
    /// - Throws: An error if some may not be stored.
    func storeSessions(_ sessions: [StoredSession], for duration: Duration) async throws

    /// Finds a session and removes it in one step, so that of any number of callers, on any nodes, exactly one gets it.
    ///
    /// It must return within a bounded time.
    ///
    /// - Parameters:
    ///   - pid: The private session id that a client has presented: any text, to be compared as a whole.
    ///   - namespace: The namespace.
    /// - Returns: The session; nil if there is none.
    /// - Throws: An error if it cannot be told; the session counts as lost.
    func takeSession(_ pid: String, in namespace: String) async throws -> StoredSession?

    /// Where copies of sessions are kept for the case that their node crashes. Default: nil; then
    /// ``ClusterConfiguration/snapshotsSessions`` cannot be used.
    var snapshotStore: (any SnapshotStore)? { get }

    /// Where the task that reads the stream runs, such as on the thread that it comes from. Default: nil, on Swift's own threads.
    var readingExecutor: (any TaskExecutor)? { get }

    /// Where the task that writes a lane runs, such as on a thread that may block. Default: nil, on Swift's own threads.
    ///
    /// - Parameter lane: From 0; each is asked for once.
    func writingExecutor(lane: Int) -> (any TaskExecutor)?

    /// Where nodes of other kinds find sessions, if the cluster has any. Default: nil.
    var sessionExchange: (any SessionExchange)? { get }

    /// Releases everything. Called once, after the last `watch` has ended and the last `emit` has returned.
    func close() async
}

extension Driver {
    /// Does nothing.
    public func start() async throws {}
    /// Does nothing.
    public func close() async {}
    /// Swift's own threads.
    public var readingExecutor: (any TaskExecutor)? { nil }
    /// Swift's own threads.
    public func writingExecutor(lane: Int) -> (any TaskExecutor)? { nil }
    /// All nodes are of one kind.
    public var sessionExchange: (any SessionExchange)? { nil }
    /// No copies of sessions are kept.
    public var snapshotStore: (any SnapshotStore)? { nil }
    /// Sessions are not kept.
    public var keepsSessions: Bool { false }
    /// Stores nothing.
    public func storeSessions(_ sessions: [StoredSession], for duration: Duration) async throws {
        throw ClusterError(.notSent, "the driver does not keep sessions")
    }
    /// There are none.
    public func takeSession(_ pid: String, in namespace: String) async throws -> StoredSession? { nil }
}

/// What comes through the stream of a ``Driver``.
public enum DriverItem: Sendable {
    /// The stream is open: what is written from now on will come. The first item of every stream.
    ///
    /// - Parameter lost: Whether messages that were written since the last item were skipped. It does not matter the first time.
    case opened(lost: Bool)
    /// A message of another node, for this one or for all.
    case message(ClusterHeader, ClusterPayload)
    /// A message of this node has come back.
    case own(MessageID, origin: NodeIdentity)
    /// Something that is no message was skipped: why.
    case skipped(String)
    /// A message was skipped because its signature is missing or wrong: why.
    case untrusted(String)
}

/// The body of a message, as far as the driver has decoded it.
public enum ClusterPayload: Sendable {
    /// Nothing is left to do.
    case decoded(ClusterBody)
    /// In the native encoding; see ``ClusterPayloadCoder``.
    case encoded(ByteBuffer)
    /// In an encoding of the driver's own, decoded when it is wanted. It throws for what is not understood.
    case deferred(@Sendable () throws -> ClusterBody)

    /// The body.
    ///
    /// - Parameter header: The message's header.
    /// - Throws: ``ClusterError/Code/malformed``, or what the driver throws.
    public func body(for header: ClusterHeader) throws -> ClusterBody {
        switch self {
        case .decoded(let body): body
        case .encoded(let bytes): try ClusterPayloadCoder.decode(bytes, for: header)
        case .deferred(let decode): try decode()
        }
    }
}
