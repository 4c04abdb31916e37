// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
public import NIOCore

/// One BSON document as bytes.
///
/// Nothing is decoded until it is asked for. A document that was read from a cursor is a slice of the batch it came in and keeps that
/// batch (at most 16 MiB) alive; ``copied()`` makes an independent one for what is kept.
///
/// ```swift
/// let ping = BSONDocument { $0.append("ping", 1) }
/// let name = document["user"]?.document?["name"]?.string
/// ```
public struct BSONDocument: Hashable, Sendable {
    /// The complete document: length, elements, terminator.
    public let bytes: ByteBuffer

    /// The empty document.
    public init() {
        self = BSONWriter(capacity: 8).finish()
    }

    /// Builds a document in place.
    @inlinable
    public init<Failure: Error>(capacity: Int = 128, _ build: (inout BSONWriter) throws(Failure) -> Void) throws(Failure) {
        var writer = BSONWriter(capacity: capacity)
        try build(&writer)
        self = writer.finish()
    }

    /// Takes bytes whose frame is right: declared length, smallest size, terminator. The elements are checked as they are read.
    /// - Throws: ``MongoError`` with code ``MongoError/Code/invalidBSON``.
    public init(_ bytes: ByteBuffer) throws(MongoError) {
        guard let declared = bytes.getInteger(at: bytes.readerIndex, endianness: .little, as: Int32.self),
            declared >= 5, Int(declared) == bytes.readableBytes,
            bytes.getInteger(at: bytes.writerIndex - 1, as: UInt8.self) == 0
        else {
            throw .invalidBSON("the length of the document is not that of its bytes, or the terminator is missing")
        }
        self.bytes = bytes
    }

    /// Takes bytes and checks every element and every embedded document.
    /// - Parameters:
    ///   - bytes: One complete document.
    ///   - maximumDepth: The deepest nesting that is accepted; the outermost document is level 1. MongoDB's own limit is 100.
    /// - Throws: ``MongoError`` with code ``MongoError/Code/invalidBSON``.
    public init(validating bytes: ByteBuffer, maximumDepth: Int = 100) throws(MongoError) {
        try self.init(bytes)
        try validate(maximumDepth: maximumDepth)
    }

    @usableFromInline
    init(unchecked bytes: ByteBuffer) {
        self.bytes = bytes
    }

    /// Bytes of the whole document.
    public var count: Int {
        bytes.readableBytes
    }

    /// Whether the document has no elements.
    public var isEmpty: Bool {
        count <= 5
    }

    /// The first element of that key; `nil` if there is none or the bytes before it are malformed. Linear in the number of elements
    /// before it: to read several, walk a ``BSONReader`` once.
    public subscript(key: String) -> BSONElement? {
        var reader = BSONReader(self)
        do throws(MongoError) {
            while let element = try reader.next() {
                if element.hasKey(key) { return element }
            }
        } catch {
            return nil
        }
        return nil
    }

    /// The same document in memory of its own.
    public func copied() -> BSONDocument {
        var copy = ByteBuffer()
        copy.reserveCapacity(count)
        copy.writeImmutableBuffer(bytes)
        return BSONDocument(unchecked: copy)
    }

    private func validate(maximumDepth: Int) throws(MongoError) {
        guard maximumDepth >= 1 else { throw .invalidBSON("the document is nested too deeply") }
        var open = [BSONReader(self)]
        while var reader = open.popLast() {
            guard let element = try reader.next() else { continue }
            open.append(reader)
            if let embedded = element.embedded {
                guard open.count < maximumDepth else { throw .invalidBSON("the document is nested too deeply") }
                open.append(BSONReader(embedded))
            }
        }
    }
}

#endif
