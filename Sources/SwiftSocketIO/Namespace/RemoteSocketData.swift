// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore
import SocketIOText

/// The values that a socket's process has attached to it, as they were when the socket was fetched: ``SocketData`` from another process.
///
/// ```swift
/// let name = remote.data["nickname", as: String.self]
/// let profile = try remote.data.decode(Profile.self)
/// ```
///
/// Empty if the data was omitted because of its size; see ``RemoteSocket/omitted``.
public struct RemoteSocketData: Sendable {
    /// All values as one encoded object.
    public let encoded: EncodedValue

    init(encoded: EncodedValue) { self.encoded = encoded }

    private var fields: [Name: EncodedValue] { EncodedObject.fields(of: encoded) }

    /// Reads a value whose type is not known; nil if there is none.
    public subscript(key: String) -> SocketIOValue? { self[key, as: SocketIOValue.self] }

    /// Reads a value of a type; nil if there is none or it is of another type.
    public subscript<T: Decodable>(key: String, as type: T.Type) -> T? { fields[Name(key)].flatMap { try? $0.decode(type) } }

    /// The names of all values. Two names are the same if their UTF-8 bytes are.
    public var keys: [String] { fields.keys.map(\.text) }

    /// Decodes all values as one.
    ///
    /// - Parameter type: The type to decode; its members are the names of the values.
    /// - Throws: `DecodingError` if the values do not form such a type.
    public func decode<T: Decodable>(_ type: T.Type = T.self) throws -> T { try encoded.decode(type) }
}
