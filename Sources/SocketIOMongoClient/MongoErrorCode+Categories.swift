// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOText

/// The meaning of codes for the operation that failed. Every decision to retry, resume or fail is made from one of these sets.
extension MongoErrorCode {
    /// Sent because the server is not, or no longer, the primary, or is shutting down.
    package static let failover: Set<MongoErrorCode> = [
        .shutdownInProgress, .primarySteppedDown, .legacyNotPrimary, .notWritablePrimary, .interruptedAtShutdown,
        .interruptedDueToReplStateChange, .notPrimaryNoSecondaryOk, .notPrimaryOrSecondary,
    ]

    /// A read that failed with one of these may succeed if it is sent once more. Fewer codes than drivers retry by specification.
    static let retryableRead: Set<MongoErrorCode> = [
        .hostUnreachable, .hostNotFound, .networkTimeout, .shutdownInProgress, .primarySteppedDown, .exceededTimeLimit, .socketException,
        .notWritablePrimary, .interruptedAtShutdown, .interruptedDueToReplStateChange, .notPrimaryNoSecondaryOk, .notPrimaryOrSecondary,
    ]

    /// The server sends these before it has written anything. After every other code of a failed write the outcome is unknown: a
    /// step-down or a shutdown in the middle of a batch leaves its first part written.
    static let beforeAnyWrite: Set<MongoErrorCode> = [
        .collectionUUIDMismatch,
        .badValue, .failedToParse, .unauthorized, .typeMismatch, .authenticationFailed, .illegalOperation, .namespaceNotFound,
        .conflictingUpdateOperators, .namespaceExists, .dollarPrefixedFieldName, .commandNotFound, .cannotCreateIndex, .invalidOptions,
        .invalidNamespace, .indexOptionsConflict, .indexKeySpecsConflict, .commandNotSupportedOnView, .invalidIndexSpecificationOption,
        .bsonObjectTooLarge, .unknownPipelineStage, .duplicateCommandField, .missingCommandField, .unknownCommandField,
    ]

    /// The server refuses this one document, however often it is sent.
    package static let refusedDocument: Set<MongoErrorCode> = [
        .badValue, .failedToParse, .typeMismatch, .dollarPrefixedFieldName, .invalidDBRef, .emptyFieldName, .dottedFieldName,
        .documentValidationFailure, .bsonObjectTooLarge, .duplicateKey, .keyTooLong,
    ]

    /// The server does not accept a field of the command: it does not know the field, or its stable API does not include it.
    package static let refusedField: Set<MongoErrorCode> = [.apiStrictError, .unknownCommandField]

    /// An index of the same name or with the same keys exists with other options.
    package static let indexConflict: Set<MongoErrorCode> = [.indexOptionsConflict, .indexKeySpecsConflict]

    /// The options of an index are not valid for the collection.
    package static let refusedIndex: Set<MongoErrorCode> = [.cannotCreateIndex, .invalidOptions]

    /// The position of a change stream may be valid again once its collection exists.
    package static let missingCollection: Set<MongoErrorCode> = [.namespaceNotFound, .invalidResumeToken]

    /// The position of a change stream will never be valid again.
    package static let lostPosition: Set<MongoErrorCode> = [
        .cappedPositionLost, .closeChangeStream, .changeStreamFatalError, .changeStreamHistoryLost,
    ]

    /// A cursor failed for a reason that says nothing about its position. ``failover`` belongs here, too.
    fileprivate static let transientStreamFailure: Set<MongoErrorCode> = failover.union([
        // The privileges may be granted again, and the position may still be valid then.
        .unauthorized, .authenticationFailed, .atlasError,
        .hostUnreachable, .hostNotFound, .userNotFound, .cursorNotFound, .staleShardVersion, .networkTimeout,
        .failedToSatisfyReadPreference, .staleEpoch, .networkInterfaceExceededTimeLimit, .retryChangeStream, .cursorKilled,
        .exceededTimeLimit, .maxTimeExpired, .transactionExceededLifetimeLimit, .connectionPoolExpired, .internalTransactionNotSupported,
        .connectionError, .socketException, .interrupted, .staleConfig,
    ])
}

extension MongoError {
    /// Whether the server is not, or no longer, the primary, or is shutting down.
    package var isFailover: Bool { serverCode.map(MongoErrorCode.failover.contains) ?? false }

    /// Whether a stream that failed like this may be resumed at its position: the server is starting, stopping or no longer the primary,
    /// it killed the cursor, or the user may not read at the moment.
    package var leavesPositionValid: Bool {
        guard let serverCode else { return true }
        return hasLabel("ResumableChangeStreamError") || hasLabel("RetryableWriteError")
            || MongoErrorCode.transientStreamFailure.contains(serverCode)
    }

    /// Whether a read may succeed if it is sent once more.
    var isRetryableRead: Bool { code == .network || serverCode.map(MongoErrorCode.retryableRead.contains) ?? false }
}
#endif
