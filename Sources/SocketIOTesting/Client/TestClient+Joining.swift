// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
public import SocketIOCore
import SocketIOMessagePack
import SocketIOText

/// Joining namespaces, and being refused.
extension TestClient {
    /// Why the server did not let a client into a namespace.
    public struct Refusal: Sendable, Hashable {
        /// The client's `err.message`.
        public let message: String
        /// The client's `err.data`; nil if there is none.
        public let data: SocketIOValue?
    }

    /// Joins a namespace.
    ///
    /// - Parameters:
    ///   - namespace: The namespace.
    ///   - auth: An object in JSON to send as `auth`. Default: nil, none.
    /// - Returns: The socket's id and private session id.
    /// - Throws: ``Failure`` if the server refuses.
    @discardableResult
    public func join(_ namespace: String = "/", auth: String? = nil) async throws -> (sid: String, pid: String?) {
        try await requestJoin(namespace, auth: auth)
        return try await receiveJoin(namespace)
    }

    /// Joins a namespace.
    ///
    /// - Parameters:
    ///   - namespace: The namespace.
    ///   - auth: What to send as `auth`: a value that is encoded as an object, such as a structure or a dictionary.
    /// - Returns: The socket's id and private session id.
    /// - Throws: ``Failure`` if the server refuses.
    @discardableResult
    @_disfavoredOverload
    public func join<Auth: Encodable>(_ namespace: String = "/", auth: Auth) async throws -> (sid: String, pid: String?) {
        try await requestJoin(namespace, auth: auth)
        return try await receiveJoin(namespace)
    }

    /// Asks for a namespace and expects that the server refuses.
    ///
    /// - Parameters:
    ///   - namespace: The namespace.
    ///   - auth: An object in JSON to send as `auth`. Default: nil, none.
    /// - Returns: The server's reason.
    /// - Throws: ``Failure`` if the server lets the client in, or does not answer.
    @discardableResult
    public func expectRefusal(_ namespace: String = "/", auth: String? = nil) async throws -> Refusal {
        try await requestJoin(namespace, auth: auth)
        return try await receiveRefusal(namespace)
    }

    /// Asks for a namespace and expects that the server refuses.
    ///
    /// - Parameters:
    ///   - namespace: The namespace.
    ///   - auth: What to send as `auth`: a value that is encoded as an object, such as a structure or a dictionary.
    /// - Returns: The server's reason.
    /// - Throws: ``Failure`` if the server lets the client in, or does not answer.
    @discardableResult
    @_disfavoredOverload
    public func expectRefusal<Auth: Encodable>(_ namespace: String = "/", auth: Auth) async throws -> Refusal {
        try await requestJoin(namespace, auth: auth)
        return try await receiveRefusal(namespace)
    }

    /// Asks for a namespace, without waiting for the answer.
    ///
    /// - Parameters:
    ///   - namespace: The namespace.
    ///   - auth: An object in JSON to send as `auth`. Default: nil, none.
    public func requestJoin(_ namespace: String, auth: String? = nil) async throws {
        switch format {
        // As it is, so that tests can send what is no JSON.
        case .json: try await send(text: "40" + (namespace == "/" ? "" : namespace + ",") + (auth ?? ""))
        case .messagePack:
            let json = auth.map { EncodedValue(format: .json, bytes: ByteBuffer(string: $0)) }
            try await sendMessagePackConnect(namespace, auth: try json.map { try encode($0.decode(SocketIOValue.self)) })
        }
    }

    /// Asks for a namespace, without waiting for the answer.
    ///
    /// - Parameters:
    ///   - namespace: The namespace.
    ///   - auth: What to send as `auth`: a value that is encoded as an object, such as a structure or a dictionary.
    @_disfavoredOverload
    public func requestJoin<Auth: Encodable>(_ namespace: String, auth: Auth) async throws {
        let encoded = try encode(auth)
        switch format {
        case .json: try await requestJoin(namespace, auth: String(buffer: encoded))
        case .messagePack: try await sendMessagePackConnect(namespace, auth: encoded)
        }
    }

    private func encode<Value: Encodable>(_ value: Value) throws -> ByteBuffer {
        let arguments = try PacketEncoder(format: format).arguments { writer in try writer.append(value) }
        guard let value = arguments[0], value.attachments.isEmpty else {
            throw Failure(description: "binary in auth needs the MessagePack parser")
        }
        return value.bytes
    }

    private func sendMessagePackConnect(_ namespace: String, auth: ByteBuffer?) async throws {
        var writer = MessagePackWriter()
        try writer.writeMapHeader(count: auth == nil ? 2 : 3)
        try writer.write("type")
        writer.write(0)
        if let auth {
            try writer.write("data")
            writer.write(raw: auth)
        }
        try writer.write("nsp")
        try writer.write(namespace)
        try await send(EncodedPacket(message: writer.buffer, isBinary: true))
    }

    // MARK: Answers

    private struct JoinAnswer: Decodable {
        var sid: String
        var pid: String?
    }

    private struct RefusalAnswer: Decodable {
        var message: String
        var data: SocketIOValue?
    }

    private func receiveJoin(_ namespace: String) async throws -> (sid: String, pid: String?) {
        let packet = try await receivePacket()
        guard case .connect(let payload?) = packet.content, packet.namespace == namespace else {
            throw Failure(description: "not let into \(namespace): \(packet)")
        }
        let answer = try payload.decode(JoinAnswer.self)
        return (answer.sid, answer.pid)
    }

    private func receiveRefusal(_ namespace: String) async throws -> Refusal {
        let packet = try await receivePacket()
        guard case .connectError(let payload?) = packet.content, packet.namespace == namespace else {
            throw Failure(description: "not refused by \(namespace): \(packet)")
        }
        let answer = try payload.decode(RefusalAnswer.self)
        return Refusal(message: answer.message, data: answer.data)
    }
}
