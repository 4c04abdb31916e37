// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import Synchronization

/// An open cursor: of a find, of a tailable find, or of a change stream. It has a thread and a connection of its own.
///
/// Iterate over it once, from one task; a second reader gets ``MongoError/Code/invalidArgument``. Its elements are batches, because passing
/// single documents between threads would cost more than the documents themselves:
/// - it ends when the server has closed the cursor: a find was read to its end, a collection was dropped, or a tailable cursor found an
///   empty collection;
/// - it throws ``MongoError`` at the first error of any kind, exactly once. It never resumes by itself: open a new cursor with the
///   token or position of the last batch.
///
/// Cancelling the iterating task, calling ``cancel()``, closing the client or releasing the cursor ends it. The iteration ends at
/// once; the thread follows after the `maxAwaitTime` of the cursor at most (a server that does not answer: the cursor socket timeout).
public final class MongoCursor: AsyncSequence, Sendable {
    /// One answer of the server.
    public typealias Element = MongoBatch
    /// Everything that a cursor throws.
    public typealias Failure = MongoError

    /// Host and port of the server that the cursor is open on.
    public let serverAddress: String

    /// Change streams only: the token of the moment at which the stream was opened, before its first batch.
    public let initialResumeToken: BSONDocument?

    private let handOver: CursorHandOver
    // A cursor keeps its client alive.
    private let client: MongoClient

    fileprivate init(_ opened: OpenedCursor, handOver: CursorHandOver, client: MongoClient) {
        self.client = client
        serverAddress = opened.serverAddress
        initialResumeToken = opened.resumeToken
        self.handOver = handOver
    }

    deinit {
        cancel()
    }

    /// Ends the cursor; the iteration throws ``MongoError/Code/cancelled``.
    public func cancel() {
        handOver.cancel(.cancelled(outcome: .notApplied))
    }

    /// Whether the cursor has neither ended nor failed nor been cancelled; batches may still wait to be read.
    public var isAlive: Bool {
        !handOver.isEnded
    }

    /// How long the server has not answered. While the reader keeps up, an open cursor gets an answer, if only an empty one, about
    /// every `maxAwaitTime`; seconds of silence mean a server that hangs, a network that is cut, or a long way to catch up with.
    public var silence: Duration {
        handOver.silence
    }

    /// Starts reading.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(cursor: self)
    }

    /// Reads the batches one by one.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let cursor: MongoCursor

        fileprivate init(cursor: MongoCursor) {
            self.cursor = cursor
        }

        /// The next batch; see ``MongoCursor`` for when it ends and throws.
        public mutating func next() async throws(MongoError) -> MongoBatch? {
            try await cursor.handOver.next()
        }

        /// The next batch; see ``MongoCursor`` for when it ends and throws.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(MongoError) -> MongoBatch? {
            try await cursor.handOver.next()
        }
    }
}

/// The server's answer when it opens a cursor.
private struct OpenedCursor: Sendable {
    let serverAddress: String
    let resumeToken: BSONDocument?
}

extension MongoClient {
    /// Opens a cursor on a thread of its own.
    func openCursor(
        _ specification: CursorSpecification,
        bufferedBatches: Int,
        executor: MongoCursorExecutor? = nil
    ) async throws(MongoError) -> MongoCursor {
        let handOver = CursorHandOver(capacity: bufferedBatches)
        let pending = PendingCommand<OpenedCursor>()
        do throws(MongoError) {
            let opened = try await pending.result {
                do throws(MongoError) {
                    try register(handOver)
                    startThread(specification, pending, handOver, executor)
                } catch {
                    pending.finish(.failure(error))
                }
            }
            return MongoCursor(opened, handOver: handOver, client: self)
        } catch {
            // If the task was cancelled, the thread has to hear of it.
            handOver.cancel(error)
            throw error
        }
    }

    // The thread keeps the pool alive, not the client.
    private func startThread(
        _ specification: CursorSpecification,
        _ pending: PendingCommand<OpenedCursor>,
        _ handOver: CursorHandOver,
        _ executor: MongoCursorExecutor?
    ) {
        let isStarted = DedicatedThread.run(name: "mongo-cursor") { [weak self] in
            executor?.adoptThread()
            Self.run(specification, pending, handOver) { () throws(MongoError) in
                guard let pool = try self?.cursorPool() else { throw .shutDown }
                return pool
            }
            self?.unregister(handOver)
            MongoCursorExecutor.leaveThread()
        }
        if !isStarted {
            unregister(handOver)
            pending.finish(.failure(MongoError(.overloaded, "The system has no thread left for a cursor.")))
        }
    }

    private static func run(
        _ specification: CursorSpecification,
        _ pending: PendingCommand<OpenedCursor>,
        _ handOver: CursorHandOver,
        pool: () throws(MongoError) -> ClientPool
    ) {
        guard pending.start() else { return }
        do throws(MongoError) {
            let cursor = try ServerCursor(specification, lease: try pool().tryLease())
            let first = try cursor.next()
            handOver.noteAnswer()
            pending.finish(.success(OpenedCursor(serverAddress: cursor.server.address, resumeToken: first?.postBatchResumeToken)))
            MongoCursorExecutor.runJobs()
            try Self.pump(cursor, first, handOver)
        } catch {
            pending.finish(.failure(error))
            handOver.finish(.failure(error))
        }
    }

    // Of the quiet batches only those are handed over that move the resume token.
    private static func pump(_ cursor: ServerCursor, _ first: MongoBatch?, _ handOver: CursorHandOver) throws(MongoError) {
        var batch = first
        var token: BSONDocument?
        while let current = batch {
            if !current.documents.isEmpty || current.postBatchResumeToken != token {
                token = current.postBatchResumeToken
                guard handOver.offer(current) else { return }
                MongoCursorExecutor.runJobs()
            }
            guard !handOver.isEnded else { return }
            batch = try cursor.next()
            handOver.noteAnswer()
        }
        handOver.finish(.success(()))
    }
}

#endif
