// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// An error that prevents a node from joining its cluster over MongoDB. Every message says what to do.
public struct MongoAdapterError: Error, Sendable, CustomStringConvertible {
    /// The kind of an error; more may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String {
            case invalidConfiguration, unreachable, authentication, unauthorized, noChangeStreams, collectionMismatch, failed, closed
        }
        private let value: Value

        /// A value of the configuration is out of its bounds, or values do not fit each other.
        public static let invalidConfiguration = Code(value: .invalidConfiguration)
        /// No suitable server was found, or the connection broke.
        public static let unreachable = Code(value: .unreachable)
        /// The server did not accept the credentials.
        public static let authentication = Code(value: .authentication)
        /// The user lacks a privilege.
        public static let unauthorized = Code(value: .unauthorized)
        /// The server is a standalone `mongod`, which has no change streams.
        public static let noChangeStreams = Code(value: .noChangeStreams)
        /// The collection exists with options that differ from the configuration.
        public static let collectionMismatch = Code(value: .collectionMismatch)
        /// The server refused an operation for another reason.
        public static let failed = Code(value: .failed)
        /// The adapter is closed, or has not started.
        public static let closed = Code(value: .closed)

        /// The name of the code.
        public var description: String { value.rawValue }
    }

    /// The kind of the error.
    public let code: Code
    /// What happened and what to do about it.
    public let message: String
    /// The error of the client, if there is one.
    public let cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The code, the message and the cause.
    public var description: String { cause.map { "\(code): \(message) (\($0))" } ?? "\(code): \(message)" }
}

#if MongoDB
import SocketIOMongoClient
extension MongoAdapterError {
    /// Explains a failed command to the person who starts the server.
    init(_ error: MongoError, while action: String) {
        switch error.code {
        case .serverSelection, .network:
            self.init(.unreachable, "MongoDB could not be reached while \(action). \(error.message)", cause: error)
        case .authentication:
            self.init(.authentication, error.message, cause: error)
        case .invalidArgument where error.serverCode == nil:
            self.init(.invalidConfiguration, error.message, cause: error)
        case .shutDown:
            self.init(.closed, "The MongoClient is closed.", cause: error)
        default:
            if error.serverCode == .unauthorized {
                let text = "The user lacks a privilege for \(action): grant it the role readWrite on the database."
                self.init(.unauthorized, text, cause: error)
            } else {
                self.init(.failed, "The server refused \(action). \(error.message)", cause: error)
            }
        }
    }
}
#endif
