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
        self.index = tape.needsIndex(object) ? tape.keyIndex(of: object) : nil
    }

    var codingPath: [any CodingKey] { self.path.keys }

    var allKeys: [Key] {
        var keys: [Key] = []
        var position = self.object + 1
        while position < self.tape.entries[self.object].count {
            let name = self.tape.key(at: position)
            // Of equal keys the last one counts.
            if self.find(name) == position + 1, let key = Key(stringValue: name) { keys.append(key) }
            position = self.tape.next(after: position + 1)
        }
        return keys
    }

    func contains(_ key: Key) -> Bool { self.find(key.stringValue) != nil }

    func decodeNil(forKey key: Key) throws -> Bool { self.tape.isNull(at: try self.position(key)) }

    // The common types have overloads because the generic one is not specialised for a key of another module.

    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        let position = try self.position(key)
        do { return try self.tape.string(at: position) } catch { throw self.error(error, key) }
    }

    func decode(_ type: Int.Type, forKey key: Key) throws -> Int {
        let position = try self.position(key)
        do { return try self.tape.integer(at: position) } catch { throw self.error(error, key) }
    }

    func decode(_ type: Double.Type, forKey key: Key) throws -> Double {
        let position = try self.position(key)
        do { return try self.tape.double(at: position) } catch { throw self.error(error, key) }
    }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool {
        let position = try self.position(key)
        do { return try self.tape.bool(at: position) } catch { throw self.error(error, key) }
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try self.tape.decode(type, at: self.position(key)) { JSONPath(key, in: self.path) }
    }

    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
        guard let position = self.present(key) else { return nil }
        do { return try self.tape.string(at: position) } catch { throw self.error(error, key) }
    }

    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? {
        guard let position = self.present(key) else { return nil }
        do { return try self.tape.integer(at: position) } catch { throw self.error(error, key) }
    }

    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? {
        guard let position = self.present(key) else { return nil }
        do { return try self.tape.double(at: position) } catch { throw self.error(error, key) }
    }

    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? {
        guard let position = self.present(key) else { return nil }
        do { return try self.tape.bool(at: position) } catch { throw self.error(error, key) }
    }

    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        guard let position = self.present(key) else { return nil }
        return try self.tape.decode(type, at: position) { JSONPath(key, in: self.path) }
    }

    func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type, forKey key: Key) throws -> KeyedDecodingContainer<NestedKey> {
        try self.decoder(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try self.decoder(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { try self.decoder(JSONSuperKey.super) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try self.decoder(key) }

    private func decoder(_ key: some CodingKey) throws -> JSONValueDecoder {
        JSONValueDecoder(tape: self.tape, index: try self.position(key), path: JSONPath(key, in: self.path))
    }

    private func error(_ fault: JSONValueFault, _ key: Key) -> DecodingError {
        fault.decodingError(at: JSONPath(key, in: self.path))
    }

    /// The position of a value that is there and not null.
    private func present(_ key: Key) -> Int? {
        guard let position = self.find(key.stringValue), !self.tape.isNull(at: position) else { return nil }
        return position
    }

    private func position(_ key: some CodingKey) throws -> Int {
        let name = key.stringValue
        if let position = self.find(name) { return position }
        let context = DecodingError.Context(codingPath: self.codingPath, debugDescription: "no value for the key \"\(name)\"")
        throw DecodingError.keyNotFound(key, context)
    }

    private func find(_ name: String) -> Int? {
        if let index = self.index { return index[Name(name)] }
        return self.tape.find(name, in: self.object)
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
        self.position = array + 1
    }

    var codingPath: [any CodingKey] { self.path.keys }
    var count: Int? { self.tape.elementCount(of: self.array) }
    var isAtEnd: Bool { self.position >= self.tape.entries[self.array].count }

    mutating func decodeNil() throws -> Bool {
        guard !self.isAtEnd else { throw self.atEnd(Any?.self) }
        guard self.tape.isNull(at: self.position) else { return false }
        self.advance()
        return true
    }

    /// Decodes the next element; one that throws is not passed over.
    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        guard !self.isAtEnd else { throw self.atEnd(type) }
        let value = try self.tape.decode(type, at: self.position) { self.elementPath }
        self.advance()
        return value
    }

    mutating func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type) throws -> KeyedDecodingContainer<NestedKey> {
        let container = try self.element([String: Any].self).container(keyedBy: type)
        self.advance()
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try self.element([Any].self).unkeyedContainer()
        self.advance()
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let decoder = try self.element((any Decoder).self)
        self.advance()
        return decoder
    }

    private var elementPath: JSONPath { JSONPath(JSONIndexKey(self.currentIndex), in: self.path) }

    private func element(_ type: Any.Type) throws -> JSONValueDecoder {
        guard !self.isAtEnd else { throw self.atEnd(type) }
        return JSONValueDecoder(tape: self.tape, index: self.position, path: self.elementPath)
    }

    private mutating func advance() {
        self.position = self.tape.next(after: self.position)
        self.currentIndex += 1
    }

    private func atEnd(_ type: Any.Type) -> DecodingError {
        let path = self.codingPath + [JSONIndexKey(self.currentIndex)]
        return DecodingError.valueNotFound(
            type,
            .init(codingPath: path, debugDescription: "the array has only \(self.currentIndex) elements")
        )
    }
}
