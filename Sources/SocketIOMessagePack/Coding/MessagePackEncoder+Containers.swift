// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// The encoder of the value in one slot of a sink.
struct MessagePackSinkEncoder: Encoder, MessagePackValueEncoder {
    let sink: MessagePackSink
    let level: Int

    var codingPath: [any CodingKey] { sink.path(to: level) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        guard self.sink.open(.map, at: level) else {
            return MessagePackSinkEncoder(sink: MessagePackSink(), level: 0).container(keyedBy: type)
        }
        return KeyedEncodingContainer(MessagePackKeyedEncodingContainer<Key>(sink: self.sink, level: level))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        guard self.sink.open(.array, at: level) else {
            return MessagePackSinkEncoder(sink: MessagePackSink(), level: 0).unkeyedContainer()
        }
        return MessagePackUnkeyedEncodingContainer(sink: self.sink, level: level)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        MessagePackSingleValueEncodingContainer(sink: sink, level: level)
    }
}

struct MessagePackKeyedEncodingContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let sink: MessagePackSink
    let level: Int

    var codingPath: [any CodingKey] { sink.path(to: level) }

    // The common types have overloads because the generic one is not specialised for a key of another module.

    mutating func encodeNil(forKey key: Key) throws {
        try sink.begin(key.stringValue, in: level)
        sink.writer.writeNil()
    }

    mutating func encode(_ value: Int, forKey key: Key) throws {
        try sink.begin(key.stringValue, in: level)
        sink.writer.write(value)
    }

    mutating func encode(_ value: Double, forKey key: Key) throws {
        try sink.begin(key.stringValue, in: level)
        sink.writer.write(value)
    }

    mutating func encode(_ value: Bool, forKey key: Key) throws {
        try sink.begin(key.stringValue, in: level)
        sink.writer.write(value)
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

    mutating func superEncoder() -> any Encoder {
        nestedEncoder(MessagePackSuperKey.super)
    }

    mutating func superEncoder(forKey key: Key) -> any Encoder {
        nestedEncoder(key)
    }

    private func nestedEncoder(_ key: some CodingKey) -> MessagePackSinkEncoder {
        MessagePackSinkEncoder(sink: sink.splice(key: key, in: level), level: 0)
    }
}

struct MessagePackUnkeyedEncodingContainer: UnkeyedEncodingContainer {
    let sink: MessagePackSink
    let level: Int

    var codingPath: [any CodingKey] { sink.path(to: level) }
    var count: Int { level < sink.slots.count ? sink.slots[level].count : 0 }

    mutating func encodeNil() throws {
        try sink.begin(in: level)
        sink.writer.writeNil()
    }

    mutating func encode<T: Encodable>(_ value: T) throws {
        try sink.encode(value, in: level, name: nil) { nil }
    }

    mutating func nestedContainer<NestedKey: CodingKey>(keyedBy keyType: NestedKey.Type) -> KeyedEncodingContainer<NestedKey> {
        nestedEncoder().container(keyedBy: keyType)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        nestedEncoder().unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder {
        nestedEncoder()
    }

    private func nestedEncoder() -> MessagePackSinkEncoder {
        MessagePackSinkEncoder(sink: sink.splice(key: nil, in: level), level: 0)
    }
}

struct MessagePackSingleValueEncodingContainer: SingleValueEncodingContainer {
    let sink: MessagePackSink
    let level: Int

    var codingPath: [any CodingKey] { sink.path(to: level) }

    mutating func encodeNil() throws {
        try sink.begin(in: level)
        sink.writer.writeNil()
    }

    mutating func encode<T: Encodable>(_ value: T) throws {
        try sink.encode(value, in: level, name: nil) { nil }
    }
}
