// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// The decoder of one value of a tape.
struct JSONValueDecoder: Decoder {
    let tape: JSONTape
    let index: Int
    let path: JSONPath?

    var codingPath: [any CodingKey] { path.keys }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard tape.kind(at: index) == .object else { throw mismatch([String: Any].self, "an object") }
        if let problem = tape.keyProblem(of: index) {
            throw DecodingError.dataCorrupted(.init(codingPath: codingPath, debugDescription: problem.message))
        }
        return KeyedDecodingContainer(JSONKeyedDecodingContainer<Key>(tape: tape, object: index, path: path))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard tape.kind(at: index) == .array else { throw mismatch([Any].self, "an array") }
        return JSONUnkeyedDecodingContainer(tape: tape, array: index, path: path)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

    private func mismatch(_ type: Any.Type, _ wanted: StaticString) -> DecodingError {
        tape.mismatch(type, wanted, index).decodingError(at: path)
    }
}

extension JSONValueDecoder: SingleValueDecodingContainer {
    func decodeNil() -> Bool { tape.isNull(at: index) }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try tape.decode(type, at: index) { path }
    }
}
