#if MongoDB
import MongoClient
import NIOCore
import SocketIOCore
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

    func emit(_ batch: [ClusterMessage]) async -> BatchOutcome { await writer.write(batch) }

    func watch(as node: NodeID) async throws -> DriverItems<Reader> {
        let opening = state.withLock { $0.open(now: .now()) }
        if opening.pause > .zero { try await Task.sleep(for: .nanoseconds(opening.pause.nanoseconds)) }
        if opening.needsSetUp { try await connection.setUp() }
        guard let collection = connection.collection else { throw MongoAdapterError(.closed, "the adapter is closed") }
        do throws(MongoError) {
            let marker = try await insertMarker(collection)
            let cursor = try await collection.tail(options(from: opening.start ?? marker, node))
            // Asked after the opening, so that nothing can be pushed out unseen in between.
            let oldest = try await oldest(collection)
            let isLossy = state.withLock { $0.opened(marker: marker, oldest: oldest, now: .now()) }
            connection.metrics.cursorOpened(lost: isLossy)
            return DriverItems(cursor: cursor, reader: Reader(driver: self, node: node), isLossy: isLossy)
        } catch {
            if error.code != .cancelled { state.withLock { $0.failed(error, now: .now()) } }
            throw error
        }
    }

    /// On an empty collection a cursor is dead at once.
    ///
    /// - Returns: The time that the primary has given to the marker.
    private func insertMarker(_ collection: MongoCollection) async throws(MongoError) -> BSONTimestamp {
        let id = ObjectID()
        let marker = format.marker(id, createdAt: WallClock.milliseconds())
        _ = try await collection.insert([marker], writeConcern: .members(1), uuid: connection.collectionUUID)
        let found = try await read(collection, BSONDocument { $0.append("_id", id) }, options(for: nil))
        // A small collection under heavy load may have lost it already; then everything that is there is newer.
        return found ?? BSONTimestamp(time: 0, increment: 0)
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
            driver.format.decode(document, for: node, into: &items)
        }

        func received(_ batch: MongoBatch) {
            guard let time = batch.documents.last?["ts"]?.timestamp else { return }
            driver.connection.metrics.read(lagMilliseconds: WallClock.milliseconds() - Int64(time.time) * 1_000)
        }

        func finished(_ batch: MongoBatch) {
            let time = batch.documents.last?["ts"]?.timestamp
            driver.state.withLock { $0.read(upTo: time) }
        }

        func ended() { driver.state.withLock { $0.ended() } }
        func failed(_ error: MongoError) { driver.state.withLock { $0.failed(error, now: .now()) } }
    }
}
#endif
