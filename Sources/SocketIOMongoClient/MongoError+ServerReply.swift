// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB

import SocketIOText

extension MongoError {
    /// An error reply of the server.
    /// - Parameter attempts: How often the command was sent: after a retry the first attempt's outcome is not known.
    package static func fromServer(_ reply: BSONDocument, attempts: Int, isWrite: Bool) -> MongoError {
        let serverCode = reply["code"]?.integer.map { MongoErrorCode(truncating: $0) }
        var details = Details()
        details.serverCode = serverCode
        details.serverCodeName = reply["codeName"]?.string
        details.serverMessage = reply["errmsg"]?.string
        details.labels = reply.errorLabels
        details.operationTime = reply["operationTime"]?.timestamp
        details.reply = reply
        if isWrite {
            let refused = serverCode.map(MongoErrorCode.beforeAnyWrite.contains) ?? false
            details.outcome = refused && attempts <= 1 && !details.labels.contains("RetryableWriteError") ? .notApplied : .unknown
        }
        let isAuthentication = serverCode == .authenticationFailed
        return MongoError(
            isAuthentication ? .authentication : isWrite ? .write : .command,
            Self.advice(for: serverCode, details),
            details: details
        )
    }

    /// The same error, as that of a cursor.
    func ofCursor() -> MongoError {
        guard code == .command else { return self }
        var details = Details()
        details.serverCode = serverCode
        details.serverCodeName = serverCodeName
        details.serverMessage = serverMessage
        details.labels = labels
        details.operationTime = operationTime
        details.reply = reply
        return MongoError(.cursor, message, details: details)
    }

    private static func advice(for code: MongoErrorCode?, _ details: Details) -> String {
        switch code {
        case .unauthorized where details.serverMessage?.contains("requires authentication") ?? false:
            "The server requires authentication: put a user name and a password into the connection string."
        case .unauthorized:
            "The server refused the command: the user lacks the privilege; grant readWrite on the database."
        case .authenticationFailed:
            "MongoDB did not accept the credentials: check user name, password and authSource in the connection string."
        case .changeStreamNotSupported:
            "The server has no change streams because it is a standalone mongod: start it as a replica set (one member is enough), "
                + "or use a tailable cursor."
        case .notPrimaryOrSecondary:
            "The server is neither primary nor secondary: its replica set is not initiated (run rs.initiate()), or it is starting."
        case .notWritablePrimary, .notPrimaryNoSecondaryOk, .legacyNotPrimary:
            "The server is not the primary: an election is under way, or the connection string connects to this member only "
                + "(name replicaSet in it, without directConnection)."
        default:
            "The server refused the command."
        }
    }
}

#endif
