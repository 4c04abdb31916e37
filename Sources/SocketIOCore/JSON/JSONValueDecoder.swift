// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// The decoder of one value of a tape.
struct JSONValueDecoder: Decoder {
    let tape: JSONTape
    let index: Int
    let path: JSONPath?

    var codingPath: [any CodingKey] { self.path.keys }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard self.tape.kind(at: self.index) == .object else { throw self.mismatch([String: Any].self, "an object") }
        if let problem = self.tape.keyProblem(of: self.index) {
            throw DecodingError.dataCorrupted(.init(codingPath: self.codingPath, debugDescription: problem.message))
        }
        return KeyedDecodingContainer(JSONKeyedDecodingContainer<Key>(tape: self.tape, object: self.index, path: self.path))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard self.tape.kind(at: self.index) == .array else { throw self.mismatch([Any].self, "an array") }
        return JSONUnkeyedDecodingContainer(tape: self.tape, array: self.index, path: self.path)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

    private func mismatch(_ type: Any.Type, _ wanted: StaticString) -> DecodingError {
        self.tape.mismatch(type, wanted, self.index).decodingError(at: self.path)
    }
}

extension JSONValueDecoder: SingleValueDecodingContainer {
    func decodeNil() -> Bool { self.tape.isNull(at: self.index) }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try self.tape.decode(type, at: self.index) { self.path }
    }
}
