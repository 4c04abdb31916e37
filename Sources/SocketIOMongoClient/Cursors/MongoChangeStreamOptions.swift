// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB

/// Where and how a change stream is opened.
public struct MongoChangeStreamOptions: Sendable {
    /// Where a change stream begins.
    public struct Start: Sendable {
        enum Position: Sendable {
            case startAfter(BSONDocument)
            case resumeAfter(BSONDocument)
            case operationTime(BSONTimestamp)
        }

        let position: Position

        /// After the event of that token, even if that invalidated the stream.
        public static func startAfter(_ token: BSONDocument) -> Start {
            Start(position: .startAfter(token))
        }

        /// After the event of that token; refused if that invalidated the stream.
        public static func resumeAfter(_ token: BSONDocument) -> Start {
            Start(position: .resumeAfter(token))
        }

        /// At that time of the cluster, inclusive. A time in the future is accepted and hears nothing until then: take it from a reply
        /// of the server, never from the local clock.
        public static func operationTime(_ time: BSONTimestamp) -> Start {
            Start(position: .operationTime(time))
        }
    }

    /// Stages after `$changeStream`. Default: none.
    public var pipeline: [BSONDocument] = []

    /// Where the stream begins. Default `nil`: now.
    public var start: Start?

    /// Events per batch at most. Default `nil`: as many as fit into 16 MiB.
    public var batchSize: Int?

    /// How long the server waits for an event before it answers with an empty batch; bounds how long the thread outlives a
    /// cancellation. It does not delay events. Default 200 ms. Bounds: 1 ms to half of the cursor socket timeout.
    public var maxAwaitTime = Duration.milliseconds(200)

    /// `fullDocument` of `$changeStream`, such as `updateLookup`. Default `nil`: left out.
    public var fullDocument: String?

    /// `readConcern` level. Default `nil`: the server's, which is `majority` for change streams.
    public var readConcernLevel: String?

    /// Which members may serve the stream. Default `nil`: what the connection string says.
    public var readPreference: MongoReadPreference?

    /// Batches that may wait for the reader before the thread stops reading from the server; each is 16 MiB at most. Default 2.
    /// Bounds: at least 1.
    public var bufferedBatches = 2

    /// Runs the task that reads the cursor on the cursor's own thread. Default `nil`.
    public var executor: MongoCursorExecutor?

    /// Makes options with the defaults.
    public init() {}

    /// The command that opens the stream. With a batch size of 0 the server answers at once and scans the oplog in `getMore`.
    func command(collection: String) -> BSONDocument {
        BSONDocument(capacity: 512) { command in
            command.append("aggregate", collection)
            command.appendArray("pipeline") { stages in
                stages.appendDocument { stage in
                    stage.appendDocument("$changeStream") { write(into: &$0) }
                }
                for stage in pipeline {
                    stages.append(stage)
                }
            }
            command.appendDocument("cursor") { $0.append("batchSize", Int32(0)) }
            if let level = readConcernLevel {
                command.appendDocument("readConcern") { $0.append("level", level) }
            }
        }
    }

    private func write(into stage: inout BSONWriter) {
        switch start?.position {
        case .startAfter(let token): stage.append("startAfter", token)
        case .resumeAfter(let token): stage.append("resumeAfter", token)
        case .operationTime(let time): stage.append("startAtOperationTime", time)
        case nil: break
        }
        if let fullDocument = self.fullDocument {
            stage.append("fullDocument", fullDocument)
        }
    }
}

/// How a tailable cursor on a capped collection is opened.
public struct MongoTailOptions: Sendable {
    /// Which documents to read. Default: all.
    public var filter = BSONDocument()

    /// Which fields to read. Default `nil`: all.
    public var projection: BSONDocument?

    /// Documents per batch at most. Default `nil`: as many as fit into 16 MiB.
    public var batchSize: Int?

    /// How long the server waits for a document before it answers with an empty batch; bounds how long the thread outlives a
    /// cancellation. It does not delay documents. Default 200 ms. Bounds: 1 ms to half of the cursor socket timeout.
    public var maxAwaitTime = Duration.milliseconds(200)

    /// Reads from the primary and ends with ``MongoError/Code/notPrimary`` once that has stepped down; without it the cursor silently
    /// goes on reading what is then a secondary. Default `true`.
    public var requiresPrimary = true

    /// Which members may serve the cursor if ``requiresPrimary`` is off. Default `nil`: what the connection string says.
    public var readPreference: MongoReadPreference?

    /// Batches that may wait for the reader before the thread stops reading from the server; each is 16 MiB at most. Default 2.
    /// Bounds: at least 1.
    public var bufferedBatches = 2

    /// Runs the task that reads the cursor on the cursor's own thread. Default `nil`.
    public var executor: MongoCursorExecutor?

    /// Makes options with the defaults.
    public init() {}

    /// The command that opens the cursor.
    func command(collection: String) -> BSONDocument {
        BSONDocument(capacity: 256) { command in
            command.append("find", collection)
            command.append("filter", filter)
            if let projection = self.projection {
                command.append("projection", projection)
            }
            if let batchSize = self.batchSize, batchSize > 0 {
                command.append("batchSize", Int32(clamping: batchSize))
            }
            command.append("tailable", true)
            command.append("awaitData", true)
        }
    }
}

#endif
