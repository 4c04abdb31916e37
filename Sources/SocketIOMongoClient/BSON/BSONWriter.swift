// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
public import NIOCore

/// Writes one BSON document straight into a buffer, without a tree in between.
///
/// Keys are written in call order and are not checked for duplicates. A NUL in a key cannot be represented in BSON and is replaced
/// by U+FFFD, so that no key can end early.
public struct BSONWriter: Sendable {
    @usableFromInline var buffer: ByteBuffer

    /// Starts a document.
    /// - Parameter capacity: Bytes to allocate at first; the buffer grows as needed.
    public init(capacity: Int = 128) {
        buffer = ByteBuffer()
        buffer.reserveCapacity(Swift.max(capacity, 8))
        buffer.writeInteger(Int32(0))
    }

    /// Ends the document.
    public consuming func finish() -> BSONDocument {
        buffer.writeInteger(UInt8(0))
        Self.closeDocument(at: 0, in: &buffer)
        return BSONDocument(unchecked: buffer)
    }

    /// Bytes written so far, the terminator not counted.
    public var count: Int {
        buffer.writerIndex
    }

    /// Appends a 64-bit floating point number.
    public mutating func append(_ key: String, _ value: Double) {
        writeHeader(.double, key)
        buffer.writeInteger(value.bitPattern, endianness: .little)
    }

    /// Appends a string.
    public mutating func append(_ key: String, _ value: String) {
        writeHeader(.string, key)
        Self.writeString(value, to: &buffer)
    }

    /// Appends a boolean.
    public mutating func append(_ key: String, _ value: Bool) {
        writeHeader(.bool, key)
        buffer.writeInteger(value ? UInt8(1) : UInt8(0))
    }

    /// Appends a 32-bit integer.
    public mutating func append(_ key: String, _ value: Int32) {
        writeHeader(.int32, key)
        buffer.writeInteger(value, endianness: .little)
    }

    /// Appends a 64-bit integer.
    public mutating func append(_ key: String, _ value: Int64) {
        writeHeader(.int64, key)
        buffer.writeInteger(value, endianness: .little)
    }

    /// Appends a 64-bit integer.
    public mutating func append(_ key: String, _ value: Int) {
        append(key, Int64(value))
    }

    /// Appends an `ObjectId`.
    public mutating func append(_ key: String, _ value: ObjectID) {
        writeHeader(.objectID, key)
        buffer.writeInteger(value.time)
        buffer.writeInteger(value.uniquePart)
    }

    /// Appends a timestamp.
    public mutating func append(_ key: String, _ value: BSONTimestamp) {
        writeHeader(.timestamp, key)
        buffer.writeInteger(value.rawValue, endianness: .little)
    }

    /// Appends bytes with a subtype.
    public mutating func append(_ key: String, _ value: BSONBinary) {
        append(key, binary: value.bytes, subtype: value.subtype)
    }

    /// Appends bytes.
    /// - Parameters:
    ///   - key: The key.
    ///   - bytes: The readable bytes are written.
    ///   - subtype: 0 unless the bytes are something that BSON knows, such as 4 for a UUID. 2 is deprecated and is not written here.
    public mutating func append(_ key: String, binary bytes: ByteBuffer, subtype: UInt8 = 0) {
        writeHeader(.binary, key)
        buffer.writeInteger(Int32(truncatingIfNeeded: bytes.readableBytes), endianness: .little)
        buffer.writeInteger(subtype == 2 ? 0 : subtype)
        buffer.writeImmutableBuffer(bytes)
    }

    /// Appends a finished document.
    public mutating func append(_ key: String, _ value: BSONDocument) {
        writeHeader(.document, key)
        buffer.writeImmutableBuffer(value.bytes)
    }

    /// Appends finished documents as an array.
    public mutating func append(_ key: String, array documents: some Sequence<BSONDocument>) {
        appendArray(key) { array in
            for document in documents {
                array.append(document)
            }
        }
    }

    /// Appends a UTC date.
    /// - Parameters:
    ///   - key: The key.
    ///   - milliseconds: Milliseconds since 1970.
    public mutating func append(_ key: String, dateMilliseconds milliseconds: Int64) {
        writeHeader(.date, key)
        buffer.writeInteger(milliseconds, endianness: .little)
    }

    /// Appends null.
    public mutating func appendNull(_ key: String) {
        writeHeader(.null, key)
    }

    /// Appends an element as it was read: any type, byte for byte.
    public mutating func append(_ key: String, _ element: BSONElement) {
        writeHeader(element.type, key)
        buffer.writeImmutableBuffer(element.valueBytes)
    }

    /// Appends an embedded document that the closure writes in place; if the closure throws, nothing is appended.
    @inlinable
    public mutating func appendDocument<Failure: Error>(
        _ key: String,
        _ build: (inout BSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        let rollback = buffer.writerIndex
        let start = openDocument(.document, key)
        do throws(Failure) {
            try build(&self)
        } catch {
            buffer.moveWriterIndex(to: rollback)
            throw error
        }
        endDocument(at: start)
    }

    /// Appends an array whose values the closure writes in place; if the closure throws, nothing is appended.
    @inlinable
    public mutating func appendArray<Failure: Error>(
        _ key: String,
        _ build: (inout BSONArrayWriter) throws(Failure) -> Void
    ) throws(Failure) {
        let rollback = buffer.writerIndex
        let start = openDocument(.array, key)
        var array = BSONArrayWriter(writer: self)
        buffer = ByteBuffer()
        do throws(Failure) {
            try build(&array)
        } catch {
            self = array.writer
            buffer.moveWriterIndex(to: rollback)
            throw error
        }
        self = array.writer
        endDocument(at: start)
    }

    @usableFromInline
    mutating func openDocument(_ type: BSONType, _ key: String) -> Int {
        writeHeader(type, key)
        let start = buffer.writerIndex
        buffer.writeInteger(Int32(0))
        return start
    }

    @usableFromInline
    mutating func endDocument(at start: Int) {
        buffer.writeInteger(UInt8(0))
        Self.closeDocument(at: start, in: &buffer)
    }

    private mutating func writeHeader(_ type: BSONType, _ key: String) {
        var key = key
        let start = buffer.writerIndex
        let isClean = key.withUTF8 { key in
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: key.count + 2) { target in
                target[0] = type.rawValue
                UnsafeMutableRawBufferPointer(rebasing: target[1...]).copyMemory(from: UnsafeRawBufferPointer(key))
                target[key.count + 1] = 0
                return key.count + 2
            }
            return !key.contains(0)
        }
        if !isClean {
            buffer.moveWriterIndex(to: start)
            writeHeader(type, String(String.UnicodeScalarView(key.unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 })))
        }
    }

    private static func writeString(_ value: String, to buffer: inout ByteBuffer) {
        let start = buffer.writerIndex
        buffer.writeInteger(Int32(0))
        let written = buffer.writeString(value)
        buffer.writeInteger(UInt8(0))
        buffer.setInteger(Int32(truncatingIfNeeded: written + 1), at: start, endianness: .little)
    }

    private static func closeDocument(at start: Int, in buffer: inout ByteBuffer) {
        buffer.setInteger(Int32(truncatingIfNeeded: buffer.writerIndex - start), at: start, endianness: .little)
    }
}

/// Writes the values of one BSON array; the keys "0", "1", … are written by themselves.
public struct BSONArrayWriter: Sendable {
    @usableFromInline var writer: BSONWriter
    private var index = 0

    @usableFromInline
    init(writer: BSONWriter) {
        self.writer = writer
    }

    /// Values written so far.
    public var count: Int {
        index
    }

    private mutating func nextKey() -> String {
        defer { index += 1 }
        return String(index)
    }

    /// Appends a string.
    public mutating func append(_ value: String) {
        writer.append(nextKey(), value)
    }

    /// Appends a 64-bit floating point number.
    public mutating func append(_ value: Double) {
        writer.append(nextKey(), value)
    }

    /// Appends a boolean.
    public mutating func append(_ value: Bool) {
        writer.append(nextKey(), value)
    }

    /// Appends a 32-bit integer.
    public mutating func append(_ value: Int32) {
        writer.append(nextKey(), value)
    }

    /// Appends a 64-bit integer.
    public mutating func append(_ value: Int64) {
        writer.append(nextKey(), value)
    }

    /// Appends a 64-bit integer.
    public mutating func append(_ value: Int) {
        writer.append(nextKey(), Int64(value))
    }

    /// Appends an `ObjectId`.
    public mutating func append(_ value: ObjectID) {
        writer.append(nextKey(), value)
    }

    /// Appends bytes with a subtype.
    public mutating func append(_ value: BSONBinary) {
        writer.append(nextKey(), value)
    }

    /// Appends a finished document.
    public mutating func append(_ value: BSONDocument) {
        writer.append(nextKey(), value)
    }

    /// Appends null.
    public mutating func appendNull() {
        writer.appendNull(nextKey())
    }

    /// Appends an embedded document that the closure writes in place.
    public mutating func appendDocument<Failure: Error>(_ build: (inout BSONWriter) throws(Failure) -> Void) throws(Failure) {
        try writer.appendDocument(nextKey(), build)
    }
}

#endif
