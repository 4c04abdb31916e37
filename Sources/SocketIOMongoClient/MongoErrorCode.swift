// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB

/// An error code of the MongoDB server.
///
/// The constants are the codes that this package handles, under the names that the server gives them. Every other code can be made from
/// its number: `MongoErrorCode(rawValue: 112)`.
public struct MongoErrorCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number that the server sends.
    public let rawValue: Int32

    /// Makes the code of a number.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// The code of a field of a reply.
    init(truncating value: Int64) { self.init(rawValue: Int32(truncatingIfNeeded: value)) }

    /// The number.
    public var description: String { "\(rawValue)" }
}

// MARK: Arguments

extension MongoErrorCode {
    /// A value of the command is not allowed, such as a tailable cursor on a collection that is not capped.
    public static let badValue = MongoErrorCode(rawValue: 2)
    /// The command could not be parsed.
    public static let failedToParse = MongoErrorCode(rawValue: 9)
    /// A value has the wrong type.
    public static let typeMismatch = MongoErrorCode(rawValue: 14)
    /// The operation is not allowed here, for instance a retryable write on a standalone server.
    public static let illegalOperation = MongoErrorCode(rawValue: 20)
    /// Two operators of an update change the same path.
    public static let conflictingUpdateOperators = MongoErrorCode(rawValue: 40)
    /// A field name begins with `$`.
    public static let dollarPrefixedFieldName = MongoErrorCode(rawValue: 52)
    /// A document holds a malformed DBRef.
    public static let invalidDBRef = MongoErrorCode(rawValue: 55)
    /// A field name is empty.
    public static let emptyFieldName = MongoErrorCode(rawValue: 56)
    /// A field name contains a dot.
    public static let dottedFieldName = MongoErrorCode(rawValue: 57)
    /// The server does not know the command.
    public static let commandNotFound = MongoErrorCode(rawValue: 59)
    /// The stable API, in strict mode, does not include the command or one of its fields.
    public static let apiStrictError = MongoErrorCode(rawValue: 323)
    /// A document, or the event of a change stream, is larger than BSON allows.
    public static let bsonObjectTooLarge = MongoErrorCode(rawValue: 10_334)
    /// The server does not know a stage of the pipeline.
    public static let unknownPipelineStage = MongoErrorCode(rawValue: 40_324)
    /// A field of the command is given twice.
    public static let duplicateCommandField = MongoErrorCode(rawValue: 40_413)
    /// A required field of the command is missing.
    public static let missingCommandField = MongoErrorCode(rawValue: 40_414)
    /// The server does not know a field of the command.
    public static let unknownCommandField = MongoErrorCode(rawValue: 40_415)
}

// MARK: Users

extension MongoErrorCode {
    /// The user does not exist.
    public static let userNotFound = MongoErrorCode(rawValue: 11)
    /// The user lacks a privilege.
    public static let unauthorized = MongoErrorCode(rawValue: 13)
    /// The credentials are wrong.
    public static let authenticationFailed = MongoErrorCode(rawValue: 18)
    /// MongoDB Atlas refused the command, usually for lack of a privilege.
    public static let atlasError = MongoErrorCode(rawValue: 8_000)
}

// MARK: Collections, indexes and documents

extension MongoErrorCode {
    /// The collection does not exist.
    public static let namespaceNotFound = MongoErrorCode(rawValue: 26)
    /// The collection exists already.
    public static let namespaceExists = MongoErrorCode(rawValue: 48)
    /// The options of an index, such as its TTL, do not fit the collection.
    public static let cannotCreateIndex = MongoErrorCode(rawValue: 67)
    /// The options of a collection or an index contradict each other.
    public static let invalidOptions = MongoErrorCode(rawValue: 72)
    /// The name of the collection is not valid.
    public static let invalidNamespace = MongoErrorCode(rawValue: 73)
    /// An index with the same keys exists with other options.
    public static let indexOptionsConflict = MongoErrorCode(rawValue: 85)
    /// An index with the same name exists with other keys or options.
    public static let indexKeySpecsConflict = MongoErrorCode(rawValue: 86)
    /// The collection's validator rejected the document.
    public static let documentValidationFailure = MongoErrorCode(rawValue: 121)
    /// A view does not support the command.
    public static let commandNotSupportedOnView = MongoErrorCode(rawValue: 166)
    /// The specification of an index has a field that is not valid.
    public static let invalidIndexSpecificationOption = MongoErrorCode(rawValue: 197)
    /// The collection is not the one whose UUID the command names: it was dropped or replaced.
    public static let collectionUUIDMismatch = MongoErrorCode(rawValue: 361)
    /// A unique index holds the key already.
    public static let duplicateKey = MongoErrorCode(rawValue: 11_000)
    /// A key is too long for its index; only servers before 4.2 send it.
    public static let keyTooLong = MongoErrorCode(rawValue: 17_280)
}

// MARK: Time and connections

extension MongoErrorCode {
    /// Another server, such as a shard, could not be reached.
    public static let hostUnreachable = MongoErrorCode(rawValue: 6)
    /// The address of another server could not be resolved.
    public static let hostNotFound = MongoErrorCode(rawValue: 7)
    /// The operation exceeded `maxTimeMS`.
    public static let maxTimeExpired = MongoErrorCode(rawValue: 50)
    /// The members did not confirm the write in time.
    public static let writeConcernTimeout = MongoErrorCode(rawValue: 64)
    /// A connection between servers timed out.
    public static let networkTimeout = MongoErrorCode(rawValue: 89)
    /// No member of a shard matches the read preference.
    public static let failedToSatisfyReadPreference = MongoErrorCode(rawValue: 133)
    /// A request between servers timed out.
    public static let networkInterfaceExceededTimeLimit = MongoErrorCode(rawValue: 202)
    /// The operation exceeded a time limit.
    public static let exceededTimeLimit = MongoErrorCode(rawValue: 262)
    /// The operation ran in a transaction that lasted too long.
    public static let transactionExceededLifetimeLimit = MongoErrorCode(rawValue: 290)
    /// A connection pool between servers was cleared.
    public static let connectionPoolExpired = MongoErrorCode(rawValue: 317)
    /// The server cannot run the operation in an internal transaction.
    public static let internalTransactionNotSupported = MongoErrorCode(rawValue: 358)
    /// A connection between servers failed.
    public static let connectionError = MongoErrorCode(rawValue: 384)
    /// A connection between servers broke.
    public static let socketException = MongoErrorCode(rawValue: 9_001)
}

// MARK: Elections, shutdowns and shards

extension MongoErrorCode {
    /// The router's view of a shard is out of date; only old servers send it.
    public static let staleShardVersion = MongoErrorCode(rawValue: 63)
    /// The server is shutting down.
    public static let shutdownInProgress = MongoErrorCode(rawValue: 91)
    /// The router's view of a shard is from an earlier epoch.
    public static let staleEpoch = MongoErrorCode(rawValue: 150)
    /// The primary stepped down.
    public static let primarySteppedDown = MongoErrorCode(rawValue: 189)
    /// The server is not the primary; sent by servers before 4.2.
    public static let legacyNotPrimary = MongoErrorCode(rawValue: 10_058)
    /// The server is not the primary.
    public static let notWritablePrimary = MongoErrorCode(rawValue: 10_107)
    /// The operation was interrupted because the server is shutting down.
    public static let interruptedAtShutdown = MongoErrorCode(rawValue: 11_600)
    /// The operation was interrupted, for instance by an administrator.
    public static let interrupted = MongoErrorCode(rawValue: 11_601)
    /// The operation was interrupted by a change of the member's state, such as a step-down.
    public static let interruptedDueToReplStateChange = MongoErrorCode(rawValue: 11_602)
    /// The router's configuration of a collection is out of date.
    public static let staleConfig = MongoErrorCode(rawValue: 13_388)
    /// The server is not the primary, and the command does not allow reads from secondaries.
    public static let notPrimaryNoSecondaryOk = MongoErrorCode(rawValue: 13_435)
    /// The server is neither primary nor secondary; it may be recovering.
    public static let notPrimaryOrSecondary = MongoErrorCode(rawValue: 13_436)
}

// MARK: Cursors and change streams

extension MongoErrorCode {
    /// The server does not know the cursor, or no longer.
    public static let cursorNotFound = MongoErrorCode(rawValue: 43)
    /// A capped collection has overwritten the position of a cursor.
    public static let cappedPositionLost = MongoErrorCode(rawValue: 136)
    /// The server closed the change stream.
    public static let closeChangeStream = MongoErrorCode(rawValue: 222)
    /// The change stream must be opened again at its position.
    public static let retryChangeStream = MongoErrorCode(rawValue: 234)
    /// The cursor was killed.
    public static let cursorKilled = MongoErrorCode(rawValue: 237)
    /// The resume token does not belong to this stream, or its collection no longer exists.
    public static let invalidResumeToken = MongoErrorCode(rawValue: 260)
    /// The change stream cannot be resumed at its position.
    public static let changeStreamFatalError = MongoErrorCode(rawValue: 280)
    /// The oplog no longer holds the position of the change stream.
    public static let changeStreamHistoryLost = MongoErrorCode(rawValue: 286)
    /// The server is a standalone `mongod`, which has no change streams.
    public static let changeStreamNotSupported = MongoErrorCode(rawValue: 40_573)
}
#endif
