// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// An error of the server's API.
public struct SocketIOError: Error, CustomStringConvertible {
    /// What went wrong.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String {
            case reservedEventName, disconnected, acknowledgementTimeout, tooManyPendingAcknowledgements, unexpectedArguments
            case invalidNamespace, invalidConfiguration, serverClosed, tooManyServerSideEvents
            case tooManyRooms, invalidRoom
        }
        private let value: Value
        /// The event's name is one that Socket.IO uses itself. Choose another.
        public static let reservedEventName = Code(value: .reservedEventName)
        /// The socket is not connected, or was disconnected before the acknowledgement arrived.
        public static let disconnected = Code(value: .disconnected)
        /// The acknowledgement did not arrive in time.
        public static let acknowledgementTimeout = Code(value: .acknowledgementTimeout)
        /// More acknowledgements of one socket are pending than the limit.
        public static let tooManyPendingAcknowledgements = Code(value: .tooManyPendingAcknowledgements)
        /// The arguments of an event or an acknowledgement have other types than expected.
        public static let unexpectedArguments = Code(value: .unexpectedArguments)
        /// A namespace cannot have this name.
        public static let invalidNamespace = Code(value: .invalidNamespace)
        /// The configuration cannot work.
        public static let invalidConfiguration = Code(value: .invalidConfiguration)
        /// The server is closed.
        public static let serverClosed = Code(value: .serverClosed)
        /// Other processes sent events faster than this one handles them; see ``SocketIOConfiguration/Limits/serverSideEvents``.
        public static let tooManyServerSideEvents = Code(value: .tooManyServerSideEvents)
        /// A socket is in as many rooms as allowed, or an operation names more rooms than allowed; see ``SocketIOConfiguration/Limits/rooms``.
        public static let tooManyRooms = Code(value: .tooManyRooms)
        /// The name of a room is longer than allowed; see ``SocketIOConfiguration/Limits/rooms``.
        public static let invalidRoom = Code(value: .invalidRoom)
        /// The name of the code.
        public var description: String { value.rawValue }
    }

    /// What went wrong.
    public let code: Code
    /// What went wrong and what to do about it.
    public let message: String
    /// The error behind this one, if there is one.
    public let cause: (any Error)?

    /// Creates an error.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The code, the message and the cause.
    public var description: String { "\(code): \(message)" + (cause.map { " (cause: \($0))" } ?? "") }
}

/// Refuses a client. Thrown by middleware, it becomes the client's `connect_error`.
public struct ConnectError: Error, CustomStringConvertible {
    /// The client's `err.message`.
    public let message: String
    /// The client's `err.data`.
    public let data: (any Encodable & Sendable)?

    /// Creates an error.
    ///
    /// - Parameters:
    ///   - message: The client's `err.message`.
    ///   - data: The client's `err.data`, such as a code or advice.
    public init(_ message: String, data: (any Encodable & Sendable)? = nil) {
        self.message = message
        self.data = data
    }

    /// The message.
    public var description: String { message }
}
