// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The packets' format on the wire.
enum WireFormat: String, CaseIterable { case json, msgpack }

/// A Socket.IO packet as far as a load generator looks into it.
struct ReceivedPacket {
    enum Kind: UInt8 { case connect = 0, disconnect, event, acknowledgement, connectError, binaryEvent, binaryAcknowledgement }

    let kind: Kind
    /// The acknowledgement id, or -1.
    let id: Int
    /// What follows type, namespace and id.
    let body: UnsafeBufferPointer<UInt8>

    /// - Parameter bytes: A message of the main namespace in the JSON format, without Engine.IO's packet type.
    @inline(__always)
    init?(json bytes: UnsafeBufferPointer<UInt8>) {
        guard let first = bytes.first, let kind = Kind(rawValue: first &- 48) else { return nil }
        self.kind = kind
        var position = 1
        var id = -1
        while position < bytes.count, case let digit = bytes[position] &- 48, digit < 10 {
            id = (id < 0 ? 0 : id &* 10) &+ Int(digit)
            position += 1
        }
        self.id = id
        body = UnsafeBufferPointer(rebasing: bytes[position...])
    }

    /// - Parameter bytes: A message in the MessagePack format.
    init?(messagePack bytes: UnsafeBufferPointer<UInt8>) {
        var reader = FieldReader(bytes)
        guard let fields = reader.mapHeader() else { return nil }
        var kind: Kind?
        var id = -1
        for _ in 0..<fields {
            guard let key = reader.shortString() else { break }
            switch key {
            case "type": kind = reader.integer().flatMap { Kind(rawValue: UInt8(truncatingIfNeeded: $0)) }
            case "id": id = reader.integer() ?? -1
            // The id may follow what is not read here; it is then found by its key.
            case "nsp": _ = reader.shortString()
            default:
                if id < 0 { id = reader.find(key: "id") ?? -1 }
                if kind == nil { kind = reader.find(key: "type").flatMap { Kind(rawValue: UInt8(truncatingIfNeeded: $0)) } }
                guard let kind else { return nil }
                self.kind = kind
                self.id = id
                body = reader.rest
                return
            }
        }
        guard let kind else { return nil }
        self.kind = kind
        self.id = id
        body = reader.rest
    }
}

/// Reads the few MessagePack types that a packet's own fields have.
private struct FieldReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var rest: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: bytes[position...]) }

    private mutating func next() -> UInt8? {
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func mapHeader() -> Int? {
        guard let byte = next(), byte & 0xf0 == 0x80 else { return nil }
        return Int(byte & 0x0f)
    }

    mutating func shortString() -> String? {
        guard let byte = next(), byte & 0xe0 == 0xa0 else { return nil }
        let length = Int(byte & 0x1f)
        guard position + length <= bytes.count else { return nil }
        defer { position += length }
        return String(decoding: bytes[position..<(position + length)], as: UTF8.self)
    }

    mutating func integer() -> Int? {
        guard let byte = next() else { return nil }
        let size: Int
        switch byte {
        case ..<0x80: return Int(byte)
        case 0xcc: size = 1
        case 0xcd: size = 2
        case 0xce: size = 4
        case 0xcf: size = 8
        default: return nil
        }
        guard position + size <= bytes.count else { return nil }
        var value = 0
        for offset in 0..<size { value = value << 8 | Int(bytes[position + offset]) }
        position += size
        return value
    }

    /// Looks for a field near the end, without reading what is before it.
    func find(key: StaticString) -> Int? {
        let length = key.utf8CodeUnitCount
        guard bytes.count > length + 1, let base = bytes.baseAddress else { return nil }
        for start in stride(from: bytes.count - length - 2, through: position, by: -1) where bytes[start] == 0xa0 | UInt8(length) {
            guard memcmp(base + start + 1, key.utf8Start, length) == 0 else { continue }
            var reader = self
            reader.position = start + 1 + length
            return reader.integer()
        }
        return nil
    }
}

/// Writes the packets of the main namespace that a load generator sends.
struct PacketWriter {
    let format: WireFormat

    var opcode: UInt8 { format == .json ? WebSocketFrames.text : WebSocketFrames.binary }

    func connect(auth: String? = nil) -> Bytes {
        var bytes = Bytes()
        switch format {
        case .json:
            bytes.append("40")
            if let auth { bytes.append(auth) }
        case .msgpack:
            bytes.append(0x82)
            appendField("type", 0, to: &bytes)
            appendNamespace(to: &bytes)
        }
        return bytes
    }

    /// Writes an event whose arguments are strings of ASCII without quotes.
    func event(_ name: String, _ arguments: [[UInt8]], id: Int? = nil, into bytes: inout Bytes) {
        bytes.removeAll()
        switch format {
        case .json:
            bytes.append("42")
            if let id { bytes.append(decimal: UInt64(id)) }
            bytes.append("[\"")
            bytes.append(name)
            bytes.append("\"")
            for argument in arguments {
                bytes.append(",\"")
                bytes.append(argument)
                bytes.append("\"")
            }
            bytes.append("]")
        case .msgpack:
            bytes.append(id == nil ? 0x83 : 0x84)
            appendField("type", 2, to: &bytes)
            appendKey("data", to: &bytes)
            bytes.append(0x90 | UInt8(truncatingIfNeeded: arguments.count + 1))
            appendString(Array(name.utf8), to: &bytes)
            for argument in arguments { appendString(argument, to: &bytes) }
            appendNamespace(to: &bytes)
            if let id { appendField("id", id, to: &bytes) }
        }
    }

    /// Writes an acknowledgement of one string.
    func acknowledgement(_ id: Int, _ argument: [UInt8], into bytes: inout Bytes) {
        bytes.removeAll()
        switch format {
        case .json:
            bytes.append("43")
            bytes.append(decimal: UInt64(id))
            bytes.append("[\"")
            bytes.append(argument)
            bytes.append("\"]")
        case .msgpack:
            bytes.append(0x84)
            appendField("type", 3, to: &bytes)
            appendKey("data", to: &bytes)
            bytes.append(0x91)
            appendString(argument, to: &bytes)
            appendNamespace(to: &bytes)
            appendField("id", id, to: &bytes)
        }
    }

    private func appendKey(_ key: StaticString, to bytes: inout Bytes) {
        bytes.append(0xa0 | UInt8(truncatingIfNeeded: key.utf8CodeUnitCount))
        bytes.append(key)
    }

    private func appendField(_ key: StaticString, _ value: Int, to bytes: inout Bytes) {
        appendKey(key, to: &bytes)
        if value < 128 { return bytes.append(UInt8(truncatingIfNeeded: value)) }
        bytes.append(0xce)
        for shift in stride(from: 24, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    private func appendNamespace(to bytes: inout Bytes) {
        appendKey("nsp", to: &bytes)
        bytes.append(0xa1)
        bytes.append("/")
    }

    private func appendString(_ text: [UInt8], to bytes: inout Bytes) {
        switch text.count {
        case ..<32: bytes.append(0xa0 | UInt8(truncatingIfNeeded: text.count))
        case ..<256:
            bytes.append(0xd9)
            bytes.append(UInt8(truncatingIfNeeded: text.count))
        default:
            bytes.append(0xda)
            bytes.append(UInt8(truncatingIfNeeded: text.count >> 8))
            bytes.append(UInt8(truncatingIfNeeded: text.count))
        }
        bytes.append(text)
    }
}
