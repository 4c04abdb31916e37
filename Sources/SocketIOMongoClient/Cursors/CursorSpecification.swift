// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB

/// How to open a cursor and how to read its batches.
struct CursorSpecification: Sendable {
    var database: String
    /// `find`, `aggregate`, `listIndexes`… as it is sent.
    var command: BSONDocument
    var readPreference: MongoReadPreference?
    var batchSize: Int?
    /// For tailable and change stream cursors: how long the server waits for something new.
    var maxAwaitTime: Duration?
    /// Whether the cursor ends with an error once its server is no longer the primary.
    var requiresPrimary = false

    /// The command that fetches the next batch.
    func getMore(cursorID: Int64, collection: String) -> BSONDocument {
        BSONDocument { command in
            command.append("getMore", cursorID)
            command.append("collection", collection)
            if let batchSize = self.batchSize, batchSize > 0 {
                command.append("batchSize", Int32(clamping: batchSize))
            }
            if let maxAwaitTime = self.maxAwaitTime {
                command.append("maxTimeMS", Swift.max(1, maxAwaitTime.milliseconds))
            }
        }
    }
}

#endif
