// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOConcurrency
import SocketIOMongoClient
import NIOCore
import SocketIOCore
import Synchronization

/// Carries messages over a change stream, one for the process.
final class ChangeStreamDriver: MongoDriver {
    let connection: MongoConnection
    private let writer: BatchWriter
    private let state = Mutex(ChangeStreamStateMachine())

    init(connection: MongoConnection) {
        self.connection = connection
        self.writer = BatchWriter(connection: connection)
    }

    var isUnstable: Bool { state.withLock { $0.isUnstable(now: .now()) } }

    func start() async throws { try await connection.start(needsChangeStreams: true) }

    func emit(_ batch: [ClusterMessage]) async -> BatchOutcome { await writer.write(batch) }

    func watch(as node: NodeID) async throws -> DriverItems<Reader> {
        let opening = state.withLock { $0.open(now: .now()) }
        if opening.pause > .zero { try await Task.sleep(for: .nanoseconds(opening.pause.nanoseconds)) }
        if opening.needsSetUp { try await connection.setUp() }
        guard let collection = connection.collection else { throw MongoAdapterError(.closed, "the adapter is closed") }
        do throws(MongoError) {
            let cursor = try await collection.watch(options(opening, node))
            state.withLock { $0.opened(token: cursor.initialResumeToken) }
            connection.metrics.cursorOpened(lost: opening.isLossy)
            return DriverItems(cursor: cursor, reader: Reader(driver: self, node: node), isLossy: opening.isLossy)
        } catch {
            if error.code != .cancelled { state.withLock { $0.failed(error, now: .now()) } }
            throw error
        }
    }

    private func options(_ opening: ChangeStreamStateMachine.Opening, _ node: NodeID) -> MongoChangeStreamOptions {
        var options = MongoChangeStreamOptions()
        options.pipeline = connection.format.changeStreamStages(for: node)
        options.batchSize = opening.readsSingly ? 1 : connection.configuration.readBatchSize
        options.maxAwaitTime = connection.configuration.maxAwaitTime
        options.executor = connection.cursorExecutor
        options.start =
            switch opening.position {
            case .now: nil
            case .after(let token): .startAfter(token)
            case .at(let time): .operationTime(time)
            }
        return options
    }

    struct Reader: StreamReader {
        let driver: ChangeStreamDriver
        let node: NodeID

        func read(_ event: BSONDocument, into items: inout [DriverItem]) {
            guard let document = event["fullDocument"]?.document else { return items.append(.skipped("a change event has no document")) }
            driver.connection.format.decode(document, for: node, into: &items)
        }

        func received(_ batch: MongoBatch) {
            guard let event = batch.documents.last else { return }
            let time = event["wallTime"]?.dateMilliseconds ?? event["clusterTime"]?.timestamp.map { Int64($0.time) * 1_000 }
            if let time { driver.connection.metrics.read(lagMilliseconds: WallClock.millisecondsSince1970() &- time) }
        }

        func finished(_ batch: MongoBatch) { driver.state.withLock { $0.read(upTo: batch.postBatchResumeToken) } }
        func ended() { driver.state.withLock { $0.ended() } }
        func failed(_ error: MongoError) { driver.state.withLock { $0.failed(error, now: .now()) } }
    }
}
#endif
