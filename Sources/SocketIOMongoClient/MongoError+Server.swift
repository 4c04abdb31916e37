// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOText

/// Error codes of the server that this module knows about.
enum ServerErrorCode {
    static let unauthorized: Int32 = 13
    static let authenticationFailed: Int32 = 18
    static let namespaceNotFound: Int32 = 26
    static let changeStreamNotSupported: Int32 = 40_573
    static let duplicateKey: Int32 = 11_000

    /// Codes that the server gives before it has written anything. Of every other code of a failed write the outcome is unknown:
    /// a step-down or shut-down in the middle of a batch leaves its first part written.
    static let beforeAnyWrite: Set<Int32> = [
        // The collection is another one than the command says.
        361,
        2, 9, 13, 14, 18, 20, 26, 40, 48, 52, 59, 67, 72, 73, 85, 86, 166, 197, 10_334, 40_324, 40_413, 40_414, 40_415,
    ]
}

extension MongoError {
    /// An error reply of the server.
    /// - Parameter attempts: How often the command was sent: after a retry the first attempt's outcome is not known.
    package static func fromServer(_ reply: BSONDocument, attempts: Int, isWrite: Bool) -> MongoError {
        let serverCode = reply["code"]?.integer.map { Int32(truncatingIfNeeded: $0) }
        var details = Details()
        details.serverCode = serverCode
        details.serverCodeName = reply["codeName"]?.string
        details.serverMessage = reply["errmsg"]?.string
        details.labels = reply.errorLabels
        details.operationTime = reply["operationTime"]?.timestamp
        details.reply = reply
        if isWrite {
            let refused = serverCode.map(ServerErrorCode.beforeAnyWrite.contains) ?? false
            details.outcome = refused && attempts <= 1 && !details.labels.contains("RetryableWriteError") ? .notApplied : .unknown
        }
        let isAuthentication = serverCode == ServerErrorCode.authenticationFailed
        return MongoError(
            isAuthentication ? .authentication : isWrite ? .write : .command,
            Self.advice(forServerCode: serverCode),
            details: details
        )
    }

    /// The same error, as that of a cursor.
    func ofCursor() -> MongoError {
        guard self.code == .command else { return self }
        var details = Details()
        details.serverCode = self.serverCode
        details.serverCodeName = self.serverCodeName
        details.serverMessage = self.serverMessage
        details.labels = self.labels
        details.operationTime = self.operationTime
        details.reply = self.reply
        return MongoError(.cursor, self.message, details: details)
    }

    private static func advice(forServerCode code: Int32?) -> String {
        switch code {
        case ServerErrorCode.unauthorized:
            "The server refused the command: the user lacks the privilege; grant readWrite on the database."
        case ServerErrorCode.authenticationFailed:
            "MongoDB did not accept the credentials: check user name, password and authSource in the connection string."
        case ServerErrorCode.changeStreamNotSupported:
            "The server has no change streams because it is a standalone mongod: start it as a replica set (one member is enough), "
                + "or use a tailable cursor."
        default:
            "The server refused the command."
        }
    }
}

#endif
