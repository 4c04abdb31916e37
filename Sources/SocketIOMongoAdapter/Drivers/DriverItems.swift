// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOMongoClient
import SocketIOCore

/// Decodes the events of a stream and keeps track of its progress.
protocol StreamReader: Sendable {
    /// Reads one document of a batch.
    func read(_ document: BSONDocument, into items: inout [DriverItem])
    /// A batch has arrived.
    func received(_ batch: MongoBatch)
    /// Everything in the batch was delivered.
    func finished(_ batch: MongoBatch)
    /// The server has closed the cursor.
    func ended()
    /// The cursor has failed.
    func failed(_ error: MongoError)
}

/// The items of one cursor: first that it is open, then the content of its batches.
struct DriverItems<Reader: StreamReader>: AsyncSequence, Sendable {
    typealias Element = DriverItem

    let cursor: MongoCursor
    let reader: Reader
    let isLossy: Bool

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(cursor: cursor, reader: reader, isLossy: isLossy) }

    struct AsyncIterator: AsyncIteratorProtocol {
        private var batches: MongoCursor.AsyncIterator
        private let reader: Reader
        private var opening: DriverItem?
        private var batch: MongoBatch?
        private var next = 0
        /// The content of the last document, and how much of it was delivered.
        private var items: [DriverItem] = []
        private var handed = 0

        init(cursor: MongoCursor, reader: Reader, isLossy: Bool) {
            self.batches = cursor.makeAsyncIterator()
            self.reader = reader
            self.opening = .opened(lost: isLossy)
        }

        mutating func next() async throws -> DriverItem? {
            if let opening {
                self.opening = nil
                return opening
            }
            while true {
                if let item = itemOfBatch() { return item }
                guard try await nextBatch() else { return nil }
            }
        }

        private mutating func itemOfBatch() -> DriverItem? {
            if let item = itemOfDocument() { return item }
            guard let batch else { return nil }
            while next < batch.documents.count {
                let document = batch.documents[next]
                next += 1
                reader.read(document, into: &items)
                if let item = itemOfDocument() { return item }
            }
            self.batch = nil
            reader.finished(batch)
            return nil
        }

        private mutating func itemOfDocument() -> DriverItem? {
            guard handed < items.count else {
                items.removeAll(keepingCapacity: true)
                handed = 0
                return nil
            }
            defer { handed += 1 }
            return items[handed]
        }

        private mutating func nextBatch() async throws -> Bool {
            do throws(MongoError) {
                guard let batch = try await batches.next() else {
                    reader.ended()
                    return false
                }
                reader.received(batch)
                self.batch = batch
                next = 0
                return true
            } catch {
                if error.code != .cancelled { reader.failed(error) }
                throw error
            }
        }
    }
}
#endif
