// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// The encoder of the value in one slot of a sink.
struct JSONSinkEncoder: Encoder {
    let sink: JSONSink
    let level: Int

    var codingPath: [any CodingKey] { sink.path(to: level) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        // After a mistake, which the sink remembers, what follows goes to a sink that nobody reads.
        guard self.sink.open(.object, at: level) else {
            return JSONSinkEncoder(sink: JSONSink(), level: 0).container(keyedBy: type)
        }
        return KeyedEncodingContainer(JSONKeyedEncodingContainer<Key>(sink: self.sink, level: level))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        guard self.sink.open(.array, at: level) else {
            return JSONSinkEncoder(sink: JSONSink(), level: 0).unkeyedContainer()
        }
        return JSONUnkeyedEncodingContainer(sink: self.sink, level: level)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        JSONSingleValueEncodingContainer(sink: sink, level: level)
    }
}

struct JSONKeyedEncodingContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let sink: JSONSink
    let level: Int

    var codingPath: [any CodingKey] { sink.path(to: level) }

    // The common types have overloads because the generic one is not specialised for a key of another module.

    mutating func encodeNil(forKey key: Key) throws {
        try sink.begin(key.stringValue, in: level)
        sink.writeNil()
    }

    mutating func encode(_ value: String, forKey key: Key) throws {
        try sink.begin(key.stringValue, in: level)
        sink.write(value)
    }

    mutating func encode(_ value: Int, forKey key: Key) throws {
        try sink.begin(key.stringValue, in: level)
        sink.write(value)
    }

    mutating func encode(_ value: Bool, forKey key: Key) throws {
        try sink.begin(key.stringValue, in: level)
        sink.write(value)
    }

    mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        try sink.encode(value, in: level, name: key.stringValue) { key }
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type,
        forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        nestedEncoder(key).container(keyedBy: keyType)
    }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        nestedEncoder(key).unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder { nestedEncoder(JSONSuperKey.super) }
    mutating func superEncoder(forKey key: Key) -> any Encoder { nestedEncoder(key) }

    private func nestedEncoder(_ key: some CodingKey) -> JSONSinkEncoder {
        JSONSinkEncoder(sink: sink.splice(key: key, in: level), level: 0)
    }
}

struct JSONUnkeyedEncodingContainer: UnkeyedEncodingContainer {
    let sink: JSONSink
    let level: Int

    var codingPath: [any CodingKey] { sink.path(to: level) }
    var count: Int { level < sink.slots.count ? sink.slots[level].count : 0 }

    mutating func encodeNil() throws {
        try sink.begin(in: level)
        sink.writeNil()
    }

    mutating func encode(_ value: String) throws {
        try sink.begin(in: level)
        sink.write(value)
    }

    mutating func encode<T: Encodable>(_ value: T) throws { try sink.encode(value, in: level, name: nil) { nil } }

    mutating func nestedContainer<NestedKey: CodingKey>(keyedBy keyType: NestedKey.Type) -> KeyedEncodingContainer<NestedKey> {
        nestedEncoder().container(keyedBy: keyType)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { nestedEncoder().unkeyedContainer() }
    mutating func superEncoder() -> any Encoder { nestedEncoder() }

    private func nestedEncoder() -> JSONSinkEncoder {
        JSONSinkEncoder(sink: sink.splice(key: nil, in: level), level: 0)
    }
}

struct JSONSingleValueEncodingContainer: SingleValueEncodingContainer {
    let sink: JSONSink
    let level: Int

    var codingPath: [any CodingKey] { sink.path(to: level) }

    mutating func encodeNil() throws {
        try sink.begin(in: level)
        sink.writeNil()
    }

    mutating func encode<T: Encodable>(_ value: T) throws { try sink.encode(value, in: level, name: nil) { nil } }
}
