// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import NIOCore

/// Walks the elements of one document in order.
///
/// Each step checks that the element lies within the document and that lengths, terminators and embedded frames are right, so that
/// no bytes can make it trap or read elsewhere. Embedded documents are walked with readers of their own: there is no recursion here.
public struct BSONReader: Sendable {
    private let bytes: ByteBuffer
    private var position: Int
    private let end: Int

    /// Starts before the first element.
    public init(_ document: BSONDocument) {
        bytes = document.bytes
        position = document.bytes.readerIndex + 4
        end = document.bytes.writerIndex - 1
    }

    /// Whether there are no more elements.
    public var isAtEnd: Bool { position >= end }

    /// The next element, `nil` after the last.
    /// - Throws: ``MongoError`` with code ``MongoError/Code/invalidBSON``; the reader then stays at its end.
    public mutating func next() throws(MongoError) -> BSONElement? {
        guard position < end else { return nil }
        let base = self.bytes.readerIndex
        let layout = self.bytes.withUnsafeReadableBytes { bytes in
            ElementLayout(bytes: bytes, start: position - base, end: end - base)
        }
        guard let layout else {
            position = end
            throw .invalidBSON("an element is malformed or does not fit into its document")
        }
        let keyStart = position + 1
        position = keyStart + layout.keyLength + 1 + layout.valueLength
        return BSONElement(
            type: layout.type,
            bytes: self.bytes,
            keyStart: keyStart,
            keyLength: layout.keyLength,
            valueLength: layout.valueLength
        )
    }
}

/// Where the parts of one element lie; `nil` from the initialiser if any of them is out of bounds.
private struct ElementLayout {
    let type: BSONType
    let keyLength: Int
    let valueLength: Int

    init?(bytes: UnsafeRawBufferPointer, start: Int, end: Int) {
        guard start >= 0, end <= bytes.count, start < end else { return nil }
        let cursor = BoundedBytes(bytes: bytes, end: end)
        type = BSONType(rawValue: bytes[start])
        guard let keyLength = cursor.cStringLength(at: start + 1) else { return nil }
        self.keyLength = keyLength
        let value = start + 1 + keyLength + 1
        guard let valueLength = cursor.valueLength(of: type, at: value), valueLength <= end - value else { return nil }
        self.valueLength = valueLength
    }
}

/// Bytes up to the terminator of the document; every read is checked against it.
private struct BoundedBytes {
    let bytes: UnsafeRawBufferPointer
    let end: Int

    func int32(at index: Int) -> Int? {
        guard index >= 0, end - index >= 4 else { return nil }
        return Int(Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: Int32.self)))
    }

    /// Bytes before the next NUL.
    func cStringLength(at start: Int) -> Int? {
        var index = start
        while index < end {
            if bytes[index] == 0 { return index - start }
            index += 1
        }
        return nil
    }

    func valueLength(of type: BSONType, at start: Int) -> Int? {
        switch type {
        case .double, .date, .timestamp, .int64: 8
        case .int32: 4
        case .objectID: 12
        case .decimal128: 16
        case .null, .undefined, .minKey, .maxKey: 0
        case .bool: start < end && bytes[start] <= 1 ? 1 : nil
        case .string, .javaScript, .symbol: stringLength(at: start)
        case .document, .array: documentLength(at: start)
        case .binary: binaryLength(at: start)
        case .regularExpression: regularExpressionLength(at: start)
        case .dbPointer: stringLength(at: start).map { $0 + 12 }
        case .javaScriptWithScope: codeWithScopeLength(at: start)
        default: nil
        }
    }

    private func stringLength(at start: Int) -> Int? {
        guard let length = int32(at: start), length >= 1, length <= end - start - 4 else { return nil }
        return bytes[start + 4 + length - 1] == 0 ? 4 + length : nil
    }

    private func documentLength(at start: Int) -> Int? {
        guard let length = int32(at: start), length >= 5, length <= end - start else { return nil }
        return bytes[start + length - 1] == 0 ? length : nil
    }

    private func binaryLength(at start: Int) -> Int? {
        guard let length = int32(at: start), length >= 0, end - start >= 5, length <= end - start - 5 else { return nil }
        if bytes[start + 4] == 2 {
            guard length >= 4, int32(at: start + 5) == length - 4 else { return nil }
        }
        return 5 + length
    }

    private func regularExpressionLength(at start: Int) -> Int? {
        guard let pattern = cStringLength(at: start),
            let options = cStringLength(at: start + pattern + 1)
        else { return nil }
        return pattern + options + 2
    }

    private func codeWithScopeLength(at start: Int) -> Int? {
        guard let length = int32(at: start), length >= 14, length <= end - start else { return nil }
        let inner = BoundedBytes(bytes: bytes, end: start + length)
        guard let code = inner.stringLength(at: start + 4),
            let scope = inner.documentLength(at: start + 4 + code),
            4 + code + scope == length
        else { return nil }
        return length
    }
}

#endif
