// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import EngineIOCore
import NIOCore
import SocketIOText

/// The packets that open and close the connection to a namespace.
extension PacketEncoder {
    /// Encodes the confirmation of a connection.
    ///
    /// - Parameters:
    ///   - namespace: The namespace, with its leading slash.
    ///   - sid: The socket's id.
    ///   - pid: The private session id, if the session can be recovered.
    public func connect(namespace: String, sid: SocketID, pid: String? = nil) -> EncodedPacket {
        guard format == .json else { return control(.connect, namespace: namespace, payload: ConnectPayload(sid: sid, pid: pid)) }
        // Every connection needs this packet, and the coder takes five times as long for it.
        return EncodedPacket(isBinary: false) { buffer in
            Self.writeHeader(.connect, attachments: 0, namespace: namespace, id: nil, to: &buffer)
            buffer.writeStaticString("{\"sid\":")
            buffer.writeJSONString(sid)
            if let pid {
                buffer.writeStaticString(",\"pid\":")
                buffer.writeJSONString(pid)
            }
            buffer.writeInteger(UInt8(ascii: "}"))
            return []
        }
    }

    /// Encodes the refusal of a connection.
    ///
    /// - Parameters:
    ///   - namespace: The namespace, with its leading slash.
    ///   - message: The error's message.
    ///   - data: More about the error, for the client's `err.data`; left out if it cannot be encoded.
    public func connectError(namespace: String, message: String, data: (any Encodable & Sendable)? = nil) -> EncodedPacket {
        control(.connectError, namespace: namespace, payload: ConnectErrorPayload(message: message, data: data.map(AnyEncodable.init)))
    }

    /// Encodes the end of a connection.
    ///
    /// - Parameter namespace: The namespace, with its leading slash.
    public func disconnect(namespace: String) -> EncodedPacket {
        control(.disconnect, namespace: namespace, payload: String?.none)
    }

    private struct ConnectPayload: Encodable {
        var sid: String
        var pid: String?
    }

    private struct ConnectErrorPayload: Encodable {
        var message: String
        var data: AnyEncodable?
    }

    private struct AnyEncodable: Encodable {
        var value: any Encodable & Sendable
        func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
    }

    private func control<T: Encodable>(_ type: PacketType, namespace: String, payload: T?) -> EncodedPacket {
        let encoded = payload.flatMap { try? encode($0) }
        switch format {
        case .json:
            return EncodedPacket(isBinary: false) { buffer in
                Self.writeHeader(type, attachments: 0, namespace: namespace, id: nil, to: &buffer)
                if let encoded { buffer.writeImmutableBuffer(encoded) }
                return []
            }
        case .messagePack:
            return EncodedPacket(isBinary: true) { buffer in
                MessagePackPacket.writeHeader(type, fields: encoded == nil ? 2 : 3, namespace: namespace, to: &buffer)
                if let encoded {
                    MessagePackPacket.writeKey("data", to: &buffer)
                    buffer.writeImmutableBuffer(encoded)
                }
                return []
            }
        }
    }

    private func encode<T: Encodable>(_ value: T) throws -> ByteBuffer {
        var writer = ArgumentsWriter(format: format, buffer: ByteBuffer())
        try writer.append(value)
        return writer.buffer
    }

    /// The same event with an acknowledgement id. Nothing is encoded again.
    ///
    /// - Parameters:
    ///   - id: The acknowledgement id.
    ///   - packet: An event that was encoded by this parser without an id. Anything else is returned as it is, or with an id that no
    ///     client makes sense of; it is not checked.
    public func adding(acknowledgementID id: UInt64, to packet: EncodedPacket) -> EncodedPacket {
        guard format == .json else { return MessagePackPacket.adding(id: id, to: packet) }
        let message = packet.message
        let attachments = packet.attachments
        let start = Self.payloadStart(message)
        return EncodedPacket(isBinary: false, sizeHint: packet.byteCount + 20) { buffer in
            var rest = message
            if let header = rest.readSlice(length: start) { buffer.writeImmutableBuffer(header) }
            buffer.writeString(String(id))
            buffer.writeImmutableBuffer(rest)
            return attachments
        }
    }

    /// Where the arguments start in an event without acknowledgement id: behind type, attachment count and namespace.
    private static func payloadStart(_ message: ByteBuffer) -> Int {
        message.withUnsafeReadableBytes { bytes in
            var position = 1
            if bytes.first == UInt8(ascii: "5"), let dash = bytes.firstIndex(of: UInt8(ascii: "-")) { position = dash + 1 }
            guard position < bytes.count, bytes[position] == UInt8(ascii: "/") else { return position }
            return bytes[position...].firstIndex(of: UInt8(ascii: ",")).map { $0 + 1 } ?? position
        }
    }
}
