// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOMongoClient
import NIOCore
import SocketIOCore
import SocketIOText

/// Writes a BSON document value by value, as a stream of tokens brings them: no tree, and no closures.
///
/// In a document each value is preceded by its key; arrays number their values themselves. Numbers are as JavaScript's driver writes
/// them: int32 where they fit, double otherwise.
struct BSONValueWriter {
    /// A document or an array that is open.
    private struct Level {
        /// The positions of its type and of its length.
        var type: Int
        var start: Int
        var isArray: Bool
        /// The number of the next value of an array.
        var index = 0
        /// For a JSON object that may be a placeholder: the content of its members.
        var isPlaceholder = false
        var attachment: Int?
    }

    /// The deepest nesting. The server takes 100 levels; packets have at most 64.
    private static let depthLimit = 80
    /// The maximum size of a document; the driver has a lower limit.
    private static let byteLimit = 16 << 20

    private var buffer = ByteBuffer()
    private var levels: [Level] = []
    /// The position of the next value's type, if it has a key.
    private var keyed: Int?

    /// Begins the document.
    ///
    /// - Parameter capacity: The bytes that are reserved for it.
    init(capacity: Int = 256) {
        buffer.reserveCapacity(min(capacity, Self.byteLimit))
        buffer.writeInteger(Int32(0))
        levels.append(Level(type: 0, start: 0, isArray: false))
    }

    /// Ends the document.
    consuming func finish() throws -> BSONDocument {
        while !levels.isEmpty { end() }
        return try BSONDocument(buffer)
    }

    // MARK: Keys

    /// The key of the next value.
    ///
    /// - Throws: `unsupported` if it has a NUL, which BSON's keys cannot have.
    mutating func key(_ key: String) throws {
        var key = key
        try key.withUTF8 { try self.key(UnsafeRawBufferPointer($0)) }
    }

    mutating func key(_ key: UnsafeRawBufferPointer) throws {
        guard !key.contains(0) else {
            throw ClusterError(.unsupported, "a key has a NUL character, which BSON cannot express: remove it")
        }
        keyed = buffer.writerIndex
        buffer.writeInteger(UInt8(0))
        buffer.writeBytes(key)
        buffer.writeInteger(UInt8(0))
    }

    @discardableResult
    private mutating func begin(_ type: BSONType) throws -> Int {
        guard buffer.writerIndex < Self.byteLimit else {
            throw ClusterError(.tooLarge, "the message takes more than 16 MiB as BSON; no other node gets it")
        }
        if let keyed {
            buffer.setInteger(type.rawValue, at: keyed)
            self.keyed = nil
            return keyed
        }
        let position = buffer.writerIndex
        buffer.writeInteger(type.rawValue)
        guard let last = levels.indices.last else { return position }
        writeDigits(levels[last].index)
        buffer.writeInteger(UInt8(0))
        levels[last].index += 1
        return position
    }

    private mutating func writeDigits(_ number: Int) {
        if number < 10 { buffer.writeInteger(UInt8(ascii: "0") + UInt8(number)) } else { buffer.writeString(String(number)) }
    }

    // MARK: Containers

    mutating func beginDocument() throws { try open(.document) }
    mutating func beginArray() throws { try open(.array) }

    private mutating func open(_ type: BSONType) throws {
        guard levels.count < Self.depthLimit else { throw ClusterError(.unsupported, "the values are nested too deeply for BSON") }
        let position = try begin(type)
        levels.append(Level(type: position, start: buffer.writerIndex, isArray: type == .array))
        buffer.writeInteger(Int32(0))
    }

    /// Ends the container that was begun last.
    mutating func end() {
        guard let level = levels.popLast() else { return }
        buffer.writeInteger(UInt8(0))
        buffer.setInteger(Int32(truncatingIfNeeded: buffer.writerIndex - level.start), at: level.start, endianness: .little)
    }

    // MARK: Values

    mutating func write(_ value: String) throws {
        var value = value
        try value.withUTF8 { try write(utf8: UnsafeRawBufferPointer($0)) }
    }

    mutating func write(utf8 bytes: UnsafeRawBufferPointer) throws {
        try begin(.string)
        buffer.writeInteger(Int32(truncatingIfNeeded: bytes.count + 1), endianness: .little)
        buffer.writeBytes(bytes)
        buffer.writeInteger(UInt8(0))
    }

    mutating func write(_ value: Bool) throws {
        try begin(.bool)
        buffer.writeInteger(value ? UInt8(1) : UInt8(0))
    }

    mutating func writeNull() throws { try begin(.null) }

    /// An int32 if it is one, else a double. -0 stays what it is.
    mutating func write(_ value: Double) throws {
        guard let integer = Int32(exactly: value), integer != 0 || value.sign == .plus else {
            try begin(.double)
            buffer.writeInteger(value.bitPattern, endianness: .little)
            return
        }
        try write(integer)
    }

    /// A double, whatever its value.
    mutating func write(double value: Double) throws {
        try begin(.double)
        buffer.writeInteger(value.bitPattern, endianness: .little)
    }

    mutating func write(_ value: Int32) throws {
        try begin(.int32)
        buffer.writeInteger(value, endianness: .little)
    }

    mutating func write(binary bytes: ByteBuffer) throws {
        try begin(.binary)
        writeBinary(bytes)
    }

    private mutating func writeBinary(_ bytes: ByteBuffer) {
        buffer.writeInteger(Int32(truncatingIfNeeded: bytes.readableBytes), endianness: .little)
        buffer.writeInteger(UInt8(0))
        buffer.writeImmutableBuffer(bytes)
    }

    mutating func write(_ id: ObjectID) throws {
        try begin(.objectID)
        buffer.writeInteger(id.time)
        buffer.writeInteger(id.uniquePart)
    }

    mutating func write(dateMilliseconds milliseconds: Int64) throws {
        try begin(.date)
        buffer.writeInteger(milliseconds, endianness: .little)
    }
}

// MARK: JSON

extension BSONValueWriter {
    /// Writes a value in whatever form it has.
    mutating func write(_ value: EncodedValue) throws {
        switch value.format {
        case .json: try write(json: value.bytes, attachments: value.attachments)
        case .messagePack: try write(messagePack: value.bytes)
        }
    }

    /// Writes the value of a JSON text, with binary in the place of its placeholders.
    ///
    /// - Throws: `notSent` if it is not JSON, or cannot be expressed.
    private mutating func write(json: ByteBuffer, attachments: [ByteBuffer]) throws {
        try json.withUnsafeReadableBytes { bytes in
            var reader = JSONTokenReader(bytes)
            var member = Member.other
            do {
                while let token = try reader.next() { try write(token, reader, attachments, &member) }
            } catch let error as JSONSyntaxError {
                throw ClusterError(.notSent, "the arguments are no JSON", cause: error)
            }
        }
    }

    /// The part of a placeholder that the current member may be.
    private enum Member { case placeholder, number, other }

    private mutating func write(
        _ token: JSONTokenReader.Token,
        _ reader: JSONTokenReader,
        _ attachments: [ByteBuffer],
        _ member: inout Member
    ) throws {
        let last = levels.count - 1
        switch token {
        case .key(let range, let escaped):
            // Without attachments an object is never more than what it looks like.
            member = attachments.isEmpty ? .other : Self.member(reader.bytes(range))
            if escaped { try key(reader.text(range, escaped: true)) } else { try key(reader.bytes(range)) }
            return
        case .beginObject: try beginDocument()
        case .beginArray: try beginArray()
        case .end: try endJSON(attachments)
        case .string(let range, escaped: false): try write(utf8: reader.bytes(range))
        case .string(let range, escaped: true): try write(reader.text(range, escaped: true))
        case .number(let range):
            let value = reader.number(range)
            if member == .number { levels[last].attachment = Int(exactly: value) }
            try write(value)
        case .bool(let value):
            if member == .placeholder { levels[last].isPlaceholder = value }
            try write(value)
        case .null: try writeNull()
        }
        member = .other
    }

    private static func member(_ key: UnsafeRawBufferPointer) -> Member {
        if key.elementsEqual("_placeholder".utf8) { return .placeholder }
        return key.elementsEqual("num".utf8) ? .number : .other
    }

    /// Ends a container; a placeholder is replaced by its attachment.
    private mutating func endJSON(_ attachments: [ByteBuffer]) throws {
        guard let level = levels.last, level.isPlaceholder else { return end() }
        guard let number = level.attachment, attachments.indices.contains(number) else {
            throw ClusterError(.notSent, "a placeholder refers to a missing attachment")
        }
        levels.removeLast()
        buffer.moveWriterIndex(to: level.start)
        buffer.setInteger(BSONType.binary.rawValue, at: level.type)
        writeBinary(attachments[number])
    }
}
#endif
