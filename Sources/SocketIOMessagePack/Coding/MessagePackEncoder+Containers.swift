// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// The encoder of the value in one slot of a sink.
struct MessagePackSinkEncoder: Encoder, MessagePackValueEncoder {
    let sink: MessagePackSink
    let level: Int

    var codingPath: [any CodingKey] { self.sink.path(to: self.level) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        guard self.sink.open(.map, at: self.level) else {
            return MessagePackSinkEncoder(sink: MessagePackSink(), level: 0).container(keyedBy: type)
        }
        return KeyedEncodingContainer(MessagePackKeyedEncodingContainer<Key>(sink: self.sink, level: self.level))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        guard self.sink.open(.array, at: self.level) else {
            return MessagePackSinkEncoder(sink: MessagePackSink(), level: 0).unkeyedContainer()
        }
        return MessagePackUnkeyedEncodingContainer(sink: self.sink, level: self.level)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        MessagePackSingleValueEncodingContainer(sink: self.sink, level: self.level)
    }
}

struct MessagePackKeyedEncodingContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let sink: MessagePackSink
    let level: Int

    var codingPath: [any CodingKey] { self.sink.path(to: self.level) }

    // The common types have overloads because the generic one is not specialised for a key of another module.

    mutating func encodeNil(forKey key: Key) throws {
        try self.sink.begin(key.stringValue, in: self.level)
        self.sink.writer.writeNil()
    }

    mutating func encode(_ value: Int, forKey key: Key) throws {
        try self.sink.begin(key.stringValue, in: self.level)
        self.sink.writer.write(value)
    }

    mutating func encode(_ value: Double, forKey key: Key) throws {
        try self.sink.begin(key.stringValue, in: self.level)
        self.sink.writer.write(value)
    }

    mutating func encode(_ value: Bool, forKey key: Key) throws {
        try self.sink.begin(key.stringValue, in: self.level)
        self.sink.writer.write(value)
    }

    mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        try self.sink.encode(value, in: self.level, name: key.stringValue) { key }
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type,
        forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        self.nestedEncoder(key).container(keyedBy: keyType)
    }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        self.nestedEncoder(key).unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder {
        self.nestedEncoder(MessagePackSuperKey.super)
    }

    mutating func superEncoder(forKey key: Key) -> any Encoder {
        self.nestedEncoder(key)
    }

    private func nestedEncoder(_ key: some CodingKey) -> MessagePackSinkEncoder {
        MessagePackSinkEncoder(sink: self.sink.splice(key: key, in: self.level), level: 0)
    }
}

struct MessagePackUnkeyedEncodingContainer: UnkeyedEncodingContainer {
    let sink: MessagePackSink
    let level: Int

    var codingPath: [any CodingKey] { self.sink.path(to: self.level) }
    var count: Int { self.level < self.sink.slots.count ? self.sink.slots[self.level].count : 0 }

    mutating func encodeNil() throws {
        try self.sink.begin(in: self.level)
        self.sink.writer.writeNil()
    }

    mutating func encode<T: Encodable>(_ value: T) throws {
        try self.sink.encode(value, in: self.level, name: nil) { nil }
    }

    mutating func nestedContainer<NestedKey: CodingKey>(keyedBy keyType: NestedKey.Type) -> KeyedEncodingContainer<NestedKey> {
        self.nestedEncoder().container(keyedBy: keyType)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        self.nestedEncoder().unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder {
        self.nestedEncoder()
    }

    private func nestedEncoder() -> MessagePackSinkEncoder {
        MessagePackSinkEncoder(sink: self.sink.splice(key: nil, in: self.level), level: 0)
    }
}

struct MessagePackSingleValueEncodingContainer: SingleValueEncodingContainer {
    let sink: MessagePackSink
    let level: Int

    var codingPath: [any CodingKey] { self.sink.path(to: self.level) }

    mutating func encodeNil() throws {
        try self.sink.begin(in: self.level)
        self.sink.writer.writeNil()
    }

    mutating func encode<T: Encodable>(_ value: T) throws {
        try self.sink.encode(value, in: self.level, name: nil) { nil }
    }
}
