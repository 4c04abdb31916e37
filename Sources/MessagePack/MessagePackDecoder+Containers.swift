import CMessagePack

/// The container of a map.
struct MessagePackKeyedDecodingContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let tree: MessagePackTree
    private let pairs: UnsafeBufferPointer<msgpack_object_kv>
    private let path: MessagePackPath?
    /// Where each key is; only for maps that are too large to search.
    private let index: [String: Int]?

    init(tree: MessagePackTree, pairs: UnsafeBufferPointer<msgpack_object_kv>, path: MessagePackPath?) {
        self.tree = tree
        self.pairs = pairs
        self.path = path
        guard pairs.count > 16 else {
            self.index = nil
            return
        }
        var index: [String: Int] = [:]
        for (position, pair) in pairs.enumerated() {
            if let key = pair.key.keyString { index[key] = position }
        }
        self.index = index
    }

    var codingPath: [any CodingKey] { self.path.keys }

    var allKeys: [Key] {
        self.pairs.indices.compactMap { position in
            guard let name = self.pairs[position].key.keyString, self.find(name) == position else { return nil }
            return Key(stringValue: name) ?? Int(name).flatMap { Key(intValue: $0) }
        }
    }

    func contains(_ key: Key) -> Bool { self.find(key.stringValue) != nil }

    func decodeNil(forKey key: Key) throws -> Bool { try self.decoder(key, named: nil).decodeNil() }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try self.decoder(key, named: key).decode(type)
    }

    func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type, forKey key: Key) throws -> KeyedDecodingContainer<NestedKey> {
        try self.decoder(key, named: key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try self.decoder(key, named: key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        try self.decoder(MessagePackSuperKey.super, named: MessagePackSuperKey.super)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        try self.decoder(key, named: key)
    }

    private func decoder(_ key: some CodingKey, named name: (any CodingKey)?) throws -> MessagePackTreeDecoder {
        guard let position = self.find(key.stringValue), let base = self.pairs.baseAddress else {
            let context = DecodingError.Context(
                codingPath: self.codingPath,
                debugDescription: "no value for the key \"\(key.stringValue)\""
            )
            throw DecodingError.keyNotFound(key, context)
        }
        let path = name.map { MessagePackPath($0, in: self.path) } ?? self.path
        return MessagePackTreeDecoder(tree: self.tree, object: (base + position).value, path: path)
    }

    /// The last pair with a key.
    private func find(_ name: String) -> Int? {
        if let index = self.index { return index[name] }
        var name = name
        return name.withUTF8 { name in
            self.pairs.lastIndex { $0.key.isKey(UnsafeRawBufferPointer(name)) }
        }
    }
}

extension msgpack_object {
    /// A map's key as a string: strings, and integers in decimal.
    fileprivate var keyString: String? {
        switch self.type {
        case MSGPACK_OBJECT_STR: self.stringBytes.flatMap { String(validating: $0, as: UTF8.self) }
        case MSGPACK_OBJECT_POSITIVE_INTEGER: String(self.via.u64)
        case MSGPACK_OBJECT_NEGATIVE_INTEGER: String(self.via.i64)
        default: nil
        }
    }

    fileprivate func isKey(_ name: UnsafeRawBufferPointer) -> Bool {
        if let bytes = self.stringBytes { return bytes.count == name.count && bytes.elementsEqual(name) }
        return self.keyString?.utf8.elementsEqual(name) ?? false
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

    var codingPath: [any CodingKey] { self.path.keys }
    var count: Int? { self.elements.count }
    var isAtEnd: Bool { self.currentIndex >= self.elements.count }

    mutating func decodeNil() throws -> Bool {
        guard !self.isAtEnd else { throw self.atEnd(Any?.self) }
        guard self.elements[self.currentIndex].isNil else { return false }
        self.currentIndex += 1
        return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try self.next(type) { try $0.decode(type) }
    }

    mutating func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type) throws -> KeyedDecodingContainer<NestedKey> {
        try self.next([String: Any].self) { try $0.container(keyedBy: type) }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try self.next([Any].self) { try $0.unkeyedContainer() }
    }

    mutating func superDecoder() throws -> any Decoder {
        try self.next((any Decoder).self) { $0 }
    }

    /// Decodes the next element; one that throws is not passed over.
    @inline(__always)
    private mutating func next<T>(_ type: Any.Type, _ decode: (MessagePackTreeDecoder) throws -> T) throws -> T {
        guard !self.isAtEnd, let base = self.elements.baseAddress else { throw self.atEnd(type) }
        let path = MessagePackPath(MessagePackIndexKey(self.currentIndex), in: self.path)
        let value = try decode(MessagePackTreeDecoder(tree: self.tree, object: base + self.currentIndex, path: path))
        self.currentIndex += 1
        return value
    }

    private func atEnd(_ type: Any.Type) -> DecodingError {
        let path = self.codingPath + [MessagePackIndexKey(self.currentIndex)]
        return DecodingError.valueNotFound(
            type,
            .init(codingPath: path, debugDescription: "the array has only \(self.elements.count) elements")
        )
    }
}
