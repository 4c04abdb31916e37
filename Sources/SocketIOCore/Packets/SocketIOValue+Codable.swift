// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOMessagePack
import SocketIOText

/// The argument coders of the JSON parser take and give values directly; this is the way through any other coder.
extension SocketIOValue: Codable {
    private struct MemberKey: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init?(intValue: Int) { nil }
        init(stringValue: String) { self.stringValue = stringValue }
    }

    /// Decodes whatever is there.
    ///
    /// - Parameter decoder: the decoder.
    /// - Throws: `DecodingError`; with the MessagePack decoder also for an extension type that JavaScript clients do not send.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let decoder = decoder as? any MessagePackValueDecoder {
            let value = try decoder.decodeMessagePackValue()
            guard let value = SocketIOValue(value) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "a MessagePack extension or key that JSON has not")
            }
            self = value
        } else if container.decodeNil() {
            self = .null
        } else if let members = try? decoder.container(keyedBy: MemberKey.self) {
            let pairs = try members.allKeys.map { ($0.stringValue, try members.decode(SocketIOValue.self, forKey: $0)) }
            self = .object(NameMap(pairs))
        } else if var elements = try? decoder.unkeyedContainer() {
            var values: [SocketIOValue] = []
            while !elements.isAtEnd { values.append(try elements.decode(SocketIOValue.self)) }
            self = .array(values)
        } else {
            self = try Self.scalar(container)
        }
    }

    private static func scalar(_ container: any SingleValueDecodingContainer) throws -> SocketIOValue {
        if let value = try? container.decode(Bool.self) { return .bool(value) }
        if let value = try? container.decode(Int64.self) { return .int(value) }
        if let value = try? container.decode(UInt64.self) { return .uint(value) }
        if let value = try? container.decode(Double.self) { return .double(value) }
        return .string(try container.decode(String.self))
    }

    private static func encode(_ members: NameMap<SocketIOValue>, to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: MemberKey.self)
        for (name, member) in members { try container.encode(member, forKey: MemberKey(stringValue: name)) }
    }

    /// Encodes the value.
    ///
    /// - Parameter encoder: the encoder.
    /// - Throws: what the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        if case .object(let members) = self { return try Self.encode(members, to: encoder) }
        var container = encoder.singleValueContainer()
        if encoder is any MessagePackValueEncoder, let value = MessagePackValue(self) { return try container.encode(value) }
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .int(let value): try container.encode(value)
        case .uint(let value): try container.encode(value)
        case .double(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .binary(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object: break
        }
    }

    /// A number without a type: an integer if it is whole and a double can tell it from its neighbours.
    init(number: Double) {
        if number.magnitude <= 0x1p53, let integer = Int64(exactly: number) { self = .int(integer) } else { self = .double(number) }
    }

    /// Takes over a MessagePack value; nil for extensions other than dates, binary and `BigInt`, and for maps whose keys are not strings.
    private init?(_ value: MessagePackValue) {
        switch value {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(value)
        case .uint(let value): self = SocketIOValue(value)
        case .double(let value): self = SocketIOValue(number: value)
        case .string(let value): self = .string(value)
        case .binary(let value): self = .binary(value)
        case .timestamp(let value):
            guard let text = JSONDate.string(value.date) else { return nil }
            self = .string(text)
        case .array(let values):
            var elements: [SocketIOValue] = []
            for value in values {
                guard let element = SocketIOValue(value) else { return nil }
                elements.append(element)
            }
            self = .array(elements)
        case .map(let pairs):
            var members = NameMap<SocketIOValue>()
            for pair in pairs {
                guard case .string(let key) = pair.key, let member = SocketIOValue(pair.value) else { return nil }
                members[key] = member
            }
            self = .object(members)
        case .extension(MessagePackExtension.bigInt, let bytes):
            guard let number = MessagePackExtension.bigInt(bytes) else { return nil }
            self.init(number)
        case .extension: return nil
        }
    }
}
