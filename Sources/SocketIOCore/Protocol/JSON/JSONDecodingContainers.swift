/// The container of an object.
struct JSONKeyedDecodingContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let tape: JSONTape
    private let object: Int
    private let path: JSONPath?
    /// Where each key's value is; only for objects that are too large to search.
    private let index: [String: Int]?

    init(tape: JSONTape, object: Int, path: JSONPath?) {
        self.tape = tape
        self.object = object
        self.path = path
        self.index = tape.hasMoreMembers(than: 24, in: object) ? tape.keyIndex(of: object) : nil
    }

    var codingPath: [any CodingKey] { self.path.keys }

    var allKeys: [Key] {
        var keys: [Key] = []
        var position = self.object + 1
        while position < self.tape.entries[self.object].count {
            let name = self.tape.key(at: position)
            if self.find(name) == position + 1, let key = Key(stringValue: name) { keys.append(key) }
            position = self.tape.next(after: position + 1)
        }
        return keys
    }

    func contains(_ key: Key) -> Bool { self.find(key.stringValue) != nil }

    func decodeNil(forKey key: Key) throws -> Bool { self.tape.isNull(at: try self.position(key)) }

    func decode(_ type: String.Type, forKey key: Key) throws -> String { try self.value(key) { try $0.string() } }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try self.value(key) { try $0.integer() } }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try self.value(key) { try $0.bool() } }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try self.value(key) { try $0.double() } }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try self.decoder(key).decode(type)
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

    /// Decodes a scalar, whose path is needed only if that fails.
    @inline(__always)
    private func value<T>(_ key: Key, _ decode: (JSONValueDecoder) throws -> T) throws -> T {
        let position = try self.position(key)
        do {
            return try decode(JSONValueDecoder(tape: self.tape, index: position, path: nil))
        } catch {
            return try decode(JSONValueDecoder(tape: self.tape, index: position, path: JSONPath(key, in: self.path)))
        }
    }

    private func position(_ key: some CodingKey) throws -> Int {
        let name = key.stringValue
        if let position = self.find(name) { return position }
        let context = DecodingError.Context(codingPath: self.codingPath, debugDescription: "no value for the key \"\(name)\"")
        throw DecodingError.keyNotFound(key, context)
    }

    private func find(_ name: String) -> Int? {
        if let index = self.index { return index[name] }
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
    private mutating func next<T>(_ type: Any.Type, _ decode: (JSONValueDecoder) throws -> T) throws -> T {
        guard !self.isAtEnd else { throw self.atEnd(type) }
        let path = JSONPath(JSONIndexKey(self.currentIndex), in: self.path)
        let value = try decode(JSONValueDecoder(tape: self.tape, index: self.position, path: path))
        self.advance()
        return value
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
