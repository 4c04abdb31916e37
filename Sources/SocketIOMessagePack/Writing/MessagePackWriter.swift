// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import CSocketIOMessagePack
public import NIOCore

/// Appends MessagePack values to a buffer, each in its smallest encoding. The packing is msgpack-c's, straight into the buffer.
///
/// The writer does not check that an array or map gets as many values as its header says.
public struct MessagePackWriter: Sendable {
    /// The bytes written so far, after the previous content of the buffer.
    public var buffer: ByteBuffer

    /// Creates a writer that appends to a buffer.
    ///
    /// - Parameter buffer: the buffer; empty by default.
    public init(appendingTo buffer: ByteBuffer = ByteBuffer()) {
        self.buffer = buffer
    }

    /// Appends `nil`.
    public mutating func writeNil() {
        pack { msgpack_pack_nil($0) }
    }

    /// Appends a boolean.
    ///
    /// - Parameter value: the boolean.
    public mutating func write(_ value: Bool) {
        pack { value ? msgpack_pack_true($0) : msgpack_pack_false($0) }
    }

    /// Appends an integer.
    ///
    /// - Parameter value: the integer.
    public mutating func write(_ value: Int64) {
        pack { msgpack_pack_int64($0, value) }
    }

    /// Appends an integer.
    ///
    /// - Parameter value: the integer.
    public mutating func write(_ value: UInt64) {
        pack { msgpack_pack_uint64($0, value) }
    }

    /// Appends an integer.
    ///
    /// - Parameter value: the integer.
    public mutating func write(_ value: Int) {
        write(Int64(value))
    }

    /// Appends a 64 bit float.
    ///
    /// - Parameter value: the number; NaN and infinities are allowed.
    public mutating func write(_ value: Double) {
        pack { msgpack_pack_double($0, value) }
    }

    /// Appends a 32 bit float.
    ///
    /// - Parameter value: the number; NaN and infinities are allowed.
    public mutating func write(_ value: Float) {
        pack { msgpack_pack_float($0, value) }
    }

    /// Appends a string.
    ///
    /// - Parameter value: the string.
    /// - Throws: ``MessagePackError/Code/tooLong`` above 2³² − 1 bytes.
    public mutating func write(_ value: String) throws(MessagePackError) {
        let count = try Self.checked(value.utf8.count)
        pack { msgpack_pack_str($0, count) }
        buffer.writeString(value)
    }

    /// Appends a string given as UTF-8.
    ///
    /// - Parameter bytes: the string's bytes, which the caller knows to be UTF-8.
    /// - Throws: ``MessagePackError/Code/tooLong`` above 2³² − 1 bytes.
    public mutating func write(utf8 bytes: ByteBuffer) throws(MessagePackError) {
        let count = try Self.checked(bytes.readableBytes)
        pack { msgpack_pack_str($0, count) }
        buffer.writeImmutableBuffer(bytes)
    }

    /// Appends binary.
    ///
    /// - Parameter bytes: the bytes.
    /// - Throws: ``MessagePackError/Code/tooLong`` above 2³² − 1 bytes.
    public mutating func write(binary bytes: ByteBuffer) throws(MessagePackError) {
        try writeBinaryHeader(count: bytes.readableBytes)
        buffer.writeImmutableBuffer(bytes)
    }

    /// Appends binary.
    ///
    /// - Parameter bytes: the bytes.
    /// - Throws: ``MessagePackError/Code/tooLong`` above 2³² − 1 bytes.
    public mutating func write(binary bytes: some Collection<UInt8>) throws(MessagePackError) {
        try writeBinaryHeader(count: bytes.count)
        buffer.writeBytes(bytes)
    }

    /// Appends the header of binary; its bytes are to follow.
    ///
    /// - Parameter count: how many bytes follow.
    /// - Throws: ``MessagePackError/Code/tooLong`` above 2³² − 1.
    public mutating func writeBinaryHeader(count: Int) throws(MessagePackError) {
        let count = try Self.checked(count)
        pack { msgpack_pack_bin($0, count) }
    }

    /// Appends the header of an array; its elements are to follow.
    ///
    /// - Parameter count: how many values follow.
    /// - Throws: ``MessagePackError/Code/tooLong`` above 2³² − 1.
    public mutating func writeArrayHeader(count: Int) throws(MessagePackError) {
        let count = try Self.checked(count)
        pack { msgpack_pack_array($0, count) }
    }

    /// Appends the header of a map; its keys and values are to follow, alternating.
    ///
    /// - Parameter count: how many pairs follow.
    /// - Throws: ``MessagePackError/Code/tooLong`` above 2³² − 1.
    public mutating func writeMapHeader(count: Int) throws(MessagePackError) {
        let count = try Self.checked(count)
        pack { msgpack_pack_map($0, count) }
    }

    /// Appends a timestamp, in 4, 8 or 12 bytes as it needs.
    ///
    /// - Parameter value: the timestamp.
    public mutating func write(_ value: MessagePackTimestamp) {
        pack { packer in
            var timestamp = msgpack_timestamp(tv_sec: value.seconds, tv_nsec: value.nanoseconds)
            return msgpack_pack_timestamp(packer, &timestamp)
        }
    }

    /// Appends an extension.
    ///
    /// - Parameters:
    ///   - type: the application's type; negative ones are MessagePack's own.
    ///   - bytes: the content.
    /// - Throws: ``MessagePackError/Code/tooLong`` above 2³² − 1 bytes.
    public mutating func writeExtension(type: Int8, bytes: ByteBuffer) throws(MessagePackError) {
        let count = try Self.checked(bytes.readableBytes)
        pack { msgpack_pack_ext($0, count, type) }
        buffer.writeImmutableBuffer(bytes)
    }

    /// Appends bytes that are MessagePack already.
    ///
    /// - Parameter bytes: one or more whole values.
    public mutating func write(raw bytes: ByteBuffer) {
        buffer.writeImmutableBuffer(bytes)
    }

    private static func checked(_ count: Int) throws(MessagePackError) -> Int {
        guard count <= UInt32.max else { throw MessagePackError(.tooLong, "\(count) is more than MessagePack can say (2^32 - 1)") }
        return count
    }

    @inline(__always)
    private mutating func pack(_ body: (UnsafeMutablePointer<msgpack_packer>) -> CInt) {
        // Into the buffer's own memory: appending to a buffer from the callback would take longer than packing.
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: PackedBytes.limit) { output in
            var packed = PackedBytes(output: output)
            withUnsafeMutablePointer(to: &packed) { packed in
                var packer = msgpack_packer(data: packed, callback: append)
                _ = body(&packer)
            }
            return packed.count
        }
    }
}

/// The output of one call of msgpack-c: a number, a header or a timestamp.
private struct PackedBytes {
    /// The most is a timestamp of 12 bytes behind its header.
    static let limit = 16

    let output: UnsafeMutableRawBufferPointer
    var count = 0
}

/// msgpack-c's write callback. `data` points to ``PackedBytes``.
private func append(data: UnsafeMutableRawPointer?, bytes: UnsafePointer<CChar>?, count: Int) -> CInt {
    guard let packed = data?.assumingMemoryBound(to: PackedBytes.self), let bytes,
        packed.pointee.count + count <= packed.pointee.output.count, let start = packed.pointee.output.baseAddress
    else { return -1 }
    (start + packed.pointee.count).copyMemory(from: bytes, byteCount: count)
    packed.pointee.count += count
    return 0
}
