// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The MessagePack coders take and give values directly. Other coders see what they can: binary as they see a `ByteBuffer`, maps with
/// string keys only, no extensions.
extension MessagePackValue: Codable {
    private struct Name: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init?(intValue: Int) { nil }
        init(stringValue: String) { self.stringValue = stringValue }
    }

    /// Decodes any value.
    ///
    /// - Parameter decoder: the decoder.
    /// - Throws: `DecodingError`.
    public init(from decoder: any Decoder) throws {
        if let pairs = try? decoder.container(keyedBy: Name.self) {
            self = .map(try pairs.allKeys.map { Pair(.string($0.stringValue), try pairs.decode(MessagePackValue.self, forKey: $0)) })
            return
        }
        if var elements = try? decoder.unkeyedContainer() {
            var values: [MessagePackValue] = []
            while !elements.isAtEnd { values.append(try elements.decode(MessagePackValue.self)) }
            self = .array(values)
            return
        }
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .int(value)
        } else if let value = try? container.decode(UInt64.self) {
            self = .uint(value)
        } else if let value = try? container.decode(Double.self) {
            self = .double(value)
        } else {
            self = .string(try container.decode(String.self))
        }
    }

    /// Encodes the value.
    ///
    /// - Parameter encoder: the encoder.
    /// - Throws: `EncodingError` for an extension and for a key that is not a string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .int(let value): try container.encode(value)
        case .uint(let value): try container.encode(value)
        case .double(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .binary(let value): try container.encode(value)
        case .timestamp(let value): try container.encode(value)
        case .array(let values): try container.encode(values)
        case .map(let pairs): try Self.encode(pairs, to: encoder)
        case .extension(let type, _):
            let text = "extension type \(type) can only be encoded as MessagePack"
            throw EncodingError.invalidValue(self, .init(codingPath: encoder.codingPath, debugDescription: text))
        }
    }

    private static func encode(_ pairs: [Pair], to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Name.self)
        for pair in pairs {
            guard case .string(let key) = pair.key else {
                let text = "a map whose keys are not strings can only be encoded as MessagePack"
                throw EncodingError.invalidValue(pair.key, .init(codingPath: encoder.codingPath, debugDescription: text))
            }
            try container.encode(pair.value, forKey: Name(stringValue: key))
        }
    }
}
