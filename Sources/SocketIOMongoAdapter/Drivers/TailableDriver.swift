// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOConcurrency
import SocketIOMongoClient
import NIOCore
import SocketIOCore
import SocketIOText
import Synchronization

/// Carries messages over a tailable cursor on a capped collection, on the primary.
final class TailableDriver: MongoDriver {
    let connection: MongoConnection
    private let format: any TailableWireFormat
    private let writer: BatchWriter
    private let state = Mutex(TailStateMachine())

    init(connection: MongoConnection, format: any TailableWireFormat) {
        self.connection = connection
        self.format = format
        self.writer = BatchWriter(connection: connection)
    }

    var isUnstable: Bool { state.withLock { $0.isUnstable(now: .now()) } }

    func start() async throws { try await connection.start(needsChangeStreams: false) }

    func emit(_ batch: [ClusterMessage]) async -> BatchOutcome {
        // Before they are written: they may come back sooner than the answer.
        if let last = batch.last(where: { $0.header.target == nil }) { state.withLock { $0.writes(ObjectID(last.header.id)) } }
        return await writer.write(batch)
    }

    func watch(as node: NodeID) async throws -> DriverItems<Reader> {
        let opening = state.withLock { $0.open(now: .now()) }
        if opening.pause > .zero { try await Task.sleep(for: .nanoseconds(opening.pause.nanoseconds)) }
        if opening.needsSetUp { try await connection.setUp() }
        guard let collection = connection.collection else { throw MongoAdapterError(.closed, "the adapter is closed") }
        do throws(MongoError) {
            let (marker, time) = try await insertMarker(collection, isFirst: opening.first == nil)
            let start = opening.start ?? time ?? BSONTimestamp(time: 0, increment: 0)
            let cursor = try await collection.tail(options(from: start, node))
            // Asked after the opening, so that nothing can be pushed out unseen in between.
            let found = try await look(collection, opening, marker, time)
            let isLossy = state.withLock { $0.opened(found, now: .now()) }
            connection.metrics.cursorOpened(lost: isLossy)
            return DriverItems(cursor: cursor, reader: Reader(driver: self, node: node), isLossy: isLossy)
        } catch {
            if error.code != .cancelled { state.withLock { $0.failed(error, now: .now()) } }
            throw error
        }
    }

    private func look(
        _ collection: MongoCollection,
        _ opening: TailStateMachine.Opening,
        _ marker: ObjectID,
        _ time: BSONTimestamp?
    ) async throws(MongoError) -> TailStateMachine.Found {
        var hasAnchor = false
        for id in opening.anchors where !hasAnchor { hasAnchor = try await isThere(id, collection) }
        var hasFirst = false
        if let first = opening.first { hasFirst = try await isThere(first, collection) }
        let oldest = try await oldest(collection)
        return .init(marker: marker, time: time, oldest: oldest, hasAnchor: hasAnchor, hasFirst: hasFirst)
    }

    private func isThere(_ id: ObjectID, _ collection: MongoCollection) async throws(MongoError) -> Bool {
        try await collection.findOne(BSONDocument { $0.append("_id", id) }, options: options(for: nil)) != nil
    }

    /// On an empty collection a cursor is dead at once.
    ///
    /// - Parameter isFirst: Whether this node begins with the marker. A failover must not remove that one.
    /// - Returns: Its id, and the time that the primary has assigned. The time is nil if a small collection under heavy load has already
    ///   overwritten the marker: then all documents in the collection are newer.
    private func insertMarker(_ collection: MongoCollection, isFirst: Bool) async throws(MongoError) -> (ObjectID, BSONTimestamp?) {
        let id = ObjectID()
        let marker = format.marker(id, createdAt: connection.time.milliseconds)
        let concern = isFirst ? MongoWriteConcern.majority.timeout(.seconds(5)) : .members(1)
        _ = try await collection.insert([marker], writeConcern: concern, uuid: connection.collectionUUID)
        return (id, try await read(collection, BSONDocument { $0.append("_id", id) }, options(for: nil)))
    }

    private func oldest(_ collection: MongoCollection) async throws(MongoError) -> BSONTimestamp? {
        let filter = BSONDocument { filter in filter.appendDocument("ts") { $0.append("$type", "timestamp") } }
        return try await read(collection, filter, options(for: BSONDocument { $0.append("$natural", Int32(1)) }))
    }

    private func read(
        _ collection: MongoCollection,
        _ filter: BSONDocument,
        _ options: MongoFindOptions
    ) async throws(MongoError) -> BSONTimestamp? {
        try await collection.findOne(filter, options: options)?["ts"]?.timestamp
    }

    private func options(for sort: BSONDocument?) -> MongoFindOptions {
        var options = MongoFindOptions()
        options.sort = sort
        options.projection = BSONDocument { $0.append("ts", Int32(1)) }
        options.readPreference = .primary
        return options
    }

    private func options(from time: BSONTimestamp, _ node: NodeID) -> MongoTailOptions {
        var options = MongoTailOptions()
        options.filter = format.tailFilter(for: node, from: time)
        options.projection = format.tailProjection(for: node)
        options.batchSize = connection.configuration.readBatchSize
        options.maxAwaitTime = connection.configuration.maxAwaitTime
        options.executor = connection.cursorExecutor
        return options
    }

    struct Reader: StreamReader {
        let driver: TailableDriver
        let node: NodeID

        func read(_ document: BSONDocument, into items: inout [DriverItem]) {
            let isBeforeFirst = driver.state.withLock { state in
                guard state.isBeforeFirst else { return false }
                state.passed(document["_id"]?.objectID)
                return true
            }
            guard !isBeforeFirst else { return }
            driver.format.decode(document, for: node, into: &items)
            guard case .own(let id, _) = items.last else { return }
            driver.state.withLock { $0.read(ObjectID(id), at: document["ts"]?.timestamp) }
        }

        func received(_ batch: MongoBatch) {
            guard let time = batch.documents.last?["ts"]?.timestamp else { return }
            driver.connection.metrics.read(lagMilliseconds: WallClock.millisecondsSince1970() - Int64(time.time) * 1_000)
        }

        func finished(_ batch: MongoBatch) {
            driver.state.withLock { $0.read() }
        }

        func ended() { driver.state.withLock { $0.ended() } }
        func failed(_ error: MongoError) { driver.state.withLock { $0.failed(error, now: .now()) } }
    }
}
#endif
