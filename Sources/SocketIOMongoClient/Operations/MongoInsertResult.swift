// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB

/// The server's answer to an insert.
public struct MongoInsertResult: Sendable {
    /// Documents that were inserted; of an ordered insert those are the first ones.
    public let insertedCount: Int

    /// Documents that the server refused. An ordered insert stops at the first, an unordered one may have several.
    public let writeErrors: [MongoWriteError]

    /// Set if the inserted documents are on the primary but the write concern was not confirmed: a failover may still roll them back.
    public let writeConcernError: MongoWriteConcernError?

    /// Whether everything was inserted and confirmed.
    public var isComplete: Bool {
        writeErrors.isEmpty && writeConcernError == nil
    }

    package init(_ reply: BSONDocument) throws(MongoError) {
        guard let count = reply["n"]?.integer else {
            throw .invalidBSON("the reply of an insert has no count")
        }
        insertedCount = Int(clamping: count)
        writeErrors = try MongoWriteError.all(in: reply)
        writeConcernError = MongoWriteConcernError(reply)
    }
}

/// A document that the server refused to write.
public struct MongoWriteError: Sendable {
    /// Which of the documents, counted from 0.
    public let index: Int
    /// The server's code, such as ``MongoErrorCode/duplicateKey``.
    public let code: MongoErrorCode
    /// For a duplicate key: the pattern of the index.
    public let keyPattern: BSONDocument?
    /// For a duplicate key: the value that exists already.
    public let keyValue: BSONDocument?
    /// The server's text; it quotes the document.
    public let serverMessage: String?

    /// Whether a document with the same `_id` exists already, as it does when an insert is repeated that had succeeded.
    public var isDuplicateID: Bool {
        code == .duplicateKey && keyPattern == Self.idPattern
    }

    private static let idPattern = BSONDocument { $0.append("_id", Int32(1)) }

    static func all(in reply: BSONDocument) throws(MongoError) -> [MongoWriteError] {
        guard let array = reply["writeErrors"]?.array else { return [] }
        var errors: [MongoWriteError] = []
        var reader = BSONReader(array)
        while let element = try reader.next() {
            guard let error = element.document, let index = error["index"]?.integer else {
                throw .invalidBSON("a write error has no index")
            }
            errors.append(
                MongoWriteError(
                    index: Int(clamping: index),
                    code: MongoErrorCode(truncating: error["code"]?.integer ?? 0),
                    keyPattern: error["keyPattern"]?.document,
                    keyValue: error["keyValue"]?.document,
                    serverMessage: error["errmsg"]?.string
                )
            )
        }
        return errors
    }
}

/// A write that the server has applied but could not confirm to the extent that was asked for.
public struct MongoWriteConcernError: Sendable {
    /// The server's code, such as ``MongoErrorCode/writeConcernTimeout``.
    public let code: MongoErrorCode
    /// The server's name of the code.
    public let codeName: String?
    /// The server's text.
    public let serverMessage: String?

    init?(_ reply: BSONDocument) {
        guard let error = reply["writeConcernError"]?.document else { return nil }
        code = MongoErrorCode(truncating: error["code"]?.integer ?? 0)
        codeName = error["codeName"]?.string
        serverMessage = error["errmsg"]?.string
    }
}

extension MongoError {
    /// A write whose write concern was not confirmed.
    static func unconfirmed(_ error: MongoWriteConcernError, reply: BSONDocument) -> MongoError {
        var details = Details()
        details.outcome = .unknown
        details.serverCode = error.code
        details.serverCodeName = error.codeName
        details.serverMessage = error.serverMessage
        details.labels = reply.errorLabels
        details.reply = reply
        return MongoError(
            .write,
            "The write is applied, but the members did not confirm it as the write concern demands.",
            details: details
        )
    }

    /// A single write that the server refused.
    static func refused(_ error: MongoWriteError, reply: BSONDocument) -> MongoError {
        var details = Details()
        details.serverCode = error.code
        details.serverMessage = error.serverMessage
        details.reply = reply
        return MongoError(.write, "The server refused the write.", details: details)
    }
}

#endif
