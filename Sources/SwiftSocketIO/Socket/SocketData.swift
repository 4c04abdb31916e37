// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCore
import SocketIOMessagePack
import SocketIOText
import Synchronization

/// Values that the application attaches to a socket.
///
/// `fetchSockets` returns them to all nodes, and connection state recovery keeps them, up to
/// ``SocketIOConfiguration/Limits/descriptionBytes``. For that, values are encoded as MessagePack: a `Date` becomes a timestamp, which Swift
/// reads as a `Date` again; Node.js servers of the cluster receive a JavaScript `Date`. A value that cannot be encoded stays in this process.
///
/// ```swift
/// socket.data["nickname"] = "Ada"
/// let name = socket.data["nickname", as: String.self]
/// ```
public final class SocketData: Sendable {
    private enum Stored: Sendable {
        case live(any Codable & Sendable)
        case encoded(EncodedValue)
    }

    private let values = Mutex<[Name: Stored]>([:])

    init() {}

    /// Stores a value, or removes it if it is nil.
    ///
    /// Reading returns the value as it was stored. It is nil if the value came with a recovered session, since its type is not known then: read
    /// such values with ``subscript(_:as:)``.
    public subscript(key: String) -> (any Codable & Sendable)? {
        get {
            values.withLock { values in
                if case .live(let value) = values[Name(key)] { value } else { nil }
            }
        }
        set { values.withLock { $0[Name(key)] = newValue.map(Stored.live) } }
    }

    /// Reads a value of a type; nil if there is none or it is of another type.
    public subscript<T: Codable & Sendable>(key: String, as type: T.Type) -> T? {
        get {
            switch values.withLock({ $0[Name(key)] }) {
            case .live(let value): value as? T
            case .encoded(let value): try? value.decode(type)
            case nil: nil
            }
        }
        set { self[key] = newValue }
    }

    /// The names of all values. Two names are the same if their UTF-8 bytes are.
    public var keys: [String] { values.withLock { $0.keys.map(\.text) } }

    /// Decodes all values as one.
    ///
    /// - Parameter type: The type to decode; its members are the names of the values.
    /// - Throws: `DecodingError` if the values do not form such a type.
    public func decode<T: Decodable>(_ type: T.Type = T.self) throws -> T { try encoded().decode(type) }

    /// All values as one encoded object. Values that cannot be encoded are omitted.
    func encoded() -> EncodedValue {
        EncodedObject.encode(values.withLock { $0 }) { stored in
            switch stored {
            case .live(let value): try MessagePackEncoder().encode(value)
            case .encoded(let value): value.bytes
            }
        }
    }

    /// Replaces all values with those of an encoded object.
    func restore(_ object: EncodedValue) {
        // Copied: it may be a small part of a large document.
        let copy = EncodedValue(format: object.format, bytes: ByteBuffer(bytes: object.bytes.readableBytesView))
        let restored = EncodedObject.fields(of: copy).mapValues(Stored.encoded)
        values.withLock { $0 = restored }
    }
}
