// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// The container of an object.
struct JSONKeyedDecodingContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let tape: JSONTape
    private let object: Int
    private let path: JSONPath?
    /// Where each key's value is; only for objects that take too long to search.
    private let index: [Name: Int]?

    init(tape: JSONTape, object: Int, path: JSONPath?) {
        self.tape = tape
        self.object = object
        self.path = path
        index = tape.needsIndex(object) ? tape.keyIndex(of: object) : nil
    }

    var codingPath: [any CodingKey] { path.keys }

    var allKeys: [Key] {
        var keys: [Key] = []
        var position = object + 1
        while position < tape.entries[object].count {
            let name = tape.key(at: position)
            // Of equal keys the last one counts.
            if find(name) == position + 1, let key = Key(stringValue: name) { keys.append(key) }
            position = tape.next(after: position + 1)
        }
        return keys
    }

    func contains(_ key: Key) -> Bool { find(key.stringValue) != nil }

    func decodeNil(forKey key: Key) throws -> Bool { tape.isNull(at: try position(key)) }

    // The common types have overloads because the generic one is not specialised for a key of another module.

    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        let position = try self.position(key)
        do { return try tape.string(at: position) } catch { throw self.error(error, key) }
    }

    func decode(_ type: Int.Type, forKey key: Key) throws -> Int {
        let position = try self.position(key)
        do { return try tape.integer(at: position) } catch { throw self.error(error, key) }
    }

    func decode(_ type: Double.Type, forKey key: Key) throws -> Double {
        let position = try self.position(key)
        do { return try tape.double(at: position) } catch { throw self.error(error, key) }
    }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool {
        let position = try self.position(key)
        do { return try tape.bool(at: position) } catch { throw self.error(error, key) }
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try tape.decode(type, at: position(key)) { JSONPath(key, in: path) }
    }

    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
        guard let position = present(key) else { return nil }
        do { return try tape.string(at: position) } catch { throw self.error(error, key) }
    }

    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? {
        guard let position = present(key) else { return nil }
        do { return try tape.integer(at: position) } catch { throw self.error(error, key) }
    }

    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? {
        guard let position = present(key) else { return nil }
        do { return try tape.double(at: position) } catch { throw self.error(error, key) }
    }

    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? {
        guard let position = present(key) else { return nil }
        do { return try tape.bool(at: position) } catch { throw self.error(error, key) }
    }

    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        guard let position = present(key) else { return nil }
        return try tape.decode(type, at: position) { JSONPath(key, in: path) }
    }

    func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type, forKey key: Key) throws -> KeyedDecodingContainer<NestedKey> {
        try decoder(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try decoder(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { try decoder(JSONSuperKey.super) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }

    private func decoder(_ key: some CodingKey) throws -> JSONValueDecoder {
        JSONValueDecoder(tape: tape, index: try position(key), path: JSONPath(key, in: self.path))
    }

    private func error(_ fault: JSONValueFault, _ key: Key) -> DecodingError {
        fault.decodingError(at: JSONPath(key, in: path))
    }

    /// The position of a value that is there and not null.
    private func present(_ key: Key) -> Int? {
        guard let position = find(key.stringValue), !tape.isNull(at: position) else { return nil }
        return position
    }

    private func position(_ key: some CodingKey) throws -> Int {
        let name = key.stringValue
        if let position = find(name) { return position }
        let context = DecodingError.Context(codingPath: codingPath, debugDescription: "no value for the key \"\(name)\"")
        throw DecodingError.keyNotFound(key, context)
    }

    private func find(_ name: String) -> Int? {
        if let index = self.index { return index[Name(name)] }
        return tape.find(name, in: object)
    }
}

/// The container of an array.
struct JSONUnkeyedDecodingContainer: UnkeyedDecodingContainer {
    private let tape: JSONTape
    private let array: Int
    private let path: JSONPath?
    private var position: Int
    private(set) var currentIndex = 0

    init(tape: JSONTape, array: Int, path: JSONPath?) {
        self.tape = tape
        self.array = array
        self.path = path
        position = array + 1
    }

    var codingPath: [any CodingKey] { path.keys }
    var count: Int? { tape.elementCount(of: array) }
    var isAtEnd: Bool { position >= tape.entries[array].count }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd else { throw atEnd(Any?.self) }
        guard tape.isNull(at: position) else { return false }
        advance()
        return true
    }

    /// Decodes the next element; one that throws is not passed over.
    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        guard !isAtEnd else { throw atEnd(type) }
        let value = try tape.decode(type, at: position) { elementPath }
        advance()
        return value
    }

    mutating func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type) throws -> KeyedDecodingContainer<NestedKey> {
        let container = try element([String: Any].self).container(keyedBy: type)
        advance()
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try element([Any].self).unkeyedContainer()
        advance()
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let decoder = try element((any Decoder).self)
        advance()
        return decoder
    }

    private var elementPath: JSONPath { JSONPath(JSONIndexKey(currentIndex), in: path) }

    private func element(_ type: Any.Type) throws -> JSONValueDecoder {
        guard !isAtEnd else { throw atEnd(type) }
        return JSONValueDecoder(tape: tape, index: position, path: elementPath)
    }

    private mutating func advance() {
        position = tape.next(after: position)
        currentIndex += 1
    }

    private func atEnd(_ type: Any.Type) -> DecodingError {
        let path = codingPath + [JSONIndexKey(currentIndex)]
        return DecodingError.valueNotFound(
            type,
            .init(codingPath: path, debugDescription: "the array has only \(currentIndex) elements")
        )
    }
}
