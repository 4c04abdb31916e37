// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// What cannot be sent. Without these overloads, the compiler says no more than that `Any` does not conform to `Encodable`.
extension EmitOperator {
    /// Unavailable: a value of type `Any` cannot be encoded.
    @available(*, unavailable, message: "Any is not Encodable: send a Codable type, or write `as SocketIOValue` after a literal")
    public func emit(_ event: String, _ argument: [String: Any]) throws {}

    /// Unavailable: a value of type `Any` cannot be encoded.
    @available(*, unavailable, message: "Any is not Encodable: send a Codable type, or write `as SocketIOValue` after a literal")
    public func emit(_ event: String, _ argument: [Any]) throws {}

    /// Unavailable: a value of type `Any` cannot be encoded.
    @available(*, unavailable, message: "Any is not Encodable: send a Codable type, or write `as SocketIOValue` after a literal")
    public func emitWithAck<R: Decodable & Sendable>(_ event: String, _ argument: [String: Any], as type: R.Type) throws {}

    /// Unavailable: a value of type `Any` cannot be encoded.
    @available(*, unavailable, message: "Any is not Encodable: send a Codable type, or write `as SocketIOValue` after a literal")
    public func emitWithAck<R: Decodable & Sendable>(_ event: String, _ argument: [Any], as type: R.Type) throws {}
}

/// What cannot be sent; see ``EmitOperator``.
extension RemoteSocket {
    /// Unavailable: a value of type `Any` cannot be encoded.
    @available(*, unavailable, message: "Any is not Encodable: send a Codable type, or write `as SocketIOValue` after a literal")
    public func emit(_ event: String, _ argument: [String: Any]) throws {}

    /// Unavailable: a value of type `Any` cannot be encoded.
    @available(*, unavailable, message: "Any is not Encodable: send a Codable type, or write `as SocketIOValue` after a literal")
    public func emit(_ event: String, _ argument: [Any]) throws {}

    /// Unavailable: a value of type `Any` cannot be encoded.
    @available(*, unavailable, message: "Any is not Encodable: send a Codable type, or write `as SocketIOValue` after a literal")
    public func emitWithAck<R: Decodable & Sendable>(_ event: String, _ argument: [String: Any], as type: R.Type) throws {}

    /// Unavailable: a value of type `Any` cannot be encoded.
    @available(*, unavailable, message: "Any is not Encodable: send a Codable type, or write `as SocketIOValue` after a literal")
    public func emitWithAck<R: Decodable & Sendable>(_ event: String, _ argument: [Any], as type: R.Type) throws {}
}

extension Ack {
    /// Unavailable: a value of type `Any` cannot be encoded.
    @available(*, unavailable, message: "Any is not Encodable: send a Codable type, or write `as SocketIOValue` after a literal")
    public init(_ value: [String: Any]) { self.init() }

    /// Unavailable: a value of type `Any` cannot be encoded.
    @available(*, unavailable, message: "Any is not Encodable: send a Codable type, or write `as SocketIOValue` after a literal")
    public init(_ value: [Any]) { self.init() }
}
