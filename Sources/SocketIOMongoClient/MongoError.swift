// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOText

/// An error of ``MongoClient``.
///
/// `description` holds the kind, what to do about it and the server's code, never the content of documents: the server's own text may
/// quote them and is only in ``serverMessage``.
public struct MongoError: Error, Sendable, CustomStringConvertible {
    /// The kind of an error; more may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case serverSelection, authentication, network, command, write, cursor, notPrimary, cancelled, invalidArgument, invalidBSON
            case overloaded, shutDown, wrongDeployment
        }

        private let kind: Kind

        /// No suitable server was found within the server selection timeout.
        public static let serverSelection = Code(kind: .serverSelection)
        /// The servers answer, but do not belong to the replica set that the connection string names.
        public static let wrongDeployment = Code(kind: .wrongDeployment)
        /// The server did not accept the credentials.
        public static let authentication = Code(kind: .authentication)
        /// The connection could not be made, broke or did not answer in time.
        public static let network = Code(kind: .network)
        /// The server refused a command; ``MongoError/serverCode`` is the reason.
        public static let command = Code(kind: .command)
        /// The server refused a write or could not confirm it.
        public static let write = Code(kind: .write)
        /// The server ended a cursor with an error.
        public static let cursor = Code(kind: .cursor)
        /// The server that a cursor reads from is no longer the primary.
        public static let notPrimary = Code(kind: .notPrimary)
        /// The task was cancelled.
        public static let cancelled = Code(kind: .cancelled)
        /// The caller passed something that cannot work, such as a malformed connection string.
        public static let invalidArgument = Code(kind: .invalidArgument)
        /// The bytes are not valid BSON.
        public static let invalidBSON = Code(kind: .invalidBSON)
        /// A limit of the configuration is reached: commands waiting or open cursors.
        public static let overloaded = Code(kind: .overloaded)
        /// The client was closed.
        public static let shutDown = Code(kind: .shutDown)

        /// The name of the code.
        public var description: String {
            kind.rawValue
        }
    }

    /// The outcome of a failed write.
    public enum Outcome: Hashable, Sendable {
        /// The server has not applied it: it was not sent, or it was refused as a whole.
        case notApplied
        /// The write may have been applied, now or later, in full or in part. Sending it again with the same `_id`s resolves this.
        case unknown
    }

    // One reference instead of a dozen fields: errors travel through every result.
    private final class Storage: Sendable {
        let code: Code
        let message: String
        let details: Details

        init(code: Code, message: String, details: Details) {
            self.code = code
            self.message = message
            self.details = details
        }
    }

    struct Details: Sendable {
        var outcome = Outcome.notApplied
        var serverCode: MongoErrorCode?
        var serverCodeName: String?
        var serverMessage: String?
        var labels: [String] = []
        var operationTime: BSONTimestamp?
        var reply: BSONDocument?
        var cause: (any Error)?
    }

    private let storage: Storage

    init(_ code: Code, _ message: String, details: Details = Details()) {
        storage = Storage(code: code, message: message, details: details)
    }

    /// The kind of the error.
    public var code: Code { storage.code }

    /// What happened and what to do about it; free of the content of documents.
    public var message: String { storage.message }

    /// For a write: whether it may have been applied. ``Outcome/notApplied`` for everything that writes nothing.
    public var outcome: Outcome { storage.details.outcome }

    /// The server's error code, if the server answered.
    public var serverCode: MongoErrorCode? { storage.details.serverCode }

    /// The server's name of the code, such as `NamespaceExists`.
    public var serverCodeName: String? { storage.details.serverCodeName }

    /// The server's or libmongoc's own text. It may quote documents: do not log it where those must not appear.
    public var serverMessage: String? { storage.details.serverMessage }

    /// Labels such as `RetryableWriteError` or `NonResumableChangeStreamError`.
    public var labels: [String] { storage.details.labels }

    /// The `operationTime` of the server's error reply: the time at which a change stream can be restarted.
    public var operationTime: BSONTimestamp? { storage.details.operationTime }

    /// The server's whole error reply. It may quote documents.
    public var reply: BSONDocument? { storage.details.reply }

    /// The error behind this one.
    public var cause: (any Error)? { storage.details.cause }

    /// Whether the error has that label.
    public func hasLabel(_ label: String) -> Bool {
        labels.contains(label)
    }

    /// Kind, message and server code; nothing of any document.
    public var description: String {
        var text = "MongoError.\(code): \(message)"
        if let serverCode {
            text += " [\(serverCodeName.map { $0 + ", " } ?? "")code \(serverCode)]"
        }
        return text
    }
}

extension MongoError {
    /// An error as a server or a network produces it, for tests of error handling.
    package static func simulated(_ code: Code, outcome: Outcome = .notApplied) -> MongoError {
        var details = Details()
        details.outcome = outcome
        return MongoError(code, "simulated", details: details)
    }

    static func invalidBSON(_ message: String) -> MongoError {
        MongoError(.invalidBSON, "Not valid BSON: \(message).")
    }

    static func invalidArgument(_ message: String) -> MongoError {
        MongoError(.invalidArgument, message)
    }

    static let shutDown = MongoError(.shutDown, "The MongoClient is closed; make a new one.")

    static func cancelled(outcome: Outcome) -> MongoError {
        var details = Details()
        details.outcome = outcome
        details.cause = CancellationError()
        return MongoError(.cancelled, "The task was cancelled.", details: details)
    }
}

#endif
