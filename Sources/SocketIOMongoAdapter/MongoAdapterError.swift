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

        /// A value of the configuration is out of its bounds, values do not fit each other, or the deployment is not the one that the connection
        /// string describes.
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

    /// The code, the message, and the code of the server if it sent one. The message includes that of the cause.
    public var description: String { "\(code): \(message)\(serverCode)" }
}

#if MongoDB
import SocketIOMongoClient
extension MongoAdapterError {
    /// Explains a failed command to the person who starts the server.
    init(_ error: MongoError, while action: String) {
        let text = error.message.hasSuffix(".") ? String(error.message.dropLast()) : error.message
        let message = "\(text) (while \(action))."
        switch error.code {
        case .serverSelection, .network:
            self.init(.unreachable, message, cause: error)
        case .authentication:
            self.init(.authentication, message, cause: error)
        case .wrongDeployment:
            self.init(.invalidConfiguration, message, cause: error)
        case .invalidArgument where error.serverCode == nil:
            self.init(.invalidConfiguration, message, cause: error)
        case .shutDown:
            self.init(.closed, "The MongoClient is closed.", cause: error)
        default:
            self.init(error.serverCode == .unauthorized ? .unauthorized : .failed, message, cause: error)
        }
    }

    fileprivate var serverCode: String {
        guard let error = cause as? MongoError, let code = error.serverCode else { return "" }
        return " [\(error.serverCodeName.map { $0 + ", " } ?? "")code \(code)]"
    }
}
#else
extension MongoAdapterError {
    fileprivate var serverCode: String { "" }
}
#endif
