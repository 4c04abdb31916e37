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
        self.buffer = ByteBuffer()
        self.buffer.reserveCapacity(Swift.max(capacity, 8))
        self.buffer.writeInteger(Int32(0))
    }

    /// Ends the document.
    public consuming func finish() -> BSONDocument {
        self.buffer.writeInteger(UInt8(0))
        Self.closeDocument(at: 0, in: &self.buffer)
        return BSONDocument(unchecked: self.buffer)
    }

    /// Bytes written so far, the terminator not counted.
    public var count: Int {
        self.buffer.writerIndex
    }

    /// Appends a 64-bit floating point number.
    public mutating func append(_ key: String, _ value: Double) {
        self.writeHeader(.double, key)
        self.buffer.writeInteger(value.bitPattern, endianness: .little)
    }

    /// Appends a string.
    public mutating func append(_ key: String, _ value: String) {
        self.writeHeader(.string, key)
        Self.writeString(value, to: &self.buffer)
    }

    /// Appends a boolean.
    public mutating func append(_ key: String, _ value: Bool) {
        self.writeHeader(.bool, key)
        self.buffer.writeInteger(value ? UInt8(1) : UInt8(0))
    }

    /// Appends a 32-bit integer.
    public mutating func append(_ key: String, _ value: Int32) {
        self.writeHeader(.int32, key)
        self.buffer.writeInteger(value, endianness: .little)
    }

    /// Appends a 64-bit integer.
    public mutating func append(_ key: String, _ value: Int64) {
        self.writeHeader(.int64, key)
        self.buffer.writeInteger(value, endianness: .little)
    }

    /// Appends a 64-bit integer.
    public mutating func append(_ key: String, _ value: Int) {
        self.append(key, Int64(value))
    }

    /// Appends an `ObjectId`.
    public mutating func append(_ key: String, _ value: ObjectID) {
        self.writeHeader(.objectID, key)
        self.buffer.writeInteger(value.time)
        self.buffer.writeInteger(value.uniquePart)
    }

    /// Appends a timestamp.
    public mutating func append(_ key: String, _ value: BSONTimestamp) {
        self.writeHeader(.timestamp, key)
        self.buffer.writeInteger(value.rawValue, endianness: .little)
    }

    /// Appends bytes with a subtype.
    public mutating func append(_ key: String, _ value: BSONBinary) {
        self.append(key, binary: value.bytes, subtype: value.subtype)
    }

    /// Appends bytes.
    /// - Parameters:
    ///   - key: The key.
    ///   - bytes: The readable bytes are written.
    ///   - subtype: 0 unless the bytes are something that BSON knows, such as 4 for a UUID. 2 is deprecated and is not written here.
    public mutating func append(_ key: String, binary bytes: ByteBuffer, subtype: UInt8 = 0) {
        self.writeHeader(.binary, key)
        self.buffer.writeInteger(Int32(truncatingIfNeeded: bytes.readableBytes), endianness: .little)
        self.buffer.writeInteger(subtype == 2 ? 0 : subtype)
        self.buffer.writeImmutableBuffer(bytes)
    }

    /// Appends a finished document.
    public mutating func append(_ key: String, _ value: BSONDocument) {
        self.writeHeader(.document, key)
        self.buffer.writeImmutableBuffer(value.bytes)
    }

    /// Appends finished documents as an array.
    public mutating func append(_ key: String, array documents: some Sequence<BSONDocument>) {
        self.appendArray(key) { array in
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
        self.writeHeader(.date, key)
        self.buffer.writeInteger(milliseconds, endianness: .little)
    }

    /// Appends null.
    public mutating func appendNull(_ key: String) {
        self.writeHeader(.null, key)
    }

    /// Appends an element as it was read: any type, byte for byte.
    public mutating func append(_ key: String, _ element: BSONElement) {
        self.writeHeader(element.type, key)
        self.buffer.writeImmutableBuffer(element.valueBytes)
    }

    /// Appends an embedded document that the closure writes in place; if the closure throws, nothing is appended.
    @inlinable
    public mutating func appendDocument<Failure: Error>(
        _ key: String,
        _ build: (inout BSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        let rollback = self.buffer.writerIndex
        let start = self.openDocument(.document, key)
        do throws(Failure) {
            try build(&self)
        } catch {
            self.buffer.moveWriterIndex(to: rollback)
            throw error
        }
        self.endDocument(at: start)
    }

    /// Appends an array whose values the closure writes in place; if the closure throws, nothing is appended.
    @inlinable
    public mutating func appendArray<Failure: Error>(
        _ key: String,
        _ build: (inout BSONArrayWriter) throws(Failure) -> Void
    ) throws(Failure) {
        let rollback = self.buffer.writerIndex
        let start = self.openDocument(.array, key)
        var array = BSONArrayWriter(writer: self)
        self.buffer = ByteBuffer()
        do throws(Failure) {
            try build(&array)
        } catch {
            self = array.writer
            self.buffer.moveWriterIndex(to: rollback)
            throw error
        }
        self = array.writer
        self.endDocument(at: start)
    }

    @usableFromInline
    mutating func openDocument(_ type: BSONType, _ key: String) -> Int {
        self.writeHeader(type, key)
        let start = self.buffer.writerIndex
        self.buffer.writeInteger(Int32(0))
        return start
    }

    @usableFromInline
    mutating func endDocument(at start: Int) {
        self.buffer.writeInteger(UInt8(0))
        Self.closeDocument(at: start, in: &self.buffer)
    }

    private mutating func writeHeader(_ type: BSONType, _ key: String) {
        var key = key
        let start = self.buffer.writerIndex
        let isClean = key.withUTF8 { key in
            self.buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: key.count + 2) { target in
                target[0] = type.rawValue
                UnsafeMutableRawBufferPointer(rebasing: target[1...]).copyMemory(from: UnsafeRawBufferPointer(key))
                target[key.count + 1] = 0
                return key.count + 2
            }
            return !key.contains(0)
        }
        if !isClean {
            self.buffer.moveWriterIndex(to: start)
            self.writeHeader(type, String(String.UnicodeScalarView(key.unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 })))
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
        self.index
    }

    private mutating func nextKey() -> String {
        defer { self.index += 1 }
        return String(self.index)
    }

    /// Appends a string.
    public mutating func append(_ value: String) {
        self.writer.append(self.nextKey(), value)
    }

    /// Appends a 64-bit floating point number.
    public mutating func append(_ value: Double) {
        self.writer.append(self.nextKey(), value)
    }

    /// Appends a boolean.
    public mutating func append(_ value: Bool) {
        self.writer.append(self.nextKey(), value)
    }

    /// Appends a 32-bit integer.
    public mutating func append(_ value: Int32) {
        self.writer.append(self.nextKey(), value)
    }

    /// Appends a 64-bit integer.
    public mutating func append(_ value: Int64) {
        self.writer.append(self.nextKey(), value)
    }

    /// Appends a 64-bit integer.
    public mutating func append(_ value: Int) {
        self.writer.append(self.nextKey(), Int64(value))
    }

    /// Appends an `ObjectId`.
    public mutating func append(_ value: ObjectID) {
        self.writer.append(self.nextKey(), value)
    }

    /// Appends bytes with a subtype.
    public mutating func append(_ value: BSONBinary) {
        self.writer.append(self.nextKey(), value)
    }

    /// Appends a finished document.
    public mutating func append(_ value: BSONDocument) {
        self.writer.append(self.nextKey(), value)
    }

    /// Appends null.
    public mutating func appendNull() {
        self.writer.appendNull(self.nextKey())
    }

    /// Appends an embedded document that the closure writes in place.
    public mutating func appendDocument<Failure: Error>(_ build: (inout BSONWriter) throws(Failure) -> Void) throws(Failure) {
        try self.writer.appendDocument(self.nextKey(), build)
    }
}

#endif
