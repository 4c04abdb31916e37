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
    ///   - auth: What to send as `auth`: a value that is encoded as an object, such as a structure or a dictionary; or a string of JSON, which the
    ///     JSON parser sends as it is. Default: nil, nothing.
    /// - Returns: The socket's id and private session id.
    /// - Throws: ``Failure`` if the server refuses.
    @discardableResult
    public func join(_ namespace: String = "/", auth: (any Encodable)? = nil) async throws -> (sid: String, pid: String?) {
        try await requestJoin(namespace, auth: auth)
        let packet = try await receivePacket()
        guard case .connect(let payload?) = packet.content, packet.namespace == namespace else {
            throw Failure(description: "not let into \(namespace): \(packet)")
        }
        let answer = try payload.decode(JoinAnswer.self)
        return (answer.sid, answer.pid)
    }

    /// Requests to join a namespace and expects a refusal.
    ///
    /// - Parameters:
    ///   - namespace: The namespace.
    ///   - auth: As for ``join(_:auth:)``.
    /// - Returns: The server's reason.
    /// - Throws: ``Failure`` if the server admits the client, does not answer in time, or sends another packet first.
    @discardableResult
    public func expectRefusal(_ namespace: String = "/", auth: (any Encodable)? = nil) async throws -> Refusal {
        try await requestJoin(namespace, auth: auth)
        let packet = try await receivePacket()
        guard case .connectError(let payload?) = packet.content, packet.namespace == namespace else {
            throw Failure(description: "not refused by \(namespace): \(packet)")
        }
        let answer = try payload.decode(RefusalAnswer.self)
        return Refusal(message: answer.message, data: answer.data)
    }

    /// Asks for a namespace, without waiting for the answer.
    ///
    /// - Parameters:
    ///   - namespace: The namespace.
    ///   - auth: As for ``join(_:auth:)``.
    public func requestJoin(_ namespace: String, auth: (any Encodable)? = nil) async throws {
        switch format {
        case .json:
            // A string as it is, so that tests can send what is not JSON.
            let text = try auth as? String ?? auth.map { String(buffer: try encode($0)) }
            try await send(text: "40" + (namespace == "/" ? "" : namespace + ",") + (text ?? ""))
        case .messagePack:
            let json = (auth as? String).map { EncodedValue(format: .json, bytes: ByteBuffer(string: $0)) }
            let value: (any Encodable)? = try json?.decode(SocketIOValue.self) ?? auth
            try await sendMessagePackConnect(namespace, auth: value.map { try encode($0) })
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

    private struct JoinAnswer: Decodable {
        var sid: String
        var pid: String?
    }

    private struct RefusalAnswer: Decodable {
        var message: String
        var data: SocketIOValue?
    }
}
