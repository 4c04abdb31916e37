// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// The decoder of one value of a tree.
struct MessagePackTreeDecoder: Decoder {
    let tree: MessagePackTree
    /// Valid while the tree is.
    let object: MessagePackObject
    let path: MessagePackPath?

    var codingPath: [any CodingKey] { path.keys }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard let pairs = object.pointee.pairs else { throw mismatch([String: Any].self, "a map") }
        if let problem = tree.problem(ofKeys: pairs) {
            throw DecodingError.dataCorrupted(.init(codingPath: codingPath, debugDescription: problem.message))
        }
        return KeyedDecodingContainer(MessagePackKeyedDecodingContainer<Key>(tree: tree, pairs: pairs, path: path))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let elements = object.pointee.elements else { throw mismatch([Any].self, "an array") }
        return MessagePackUnkeyedDecodingContainer(tree: tree, elements: elements, path: path)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

    private func mismatch(_ type: Any.Type, _ wanted: StaticString) -> DecodingError {
        tree.mismatch(type, wanted, object).decodingError(at: path)
    }
}

extension MessagePackTreeDecoder: SingleValueDecodingContainer, MessagePackValueDecoder {
    func decodeNil() -> Bool { object.pointee.isNil }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try tree.decode(type, at: object) { path }
    }

    package func decodeMessagePackValue() throws -> MessagePackValue { try decode(MessagePackValue.self) }
}
