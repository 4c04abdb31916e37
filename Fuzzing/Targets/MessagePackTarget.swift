// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCore
import SocketIOMessagePack

extension FuzzTarget {
    /// The MessagePack cursor, value and coders.
    static let messagePack = FuzzTarget(name: "messagepack") { bytes in
        let buffer = ByteBuffer(bytes: bytes)
        let isValid = (try? MessagePackReader.validate(buffer)) != nil
        let value = try? MessagePackValue(decoding: buffer)
        let tree = try? MessagePackDecoder().decode([MessagePackValue].self, from: inArray(buffer))
        try rule(isValid || value == nil, "what is decoded is valid")
        // NaN is not equal to itself; the bytes are. A level more can be one too many.
        if let value, let tree {
            try rule((try? value.encoded()) == (try? tree.first?.encoded()), "the cursor and msgpack-c read the same")
        }
        if let value { try checkRoundTrip(value) }
        try checkText(try? MessagePackDecoder().decode(String.self, from: buffer))
        try checkCursor(buffer)
        _ = try? MessagePackDecoder().decode(Everything.self, from: buffer)
        _ = try? MessagePackDecoder().decode(SocketIOValue.self, from: buffer)
        _ = try? MessagePackDecoder().decode([String: [Everything]].self, from: buffer)
    }

    private static func inArray(_ buffer: ByteBuffer) -> ByteBuffer {
        var list = ByteBuffer(bytes: [0x91])
        list.writeImmutableBuffer(buffer)
        return list
    }

    private static func checkRoundTrip(_ value: MessagePackValue) throws {
        guard let bytes = try? value.encoded() else { return try rule(false, "what was decoded can be encoded") }
        try rule((try? MessagePackEncoder().encode(value)) == bytes, "the encoder writes what the value writes")
        try rule((try? MessagePackValue(decoding: bytes).encoded()) == bytes, "a value survives the coders")
    }

    /// Reads value by value until the end or a mistake; the cursor moves on or stays.
    private static func checkCursor(_ buffer: ByteBuffer) throws {
        var reader = MessagePackReader(buffer)
        while !reader.isAtEnd {
            let offset = reader.offset
            guard let range = try? reader.skip() else {
                try rule(reader.offset == offset, "a read that throws does not move the cursor")
                return
            }
            try rule(range == offset..<reader.offset && !range.isEmpty, "the range is what was stepped over")
        }
    }
}
