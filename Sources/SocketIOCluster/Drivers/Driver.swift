// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
public import SocketIOCore

/// Carries the messages of a cluster: over a MongoDB change stream, a tailable cursor, an in-memory bus, or your own backend.
///
/// A driver does not interpret messages. It must guarantee three things:
/// - **One order.** All nodes receive the messages in the same order. The messages that a node writes through one lane arrive in the
///   order of its batches, and within a batch in its order.
/// - **No silent loss.** A stream that breaks resumes where it was, or reports that it could not (``DriverItem/opened(lost:)``).
/// - **Honest outcomes.** ``emit(_:)`` reports only what is certain. A batch that is retried is not written twice: messages whose ids exist
///   already count as written.
public protocol Driver: Sendable {
    /// The stream. It ends, or throws, when it breaks; the node then calls ``watch(as:)`` again.
    associatedtype Items: AsyncSequence & Sendable where Items.Element == DriverItem

    /// The maximum size of a message in bytes, as estimated by the node.
    var messageLimit: Int { get }

    /// Tells why a message can never be written, whatever the state of the backend: its sender gets the error, and the message no place in
    /// the lane. It is read once and then called for each message that is sent, so it must be quick for ordinary ones. Default: nil, every
    /// message of at most ``messageLimit`` can be written.
    var messageCheck: (@Sendable (_ body: ClusterBody, _ namespace: String) -> ClusterError?)? { get }

    /// What is wrong with the backend that the node cannot see: ``ClusterHealth/mismatched`` if it is not as configured,
    /// ``ClusterHealth/deaf`` if the stream keeps losing its place. Asked several times a second; it must not wait. Default: nil, nothing.
    var backendHealth: ClusterHealth? { get }

    /// Prepares the backend, for instance creates a collection. Called once, before anything else.
    ///
    /// - Throws: An error that makes the start of the server fail, with advice in its message.
    func start() async throws

    /// Opens the stream, or reopens it where the last one ended.
    ///
    /// - Parameter node: The id of this node. Messages that are only for other nodes are left out; its own arrive as
    ///   ``DriverItem/own(_:origin:)``.
    func watch(as node: NodeID) async throws -> Items

    /// Tries once to write a batch. Different lanes call it concurrently; a single lane does not.
    ///
    /// It must return within a bounded time, whatever the backend does, and continue when its task is cancelled.
    ///
    /// - Parameter batch: The messages, in order. At most ``ClusterConfiguration/maximumBatchMessages`` of them.
    func emit(_ batch: [ClusterMessage]) async -> BatchOutcome

    /// Whether ``storeSessions(_:for:)`` and ``takeSession(_:in:)`` are implemented. Default: false; then the sessions of a node that
    /// leaves are lost, and their clients start anew.
    var keepsSessions: Bool { get }

    /// Stores the sessions of a node that is about to leave, durably: they cannot be lost after this returns (with MongoDB: `w: majority`).
    /// A session that is stored under the same namespace and private id is replaced. Sessions that are too large are left out.
    ///
    /// It must return within a bounded time. Its task is cancelled when closing the node takes too long.
    ///
    /// - Parameters:
    ///   - sessions: At most ``ClusterConfiguration/maximumBatchMessages`` and ``ClusterConfiguration/maximumBatchBytes``.
    ///   - duration: How long they are needed; the driver deletes them some time after that.
    /// - Throws: An error if some may not be stored.
    func storeSessions(_ sessions: [StoredSession], for duration: Duration) async throws

    /// Finds a session and removes it in one atomic step, so that of any number of callers, on any nodes, exactly one gets it.
    ///
    /// It must return within a bounded time.
    ///
    /// - Parameters:
    ///   - pid: The private session id that a client has presented: arbitrary text, to be compared as a whole.
    ///   - namespace: The namespace.
    /// - Returns: The session; nil if there is none.
    /// - Throws: An error if the outcome is unknown; the session counts as lost.
    func takeSession(_ pid: String, in namespace: String) async throws -> StoredSession?

    /// Where snapshots of sessions are kept in case their node crashes. Default: nil; then
    /// ``ClusterConfiguration/snapshotsSessions`` cannot be used.
    var snapshotStore: (any SnapshotStore)? { get }

    /// Where the task that reads the stream runs, for instance a thread of the driver. Default: nil, the global pool.
    var readingExecutor: (any TaskExecutor)? { get }

    /// Where the task that writes a lane runs, for instance a thread that may block. Default: nil, the global pool.
    ///
    /// - Parameter lane: The number of the lane, from 0. Called once for each lane.
    func writingExecutor(lane: Int) -> (any TaskExecutor)?

    /// Where sessions are exchanged with nodes of another implementation, if the cluster may have any. Default: nil.
    var sessionExchange: (any SessionExchange)? { get }

    /// Releases everything. Called once, after the last `watch` has ended and the last `emit` has returned.
    func close() async
}

extension Driver {
    /// Does nothing.
    public func start() async throws {}
    /// Does nothing.
    public func close() async {}
    /// The global pool.
    public var readingExecutor: (any TaskExecutor)? { nil }
    /// The global pool.
    public func writingExecutor(lane: Int) -> (any TaskExecutor)? { nil }
    /// Every message of at most ``messageLimit`` can be written.
    public var messageCheck: (@Sendable (_ body: ClusterBody, _ namespace: String) -> ClusterError?)? { nil }
    /// Nothing is wrong.
    public var backendHealth: ClusterHealth? { nil }
    /// All nodes are of one implementation.
    public var sessionExchange: (any SessionExchange)? { nil }
    /// No snapshots of sessions are kept.
    public var snapshotStore: (any SnapshotStore)? { nil }
    /// Sessions are not kept.
    public var keepsSessions: Bool { false }
    /// Always throws.
    public func storeSessions(_ sessions: [StoredSession], for duration: Duration) async throws {
        throw ClusterError(.notSent, "the driver does not keep sessions")
    }
    /// Always nil.
    public func takeSession(_ pid: String, in namespace: String) async throws -> StoredSession? { nil }
}

/// An item of the stream of a ``Driver``.
public enum DriverItem: Sendable {
    /// The stream is open: everything that is written from now on will arrive. The first item of every stream.
    ///
    /// - Parameter lost: Whether messages were skipped that were written since the last item. Ignored the first time.
    case opened(lost: Bool)
    /// A message of another node, for this one or for all.
    case message(ClusterHeader, ClusterPayload)
    /// A message of this node has returned.
    case own(MessageID, origin: NodeIdentity)
    /// Something that is not a message was skipped; with the reason.
    case skipped(String)
    /// A message was skipped because its signature is missing or wrong; with the reason.
    case untrusted(String)
}

/// The body of a message, as far as the driver has decoded it.
public enum ClusterPayload: Sendable {
    /// Decoded.
    case decoded(ClusterBody)
    /// In the native encoding; see ``ClusterPayloadCoder``.
    case encoded(ByteBuffer)
    /// In an encoding of the driver, decoded when needed. It throws an error if the payload is malformed.
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
