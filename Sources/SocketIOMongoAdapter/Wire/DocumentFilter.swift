// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOMongoClient
import SocketIOCore
import SocketIOText

/// The filter that all formats share: documents for this node, and only the headers of its own documents, which show that they returned.
struct DocumentFilter {
    /// The id of this node.
    var node: NodeID
    /// The field with the only node that a document is for.
    var target: String
    /// The field that names the writer of a document, and its value for this node.
    var origin: (field: String, own: String)
    /// The fields that are read, without the payload.
    var fields: [String]

    /// The stages of a change stream.
    ///
    /// - Parameter match: Adds what else a document must have.
    func changeStreamStages(_ match: (inout BSONWriter) -> Void = { _ in }) -> [BSONDocument] {
        let path = "fullDocument."
        let matching = BSONDocument { stage in
            // Equality and `$in` reach down to the scan of the oplog, `$ne` and `$or` do not.
            stage.appendDocument("$match") { document in
                document.append("operationType", "insert")
                match(&document)
                appendTarget(to: &document, path: path)
            }
        }
        let projecting = BSONDocument { stage in
            stage.appendDocument("$project") { document in
                document.append("clusterTime", Int32(1))
                document.append("wallTime", Int32(1))
                document.appendDocument("fullDocument") { appendFields(to: &$0, path: path) }
            }
        }
        return [matching, projecting]
    }

    /// Adds that the document is for this node, or for all: null is also what is missing.
    func appendTarget(to match: inout BSONWriter, path: String = "") {
        match.appendDocument(path + target) { condition in
            condition.appendArray("$in") { targets in
                targets.appendNull()
                targets.append(node)
            }
        }
    }

    /// Adds all fields that are read; the payload, `data`, only of other nodes' documents.
    func appendFields(to projection: inout BSONWriter, path: String = "") {
        for name in fields { projection.append(name, Int32(1)) }
        projection.appendDocument("data") { data in
            data.appendArray("$cond") { condition in
                condition.appendDocument { comparison in
                    comparison.appendArray("$eq") { operands in
                        operands.append("$" + path + origin.field)
                        operands.appendDocument { $0.append("$literal", origin.own) }
                    }
                }
                condition.append("$$REMOVE")
                condition.append("$" + path + "data")
            }
        }
    }
}
#endif
