// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOConcurrency
import Logging
import SocketIOMongoClient
import SocketIOCore
import SocketIOText
import Synchronization

/// The client and the collection of an adapter, from its start to its end.
final class MongoConnection: Sendable {
    private struct Open {
        var client: MongoClient
        var collection: MongoCollection
        /// Of a capped collection, on servers that compare it before an insert.
        var uuid: BSONBinary?
        var comparesUUIDs: Bool
        var commitQuorum: Int?
    }

    let configuration: MongoAdapterConfiguration
    let logger: NodeLogger
    let metrics: MongoAdapterMetrics
    let format: any WireFormat
    /// Decodes what arrives on the thread that it arrives on.
    let cursorExecutor = MongoCursorExecutor()
    /// Takes stored sessions in batches.
    let sessions = SessionTaker()
    /// Claims sessions of nodes of other implementations in batches.
    let claims = NodeJSClaims()
    /// The time by the server's clock.
    let time: ServerTime
    /// Signs and verifies stored sessions; nil if signing is off.
    let signer: Signer?
    private let untrusted = SharedLogLimiter()
    private let state = Mutex<Open?>(nil)
    private let commandThreads = Mutex<[MongoCommandThread]>([])
    private let mismatched = Mutex<MongoAdapterError?>(nil)

    init(_ configuration: MongoAdapterConfiguration, format: any WireFormat) {
        self.configuration = configuration
        self.logger = NodeLogger(own: configuration.ownLogger)
        self.metrics = MongoAdapterMetrics(factory: configuration.metricsFactory)
        self.format = format
        self.time = ServerTime(clock: configuration.wallClock)
        self.signer = configuration.makeSigner()
    }

    /// A stored session is not signed as it must be.
    func sessionUntrusted(_ reason: String) {
        metrics.sessionUntrusted()
        untrusted.log { suppressed in
            var metadata: Logger.Metadata = [LogKey.reason: "\(reason)"]
            if let suppressed { metadata[LogKey.suppressed] = "\(suppressed)" }
            logger.current.error("discarded a stored session that is not signed with a known key", metadata: metadata)
        }
    }

    /// The collection, between start and end.
    var collection: MongoCollection? { state.withLock { $0?.collection } }

    /// The UUID that inserts have to name, so that they do not create an ordinary collection after the capped one was dropped.
    var collectionUUID: BSONBinary? { state.withLock { $0?.uuid } }

    /// How many members must have built an index: one, so that senders do not wait for a member that is down.
    var commitQuorum: Int? { state.withLock { $0?.commitQuorum } }

    /// Validates the configuration, checks the deployment, and sets up the collection.
    ///
    /// - Parameters:
    ///   - needsChangeStreams: Whether messages are read with a change stream or a tailable cursor; nil if they are not read at all.
    ///   - threads: How many commands run at the same time.
    func start(needsChangeStreams: Bool?, threads: Int? = nil) async throws(MongoAdapterError) {
        try configuration.validate()
        let client = try makeClient(threads: threads ?? configuration.cluster.lanes + 2)
        let name = configuration.database ?? client.defaultDatabase ?? "socketio"
        let collection = client.database(name).collection(configuration.collection)
        do throws(MongoAdapterError) {
            // 17 is MongoDB 6.0.
            let hello = try await look(client, needsChangeStreams: needsChangeStreams)
            await time.measure { hello.localTime }
            let comparesUUIDs = hello.maximumWireVersion >= 17
            let commitQuorum = hello.takesCommitQuorum ? 1 : nil
            let uuid = try await setUp(collection, commitQuorum: commitQuorum)
            state.withLock {
                $0 = Open(
                    client: client,
                    collection: collection,
                    uuid: comparesUUIDs ? uuid : nil,
                    comparesUUIDs: comparesUUIDs,
                    commitQuorum: commitQuorum
                )
            }
        } catch {
            await end(client)
            throw error
        }
    }

    private func makeClient(threads: Int) throws(MongoAdapterError) -> MongoClient {
        switch configuration.connection.value {
        case .client(let client): return client
        case .connectionString(let string):
            var options = MongoClientConfiguration(connectionString: string)
            options.applicationName = "swift-socketio"
            options.commandThreads = threads
            do throws(MongoError) { return try MongoClient(configuration: options, logger: logger.current) } catch {
                throw MongoAdapterError(.invalidConfiguration, error.message, cause: error)
            }
        }
    }

    private func look(_ client: MongoClient, needsChangeStreams: Bool?) async throws(MongoAdapterError) -> MongoHello {
        let hello: MongoHello
        do throws(MongoError) { hello = try await client.hello() } catch { throw MongoAdapterError(error, while: "connecting") }
        guard let needsChangeStreams else { return hello }
        guard hello.hasChangeStreams || !needsChangeStreams else {
            let text =
                "The server is a standalone mongod, which has no change streams: start it as a replica set (one member is enough), "
                + "or set reading to .tailable and expiration to .capped"
            throw MongoAdapterError(.noChangeStreams, text)
        }
        guard hello.isRouter else { return hello }
        guard needsChangeStreams else {
            let text = "A tailable cursor cannot be used on a sharded cluster: set reading to .changeStream"
            throw MongoAdapterError(.invalidConfiguration, text)
        }
        if configuration.cluster.deafnessTimeout < .seconds(30) {
            logger.current.warning(
                "the streams of a sharded cluster wait for its slowest shard: set cluster.deafnessTimeout to 30 s or more",
                metadata: [LogKey.limit: "\(configuration.cluster.deafnessTimeout)"]
            )
        }
        return hello
    }

    /// Creates the collection and its index if they are missing, even after they were dropped.
    func setUp() async throws(MongoAdapterError) {
        guard let collection else { throw MongoAdapterError(.closed, "the adapter is closed") }
        do throws(MongoAdapterError) {
            let uuid = try await setUp(collection, commitQuorum: commitQuorum)
            state.withLock { state in
                if state?.comparesUUIDs ?? false { state?.uuid = uuid }
            }
        } catch {
            if error.code == .collectionMismatch { isMismatched(error) }
            throw error
        }
        guard mismatched.withLock({ $0.take() }) != nil else { return }
        logger.current.notice("the collection matches the configuration again", metadata: [LogKey.collection: "\(collection.namespace)"])
    }

    /// How the collection differs from the configuration, because another program has recreated it since the start; nil if it does not.
    var mismatch: MongoAdapterError? { mismatched.withLock { $0 } }

    private func isMismatched(_ error: MongoAdapterError) {
        let isNew = mismatched.withLock { mismatch in
            defer { mismatch = error }
            return mismatch == nil
        }
        guard isNew else { return }
        logger.current.error(
            "the collection was recreated with different options; no messages are written or read until it matches the configuration",
            metadata: [LogKey.error: "\(error)"]
        )
    }

    /// Asks the server for its time, about once a minute, without waiting for it.
    func updateTime() {
        time.measureIfDue { [weak self] in
            guard let client = self?.state.withLock({ $0?.client }) else { return nil }
            return try await client.hello().localTime
        }
    }

    /// Whether a node has written to the collection lately; nil if that could not be found out in a short time.
    func findsNodes() async -> Bool? {
        guard let collection else { return nil }
        let beat = configuration.cluster.heartbeatTimeout.components.seconds
        // Ids are made by the clocks of the nodes.
        let seconds = UInt32(clamping: time.milliseconds / 1_000 - max(60, 3 * beat) - Int64(IDDisorder.usualLimit))
        var options = MongoFindOptions()
        options.sort = BSONDocument { $0.append("_id", Int32(-1)) }
        options.hint = BSONDocument { $0.append("_id", Int32(1)) }
        options.projection = BSONDocument { $0.append("_id", Int32(1)) }
        options.maximumTime = .milliseconds(500)
        let filter = format.documentsOfNodes(since: ObjectID(time: seconds, uniquePart: 0))
        do { return try await collection.findOne(filter, options: options) != nil } catch { return nil }
    }

    /// The server does not know about UUIDs of collections in inserts, or may not be asked.
    func stopComparingUUIDs() {
        state.withLock { state in
            state?.comparesUUIDs = false
            state?.uuid = nil
        }
    }

    private func setUp(_ collection: MongoCollection, commitQuorum: Int?) async throws(MongoAdapterError) -> BSONBinary? {
        metrics.collectionSetUp()
        let setUp = CollectionSetUp(
            collection: collection,
            expiration: configuration.expiration,
            managesTTL: configuration.managesTTL,
            expiryField: format.traits.expiryField,
            indexName: format.traits.expiryIndex,
            sessionField: format.traits.sessionIndex,
            logger: logger.current,
            commitQuorum: commitQuorum
        )
        // Retries what an election interrupts, up to ten times half a second apart, so that a node can start during an election.
        for _ in 0..<10 {
            do throws(MongoAdapterError) { return try await setUp.run() } catch {
                guard let cause = error.cause as? MongoError, cause.isFailover else { throw error }
            }
            do { try await Task.sleep(for: .milliseconds(500)) } catch { throw MongoAdapterError(.closed, "the task was cancelled") }
        }
        return try await setUp.run()
    }

    /// A thread for a lane to write on, until the end.
    func makeCommandThread() -> MongoCommandThread {
        let thread = MongoCommandThread()
        commandThreads.withLock { $0.append(thread) }
        return thread
    }

    func close() async {
        let threads = commandThreads.withLock { threads in
            defer { threads.removeAll() }
            return threads
        }
        for thread in threads { thread.stop() }
        await sessions.close()
        await claims.close()
        await time.close()
        let open = state.withLock { state in
            defer { state = nil }
            return state
        }
        if let open { await end(open.client) }
    }

    /// A client of the application's own stays open.
    private func end(_ client: MongoClient) async {
        if case .connectionString = configuration.connection.value { await client.close() }
    }
}
#endif
