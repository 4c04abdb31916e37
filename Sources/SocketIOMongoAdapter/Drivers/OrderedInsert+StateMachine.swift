// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOMongoClient
import SocketIOCore

/// One attempt to write a batch in order, which may repeat an earlier attempt whose outcome is unknown.
///
/// Documents whose `_id` exists already were written by an earlier attempt. An ordered insert stops at the first of them, so the
/// attempt continues after it.
struct OrderedInsertStateMachine {
    enum Action {
        /// Insert these, in order.
        case insert(Range<Int>)
        /// Look up how many of these, from the first on without a hole, a majority has; then call ``found(_:)``.
        case look(Range<Int>)
        /// The attempt is over.
        case finish(BatchOutcome)
    }

    private enum State {
        case inserting
        case looking
        case finished(BatchOutcome)
    }

    private let sizes: [Int]
    private let bytesPerCommand: Int
    /// The documents before this one are written.
    private var done = 0
    private var state = State.inserting
    /// Whether the collection was dropped or replaced.
    private(set) var isCollectionGone = false
    /// Whether the server refused the UUID of the collection as such.
    private(set) var cannotCompareUUIDs = false

    /// - Parameters:
    ///   - sizes: The sizes of the documents in bytes.
    ///   - bytesPerCommand: What fits into one command.
    init(sizes: [Int], bytesPerCommand: Int) {
        self.sizes = sizes
        self.bytesPerCommand = bytesPerCommand
    }

    /// The next action.
    var next: Action {
        switch state {
        case .finished(let outcome): .finish(outcome)
        case _ where done == sizes.count: .finish(.written)
        case .looking: .look(done..<sizes.count)
        case .inserting: .insert(done..<end)
        }
    }

    /// The end of what fits into one command; at least one document.
    private var end: Int {
        var bytes = 0
        var end = done
        while end < sizes.count {
            bytes += sizes[end] + 16
            guard bytes <= bytesPerCommand || end == done else { break }
            end += 1
        }
        return end
    }

    /// The server has answered an insert.
    mutating func answered(_ result: MongoInsertResult, range: Range<Int>) {
        if let error = result.writeConcernError {
            return finish(.unknown(MongoAdapterError(.failed, "The members did not confirm the write in time (code \(error.code)).")))
        }
        guard let error = result.writeErrors.first else {
            guard result.insertedCount == range.count else {
                return finish(
                    .unknown(MongoAdapterError(.failed, "The server inserted \(result.insertedCount) of \(range.count) documents."))
                )
            }
            done = range.upperBound
            return
        }
        guard range.indices.contains(range.lowerBound + error.index) else {
            return finish(.unknown(MongoAdapterError(.failed, "The server's answer to an insert is malformed.")))
        }
        done = range.lowerBound + error.index
        if error.isDuplicateID {
            done += 1
            state = .looking
        } else if MongoErrorCode.refusedDocument.contains(error.code) {
            finish(.refused(index: done, error: ClusterError(.notSent, "the server refused the document with code \(error.code)")))
        } else {
            let cause = MongoAdapterError(.failed, "The server could not write a document (code \(error.code)).")
            isCollectionGone = error.code == .collectionUUIDMismatch
            finish(isCollectionGone && done == 0 ? .notWritten(cause) : .unknown(cause))
        }
    }

    /// An insert has failed.
    mutating func failed(_ error: MongoError) {
        isCollectionGone = error.serverCode == .collectionUUIDMismatch
        cannotCompareUUIDs = error.serverCode.map(MongoErrorCode.refusedField.contains) ?? false
        finish(error.outcome == .notApplied && done == 0 ? .notWritten(error) : .unknown(error))
    }

    /// A majority has this many of the documents, in the order of the batch and without a hole.
    mutating func found(_ count: Int) {
        done = min(sizes.count, done + max(0, count))
        state = .inserting
    }

    private mutating func finish(_ outcome: BatchOutcome) { state = .finished(outcome) }
}
#endif
