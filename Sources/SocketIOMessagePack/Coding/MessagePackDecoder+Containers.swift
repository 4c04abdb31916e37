// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import CSocketIOMessagePack
import SocketIOText

/// The container of a map.
struct MessagePackKeyedDecodingContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let tree: MessagePackTree
    private let pairs: UnsafeBufferPointer<msgpack_object_kv>
    private let path: MessagePackPath?
    /// Where each key is; only for maps that are too large to search.
    private let index: [Name: Int]?

    init(tree: MessagePackTree, pairs: UnsafeBufferPointer<msgpack_object_kv>, path: MessagePackPath?) {
        self.tree = tree
        self.pairs = pairs
        self.path = path
        guard pairs.count > 16 else {
            self.index = nil
            return
        }
        var index: [Name: Int] = [:]
        for (position, pair) in pairs.enumerated() {
            if let key = pair.key.keyString { index[Name(key)] = position }
        }
        self.index = index
    }

    var codingPath: [any CodingKey] { path.keys }

    var allKeys: [Key] {
        pairs.indices.compactMap { position in
            guard let name = pairs[position].key.keyString, self.position(name) == position else { return nil }
            return Key(stringValue: name) ?? Int(name).flatMap { Key(intValue: $0) }
        }
    }

    func contains(_ key: Key) -> Bool { find(key.stringValue) != nil }

    func decodeNil(forKey key: Key) throws -> Bool { try object(key).pointee.isNil }

    // The common types have overloads because the generic one is not specialised for a key of another module.

    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        let object = try self.object(key)
        do { return try tree.string(object) } catch { throw self.error(error, key) }
    }

    func decode(_ type: Int.Type, forKey key: Key) throws -> Int {
        let object = try self.object(key)
        do { return try tree.integer(object) } catch { throw self.error(error, key) }
    }

    func decode(_ type: Double.Type, forKey key: Key) throws -> Double {
        let object = try self.object(key)
        do { return try tree.double(object) } catch { throw self.error(error, key) }
    }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool {
        let object = try self.object(key)
        do { return try tree.bool(object) } catch { throw self.error(error, key) }
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try tree.decode(type, at: object(key)) { MessagePackPath(key, in: path) }
    }

    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        guard let object = find(key.stringValue), !object.pointee.isNil else { return nil }
        return try tree.decode(type, at: object) { MessagePackPath(key, in: path) }
    }

    func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type, forKey key: Key) throws -> KeyedDecodingContainer<NestedKey> {
        try decoder(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try decoder(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        try decoder(MessagePackSuperKey.super)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        try decoder(key)
    }

    private func decoder(_ key: some CodingKey) throws -> MessagePackTreeDecoder {
        MessagePackTreeDecoder(tree: tree, object: try object(key), path: MessagePackPath(key, in: self.path))
    }

    private func object(_ key: some CodingKey) throws -> MessagePackObject {
        let name = key.stringValue
        if let object = find(name) { return object }
        let context = DecodingError.Context(codingPath: codingPath, debugDescription: "no value for the key \"\(name)\"")
        throw DecodingError.keyNotFound(key, context)
    }

    private func error(_ fault: MessagePackFault, _ key: Key) -> DecodingError {
        fault.decodingError(at: MessagePackPath(key, in: path))
    }

    private func find(_ name: String) -> MessagePackObject? {
        guard let base = pairs.baseAddress, let position = self.position(name) else { return nil }
        return (base + position).value
    }

    /// The position of the last pair with a key.
    private func position(_ name: String) -> Int? {
        if let index = self.index { return index[Name(name)] }
        var name = name
        return name.withUTF8 { name in
            pairs.lastIndex { $0.key.isKey(UnsafeRawBufferPointer(name)) }
        }
    }
}

extension msgpack_object {
    /// A map's key as a string: strings, and integers in decimal.
    fileprivate var keyString: String? {
        switch type {
        case MSGPACK_OBJECT_STR: stringBytes.flatMap { String(validating: $0, as: UTF8.self) }
        case MSGPACK_OBJECT_POSITIVE_INTEGER: String(via.u64)
        case MSGPACK_OBJECT_NEGATIVE_INTEGER: String(via.i64)
        default: nil
        }
    }

    fileprivate func isKey(_ name: UnsafeRawBufferPointer) -> Bool {
        if let bytes = stringBytes { return bytes.count == name.count && bytes.elementsEqual(name) }
        return keyString?.utf8.elementsEqual(name) ?? false
    }
}

/// The container of an array.
struct MessagePackUnkeyedDecodingContainer: UnkeyedDecodingContainer {
    private let tree: MessagePackTree
    private let elements: UnsafeBufferPointer<msgpack_object>
    private let path: MessagePackPath?
    private(set) var currentIndex = 0

    init(tree: MessagePackTree, elements: UnsafeBufferPointer<msgpack_object>, path: MessagePackPath?) {
        self.tree = tree
        self.elements = elements
        self.path = path
    }

    var codingPath: [any CodingKey] { path.keys }
    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex >= elements.count }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd else { throw atEnd(Any?.self) }
        guard elements[currentIndex].isNil else { return false }
        currentIndex += 1
        return true
    }

    /// Decodes the next element; one that throws is not passed over.
    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let value = try tree.decode(type, at: object(type)) { elementPath }
        currentIndex += 1
        return value
    }

    mutating func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type) throws -> KeyedDecodingContainer<NestedKey> {
        let container = try element([String: Any].self).container(keyedBy: type)
        currentIndex += 1
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try element([Any].self).unkeyedContainer()
        currentIndex += 1
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let decoder = try element((any Decoder).self)
        currentIndex += 1
        return decoder
    }

    private var elementPath: MessagePackPath { MessagePackPath(MessagePackIndexKey(currentIndex), in: path) }

    private func object(_ type: Any.Type) throws -> MessagePackObject {
        guard !isAtEnd, let base = elements.baseAddress else { throw atEnd(type) }
        return base + currentIndex
    }

    private func element(_ type: Any.Type) throws -> MessagePackTreeDecoder {
        MessagePackTreeDecoder(tree: tree, object: try object(type), path: elementPath)
    }

    private func atEnd(_ type: Any.Type) -> DecodingError {
        let path = codingPath + [MessagePackIndexKey(currentIndex)]
        return DecodingError.valueNotFound(
            type,
            .init(codingPath: path, debugDescription: "the array has only \(elements.count) elements")
        )
    }
}
