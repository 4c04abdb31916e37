// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore

/// Encodes `Encodable` values as MessagePack, straight into a buffer: no tree of values in between.
///
/// - `Data`, `[UInt8]` and `ByteBuffer` become binary, `Date` a timestamp (extension −1, to the microsecond), `URL` its absolute string,
///   `Decimal` an integer if it is one and a string otherwise.
/// - Integers take the smallest encoding; `Double` and `Float` stay floats of 64 and 32 bits.
/// - A key that is encoded twice is written twice; readers take the last one.
public struct MessagePackEncoder: Sendable {
    /// Creates an encoder.
    public init() {}

    /// Encodes a value.
    ///
    /// - Parameter value: the value.
    /// - Returns: its bytes.
    /// - Throws: `EncodingError.invalidValue` for what MessagePack cannot say: more than 32 nested arrays and maps, strings above 4 GiB, a
    ///   date that is not finite; and what the value's own `encode(to:)` throws.
    @inlinable
    public func encode<T: Encodable>(_ value: T) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        try encode(value, into: &buffer)
        return buffer
    }

    /// Encodes a value at the end of a buffer. A call that throws leaves the buffer as it was.
    ///
    /// - Parameters:
    ///   - value: the value.
    ///   - buffer: where its bytes go.
    /// - Throws: as ``encode(_:)``.
    @inlinable
    public func encode<T: Encodable>(_ value: T, into buffer: inout ByteBuffer) throws {
        // The types are compared: the casts change nothing.
        if T.self == String.self { return try _encode(unsafeBitCast(value, to: String.self), into: &buffer) }
        try _encodeAny(value, into: &buffer)
    }

    @usableFromInline
    func _encode(_ value: String, into buffer: inout ByteBuffer) throws { try _encodeAny(value, into: &buffer) }

    @usableFromInline
    func _encodeAny(_ value: some Encodable, into buffer: inout ByteBuffer) throws {
        let begin = buffer.writerIndex
        var writer = MessagePackWriter()
        swap(&writer.buffer, &buffer)
        do {
            if try !writer.writeDirect(value, depthLeft: MessagePackLimits.deepestNesting, path: { [] }) {
                let sink = MessagePackSink(writer: writer)
                writer = MessagePackWriter()
                defer { swap(&writer.buffer, &sink.writer.buffer) }
                try sink.encodeRoot(value)
            }
            swap(&writer.buffer, &buffer)
        } catch {
            swap(&writer.buffer, &buffer)
            buffer.moveWriterIndex(to: begin)
            throw error
        }
    }
}
