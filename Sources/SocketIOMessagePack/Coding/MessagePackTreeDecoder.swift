// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// The decoder of one value of a tree.
struct MessagePackTreeDecoder: Decoder {
    let tree: MessagePackTree
    /// Valid while the tree is.
    let object: MessagePackObject
    let path: MessagePackPath?

    var codingPath: [any CodingKey] { self.path.keys }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard let pairs = self.object.pointee.pairs else { throw self.mismatch([String: Any].self, "a map") }
        if let problem = self.tree.problem(ofKeys: pairs) {
            throw DecodingError.dataCorrupted(.init(codingPath: self.codingPath, debugDescription: problem.message))
        }
        return KeyedDecodingContainer(MessagePackKeyedDecodingContainer<Key>(tree: self.tree, pairs: pairs, path: self.path))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let elements = self.object.pointee.elements else { throw self.mismatch([Any].self, "an array") }
        return MessagePackUnkeyedDecodingContainer(tree: self.tree, elements: elements, path: self.path)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

    private func mismatch(_ type: Any.Type, _ wanted: StaticString) -> DecodingError {
        self.tree.mismatch(type, wanted, self.object).decodingError(at: self.path)
    }
}

extension MessagePackTreeDecoder: SingleValueDecodingContainer, MessagePackValueDecoder {
    func decodeNil() -> Bool { self.object.pointee.isNil }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try self.tree.decode(type, at: self.object) { self.path }
    }

    package func decodeMessagePackValue() throws -> MessagePackValue { try self.decode(MessagePackValue.self) }
}
