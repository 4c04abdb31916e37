// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore

/// Encodes one argument of an event or acknowledgement as JSON, straight into a buffer.
///
/// It gives what Foundation's `JSONEncoder` gives, with these differences:
/// - `Data`, `[UInt8]` and `ByteBuffer`, anywhere inside the value, become attachments of the packet; the JSON holds
///   `{"_placeholder":true,"num":n}` in their place.
/// - `Date` becomes the text that JavaScript's `Date` becomes: ISO 8601 with milliseconds, in UTC.
/// - Slashes are not escaped; keys come in the order in which they are encoded; one that is encoded twice is written twice (readers take
///   the last one).
/// - Arrays and objects nest 64 deep at most.
public struct JSONArgumentEncoder: Sendable {
    /// Creates an encoder.
    public init() {}

    /// Encodes an argument at the end of a buffer. A call that throws leaves both parameters as they were.
    ///
    /// - Parameters:
    ///   - value: the argument.
    ///   - buffer: where its JSON goes.
    ///   - attachments: where its binary goes; the first one gets the number `attachments.count`.
    /// - Throws: `EncodingError.invalidValue` for what JSON cannot say: numbers that are not finite, dates outside JavaScript's range, more
    ///   than 64 nested arrays and objects; and what the value's own `encode(to:)` throws.
    @inlinable
    public func encode<T: Encodable>(_ value: T, into buffer: inout ByteBuffer, attachments: inout [ByteBuffer]) throws {
        // The types are compared: the casts change nothing.
        if T.self == String.self { return _write(unsafeBitCast(value, to: String.self), into: &buffer) }
        if T.self == Int.self { return _write(unsafeBitCast(value, to: Int.self), into: &buffer) }
        if T.self == Bool.self { return _write(unsafeBitCast(value, to: Bool.self), into: &buffer) }
        if T.self == Double.self { return try _write(unsafeBitCast(value, to: Double.self), into: &buffer) }
        try _any(value, into: &buffer, attachments: &attachments)
    }

    @usableFromInline
    func _write(_ value: String, into buffer: inout ByteBuffer) { buffer.append(value) }

    @usableFromInline
    func _write(_ value: Int, into buffer: inout ByteBuffer) { buffer.append(Int64(value)) }

    @usableFromInline
    func _write(_ value: Bool, into buffer: inout ByteBuffer) { buffer.append(value) }

    @usableFromInline
    func _write(_ value: Double, into buffer: inout ByteBuffer) throws {
        guard value.isFinite else {
            throw EncodingError.invalidValue(value, EncodingError.Context(codingPath: [], debugDescription: "JSON has no \(value)"))
        }
        buffer.append(value)
    }

    @usableFromInline
    func _any(_ value: some Encodable, into buffer: inout ByteBuffer, attachments: inout [ByteBuffer]) throws {
        if try writeDirect(value, into: &buffer, attachments: &attachments) { return }
        try JSONSink().encodeRoot(value, into: &buffer, attachments: &attachments)
    }

    private func writeDirect(_ value: some Encodable, into buffer: inout ByteBuffer, attachments: inout [ByteBuffer]) throws -> Bool {
        var writer = JSONWriter()
        let count = attachments.count
        swap(&writer.attachments, &attachments)
        defer { swap(&writer.attachments, &attachments) }
        do {
            guard try writer.writeDirect(value, depthLeft: JSONWalker.deepestNesting, path: { [] }) else { return false }
            buffer.writeBytes(writer.output.bytes)
            return true
        } catch {
            writer.attachments.removeSubrange(count...)
            throw error
        }
    }
}
