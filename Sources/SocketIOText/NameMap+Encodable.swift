// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Encoded as an object, in the order of the names' bytes.
extension NameMap: Encodable where Value: Encodable {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// Encodes the map.
    ///
    /// - Parameter encoder: The encoder.
    /// - Throws: What the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        for (name, value) in values.sorted(by: { $0.key < $1.key }) { try container.encode(value, forKey: Key(name.text)) }
    }
}
