// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// An error in the communication between the nodes of a cluster.
public struct ClusterError: Error, CustomStringConvertible {
    /// The kind of an error; more may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String {
            case notSent, unknown, tooLarge, closed, unreachable, tooManyRequests, malformed, failedByNode, unsupported
            case invalidConfiguration
        }
        private let value: Value

        /// No other node gets the message.
        public static let notSent = Code(value: .notSent)
        /// Other nodes may or may not get the message, each of them at most once.
        public static let unknown = Code(value: .unknown)
        /// The message is too large for the backend; no other node gets it.
        public static let tooLarge = Code(value: .tooLarge)
        /// The node is closed; no other node gets the message.
        public static let closed = Code(value: .closed)
        /// The backend has been unreachable since the node started, so the other nodes are unknown.
        public static let unreachable = Code(value: .unreachable)
        /// More requests wait for answers than ``ClusterConfiguration/maximumPendingRequests``.
        public static let tooManyRequests = Code(value: .tooManyRequests)
        /// A payload from the backend is not what its kind requires.
        public static let malformed = Code(value: .malformed)
        /// Another node could not answer.
        public static let failedByNode = Code(value: .failedByNode)
        /// The wire format of the cluster cannot express the message; no other node gets it.
        public static let unsupported = Code(value: .unsupported)
        /// A value of the configuration is out of bounds.
        public static let invalidConfiguration = Code(value: .invalidConfiguration)

        /// The name of the code.
        public var description: String { value.rawValue }
    }

    /// The kind of the error.
    public let code: Code
    /// What happened and what to do about it.
    public let message: String
    /// The underlying error of the backend, if there is one.
    public let cause: (any Error)?

    /// Creates an error.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// Whether the message itself is the reason, so that it would fail in any cluster of this format.
    var isOfMessage: Bool { code == .unsupported || code == .tooLarge }

    /// The code, the message and the cause.
    public var description: String { cause.map { "\(code): \(message) (\($0))" } ?? "\(code): \(message)" }
}
