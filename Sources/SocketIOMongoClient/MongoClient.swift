// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import CSocketIOLibMongoC
public import Logging
import NIOPosix
import SocketIOConcurrency
import Synchronization

/// A client of one MongoDB deployment: standalone server, replica set or sharded cluster.
///
/// Commands run on a bounded pool of threads that belongs to the client; every open cursor or change stream has one thread and one
/// connection of its own, so that neither can starve the other. Make one client per process and deployment and ``close()`` it.
///
/// ```swift
/// let client = try MongoClient(configuration: .init(connectionString: "mongodb://localhost/?replicaSet=rs0"))
/// let messages = client.database("chat").collection("messages")
/// let result = try await messages.insert(documents)
/// await client.close()
/// ```
public final class MongoClient: Sendable {
    /// The client's configuration.
    public let configuration: MongoClientConfiguration
    /// The database that the path of the connection string names.
    public let defaultDatabase: String?

    private struct State {
        var isClosed = false
        var waiting = 0
        var commandPool: ClientPool?
        var cursorPool: ClientPool?
        var openedPools = 0
        var cursors: [ObjectIdentifier: CursorHandOver] = [:]
    }

    private let state = Mutex(State())
    private let opening = Mutex(())
    private let threads: NIOThreadPool
    /// The thread pool, the two client pools, and the cursors' threads through the client pools.
    private let ended = Latch(count: 3)

    /// Makes a client. Nothing is looked up or connected before the first operation.
    /// - Parameters:
    ///   - configuration: Connection string and limits.
    ///   - logger: Gets libmongoc's own log lines, of all clients of the process, from now on; `nil` leaves them where they go.
    /// - Throws: ``MongoError/Code/invalidArgument`` if the connection string is malformed.
    public init(configuration: MongoClientConfiguration, logger: Logger? = nil) throws(MongoError) {
        let uri = try ConnectionURI(configuration.connectionString)
        logger.map(LibMongoC.log(to:))
        self.configuration = configuration
        defaultDatabase = uri.database()
        let threads = Swift.min(Swift.max(1, configuration.commandThreads), 128, uri.maximumPoolSize())
        self.threads = NIOThreadPool(numberOfThreads: threads)
        self.threads.start()
    }

    deinit {
        beginClose()
    }

    /// A database of the deployment; nothing is sent.
    public func database(_ name: String) -> MongoDatabase {
        MongoDatabase(client: self, name: name)
    }

    /// Refuses new operations, ends all cursors and change streams with ``MongoError/Code/shutDown``, waits for what is running, at
    /// most ``MongoClientConfiguration/shutdownTimeout``, and closes the connections. Calling it again is harmless.
    public func close() async {
        beginClose()
        await ended.wait(atMost: configuration.shutdownTimeout)
    }

    private func beginClose() {
        let before = self.state.withLock { state -> State? in
            guard !state.isClosed else { return nil }
            defer {
                state.isClosed = true
                state.commandPool = nil
                state.cursorPool = nil
                state.cursors = [:]
            }
            return state
        }
        guard let before else { return }
        let ended = self.ended
        for cursor in before.cursors.values {
            cursor.cancel(.shutDown)
        }
        for _ in before.openedPools..<2 {
            ended.countDown()
        }
        threads.shutdownGracefully { _ in ended.countDown() }
    }
}

extension MongoClient {
    /// Runs blocking work with a leased client on one of the command threads.
    ///
    /// Cancelling the task ends the waiting at once: with outcome `notApplied` if the work had not started.
    func onCommandThread<Value: Sendable>(
        _ body: @escaping @Sendable (consuming LeasedClient) throws(MongoError) -> Value
    ) async throws(MongoError) -> Value {
        if MongoCommandThread.isCurrent { return try body(try commandPool().lease()) }
        let pending = PendingCommand<Value>()
        return try await pending.result {
            do throws(MongoError) {
                try admitCommand()
                submit(pending, body)
            } catch {
                pending.finish(.failure(error))
            }
        }
    }

    private func submit<Value: Sendable>(
        _ pending: PendingCommand<Value>,
        _ body: @escaping @Sendable (consuming LeasedClient) throws(MongoError) -> Value
    ) {
        threads.submit { state in
            self.commandLeft()
            guard pending.start() else { return }
            guard case .active = state else {
                pending.finish(.failure(.shutDown))
                return
            }
            do throws(MongoError) {
                pending.finish(.success(try body(try self.commandPool().lease())))
            } catch {
                pending.finish(.failure(error))
            }
        }
    }

    private func admitCommand() throws(MongoError) {
        let refusal = self.state.withLock { state -> MongoError? in
            if state.isClosed { return .shutDown }
            let limit = Swift.max(1, configuration.maximumWaitingCommands)
            if state.waiting >= limit {
                return MongoError(.overloaded, "\(limit) commands are waiting for a thread: MongoDB is slower than its load.")
            }
            state.waiting += 1
            return nil
        }
        if let refusal { throw refusal }
    }

    private func commandLeft() {
        state.withLock { $0.waiting -= 1 }
    }
}

extension MongoClient {
    /// The pool of the commands, made by the first of them. Blocks.
    private func commandPool() throws(MongoError) -> ClientPool {
        try pool(\.commandPool, socketTimeout: nil)
    }

    /// The pool of the cursors, made by the first of them. Blocks.
    func cursorPool() throws(MongoError) -> ClientPool {
        try pool(\.cursorPool, socketTimeout: configuration.cursorSocketTimeout)
    }

    // Making a pool may look up SRV records, so it happens under a lock of its own that only worker threads take.
    private func pool(
        _ slot: any WritableKeyPath<State, ClientPool?> & Sendable,
        socketTimeout: Duration?
    ) throws(MongoError) -> ClientPool {
        if let pool = try current(slot) { return pool }
        return try opening.withLock { _ throws(MongoError) in
            if let pool = try current(slot) { return pool }
            return try makePool(slot, socketTimeout)
        }
    }

    private func makePool(
        _ slot: any WritableKeyPath<State, ClientPool?> & Sendable,
        _ socketTimeout: Duration?
    ) throws(MongoError) -> ClientPool {
        let ended = self.ended
        let pool = try ClientPool(makeURI(socketTimeout: socketTimeout)) { ended.countDown() }
        let isClosed = self.state.withLock { state in
            guard !state.isClosed else { return true }
            state[keyPath: slot] = pool
            state.openedPools += 1
            return false
        }
        if isClosed {
            // Closing has counted this pool as never opened, and its end counts down all the same.
            ended.countUp()
            throw .shutDown
        }
        return pool
    }

    private func current(_ slot: any KeyPath<State, ClientPool?> & Sendable) throws(MongoError) -> ClientPool? {
        let (pool, isClosed) = state.withLock { ($0[keyPath: slot], $0.isClosed) }
        if isClosed { throw .shutDown }
        return pool
    }

    private func makeURI(socketTimeout: Duration?) throws(MongoError) -> ConnectionURI {
        let uri = try ConnectionURI(configuration.connectionString)
        uri.setDefault(MONGOC_URI_SERVERSELECTIONTIMEOUTMS, configuration.serverSelectionTimeout)
        uri.setDefault(MONGOC_URI_CONNECTTIMEOUTMS, configuration.connectTimeout)
        uri.setDefault(MONGOC_URI_HEARTBEATFREQUENCYMS, configuration.heartbeatFrequency)
        if let socketTimeout {
            uri.set(MONGOC_URI_SOCKETTIMEOUTMS, socketTimeout)
        } else {
            uri.setDefault(MONGOC_URI_SOCKETTIMEOUTMS, configuration.socketTimeout)
        }
        if let name = configuration.applicationName {
            uri.setDefaultApplicationName(name)
        }
        return uri
    }

    /// Remembers a cursor so that ``close()`` can end it.
    func register(_ cursor: CursorHandOver) throws(MongoError) {
        let isClosed = self.state.withLock { state in
            guard !state.isClosed else { return true }
            state.cursors[ObjectIdentifier(cursor)] = cursor
            return false
        }
        if isClosed { throw .shutDown }
    }

    /// Forgets a cursor whose thread has ended.
    func unregister(_ cursor: CursorHandOver) {
        _ = state.withLock { $0.cursors.removeValue(forKey: ObjectIdentifier(cursor)) }
    }
}

#endif
