// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Encoded as an array, in the order of the names' bytes.
extension NameSet: Encodable {
    /// Encodes the set.
    ///
    /// - Parameter encoder: The encoder.
    /// - Throws: What the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        for name in names.sorted() { try container.encode(name.text) }
    }
}
