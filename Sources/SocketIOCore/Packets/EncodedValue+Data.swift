// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOMessagePack

#if canImport(FoundationEssentials)
public import struct FoundationEssentials.Data
#else
public import struct Foundation.Data
#endif

extension EncodedValue {
    /// The value's bytes, whatever it is: of a string its UTF-8, of a binary value its bytes, of any other value its JSON text.
    ///
    /// With the JSON parser, that text is the one that was sent, in which placeholders stand for binary values. A MessagePack value that JSON
    /// does not have, and bytes that cannot be decoded, are returned as they are.
    public var data: Data {
        // A string may have more combining marks than a `String` argument: nothing compares these bytes.
        switch format {
        case .json: json
        case .messagePack: messagePack
        }
    }

    private var json: Data {
        switch bytes.readableBytesView.first {
        case UInt8(ascii: "\""):
            let string = bytes.withUnsafeReadableBytes { bytes -> String? in
                var reader = JSONTokenReader(bytes)
                guard case .string(let range, let escaped)? = try? reader.next() else { return nil }
                return reader.text(range, escaped: escaped)
            }
            if let string { return Data(string.utf8) }
        case UInt8(ascii: "{") where !attachments.isEmpty:
            if let binary = try? decode(ByteBuffer.self) { return Data(binary.readableBytesView) }
        default: break
        }
        return Data(bytes.readableBytesView)
    }

    private var messagePack: Data {
        var reader = MessagePackReader(bytes)
        switch try? reader.peekKind() {
        case .string:
            if let string = try? reader.readString() { return Data(string.utf8) }
        case .binary:
            if let binary = try? reader.readBinary() { return Data(binary.readableBytesView) }
        default:
            var text = ByteBuffer()
            var attachments: [ByteBuffer] = []
            if let value = try? decode(SocketIOValue.self),
                (try? JSONArgumentEncoder().encode(value, into: &text, attachments: &attachments)) != nil
            {
                return Data(text.readableBytesView)
            }
        }
        return Data(bytes.readableBytesView)
    }
}
