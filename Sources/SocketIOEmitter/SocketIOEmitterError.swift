// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// An event or a namespace that cannot be emitted. The outcome of a message on its way to the cluster is reported by
/// `ClusterError`.
public struct SocketIOEmitterError: Error, Sendable, CustomStringConvertible {
    /// The kind of an error; more may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String { case reservedEventName, invalidNamespace }
        private let value: Value

        /// The name of the event is one of Socket.IO's own.
        public static let reservedEventName = Code(value: .reservedEventName)
        /// No client can join a namespace of this name.
        public static let invalidNamespace = Code(value: .invalidNamespace)

        /// The name of the code.
        public var description: String { value.rawValue }
    }

    /// The kind of the error.
    public let code: Code
    /// What happened and what to do about it.
    public let message: String
    /// Always nil: nothing else is behind these errors.
    public var cause: (any Error)? { nil }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The code and the message.
    public var description: String { "\(code): \(message)" }
}
