// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// An operation that an adapter had accepted, and that could not be brought to other processes afterwards. It has been carried out for the
/// sockets of this process.
public struct UndeliveredOperation: Sendable {
    /// The kinds of operations; more may be added.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String {
            case emit, serverSideEmit, socketsJoin, socketsLeave, disconnectSockets
        }
        private let value: Value

        /// An event for clients.
        public static let emit = Kind(value: .emit)
        /// An event for the other servers.
        public static let serverSideEmit = Kind(value: .serverSideEmit)
        /// Sockets were to join rooms.
        public static let socketsJoin = Kind(value: .socketsJoin)
        /// Sockets were to leave rooms.
        public static let socketsLeave = Kind(value: .socketsLeave)
        /// Sockets were to be disconnected.
        public static let disconnectSockets = Kind(value: .disconnectSockets)

        /// The name of the method.
        public var description: String { value.rawValue }
    }

    /// What was to be done.
    public var kind: Kind
    /// The namespace.
    public var namespace: String
    /// The name of the event; nil if it was none.
    public var event: String?
    /// The selected sockets: their rooms, those that are left out, and the node if it is known. All sockets for
    /// ``Kind/serverSideEmit``.
    public var options: BroadcastOptions
    /// Why it failed, and whether other processes may have received it after all.
    public var error: any Error

    /// Creates a description.
    public init(kind: Kind, namespace: String, event: String? = nil, options: BroadcastOptions = .init(), error: any Error) {
        self.kind = kind
        self.namespace = namespace
        self.event = event
        self.options = options
        self.error = error
    }
}
