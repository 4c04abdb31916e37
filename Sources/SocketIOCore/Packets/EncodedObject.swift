// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore
import SocketIOMessagePack
package import SocketIOText

/// Encodes and decodes objects with string keys whose values remain encoded. Only servers exchange them, always as MessagePack.
package enum EncodedObject {
    /// An object without fields.
    package static var empty: EncodedValue { encode([:] as [Name: Never]) { $0 } }

    /// Encodes an object. Fields whose value cannot be encoded are left out.
    package static func encode<Value>(_ fields: [Name: Value], _ write: (Value) throws -> ByteBuffer) -> EncodedValue {
        let encoded = fields.sorted { $0.key < $1.key }.compactMap { field in (try? write(field.value)).map { (field.key.text, $0) } }
        var writer = MessagePackWriter()
        // These fail only for sizes beyond 4 GiB.
        try? writer.writeMapHeader(count: encoded.count)
        for (key, value) in encoded {
            try? writer.write(key)
            writer.write(raw: value)
        }
        return EncodedValue(format: .messagePack, bytes: writer.buffer)
    }

    /// The fields of an encoded object; empty if the value is none.
    package static func fields(of object: EncodedValue) -> [Name: EncodedValue] {
        var reader = MessagePackReader(object.bytes)
        var result: [Name: EncodedValue] = [:]
        guard object.format == .messagePack, let count = try? reader.readMapHeader() else { return [:] }
        for _ in 0..<count {
            guard let key = try? reader.readString(), let value = try? reader.readRaw() else { break }
            result[Name(key)] = EncodedValue(format: .messagePack, bytes: value)
        }
        return result
    }
}
