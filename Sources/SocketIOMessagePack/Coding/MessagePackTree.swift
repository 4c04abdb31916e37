// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import CSocketIOMessagePack
import NIOCore
import SocketIOText

/// One document as msgpack-c unpacks it, validated before. Strings and binary point into the buffer, which the tree keeps alive.
final class MessagePackTree {
    private let buffer: ByteBuffer
    private let storage: Unmanaged<AnyObject>
    private let base: UnsafeRawPointer?
    private let unpacked: UnsafeMutablePointer<msgpack_unpacked>
    /// How many bytes more the keys that are not ASCII may have, where they become strings.
    private var keyBytesLeft = KeyCheck.byteLimit
    /// The map whose keys were looked at last, since a type may ask for them again.
    private var checked: (pairs: UnsafePointer<msgpack_object_kv>?, problem: KeyCheck.Problem?)?

    init(_ buffer: ByteBuffer, limits: MessagePackLimits) throws(MessagePackError) {
        try MessagePackReader.validate(buffer, limits: limits)
        self.buffer = buffer
        let unpacked = UnsafeMutablePointer<msgpack_unpacked>.allocate(capacity: 1)
        msgpack_unpacked_init(unpacked)
        self.unpacked = unpacked
        let (storage, base, outcome) = buffer.withUnsafeReadableBytesWithStorageManagement { bytes, storage in
            let outcome = msgpack_unpack_next(unpacked, bytes.assumingMemoryBound(to: CChar.self).baseAddress, bytes.count, nil)
            return (storage.retain(), bytes.baseAddress, outcome)
        }
        self.storage = storage
        self.base = base
        guard outcome == MSGPACK_UNPACK_SUCCESS else { throw MessagePackError(.invalidByte, "msgpack-c refuses the bytes") }
    }

    deinit {
        msgpack_unpacked_destroy(unpacked)
        unpacked.deallocate()
        storage.release()
    }

    /// The outermost value; valid while the tree is.
    var root: UnsafePointer<msgpack_object> {
        // The address of a stored property of an allocated struct is stable.
        UnsafePointer(UnsafeMutableRawPointer(unpacked).advanced(by: Self.dataOffset).assumingMemoryBound(to: msgpack_object.self))
    }

    private static let dataOffset = MemoryLayout<msgpack_unpacked>.offset(of: \.data) ?? 8

    /// Why the application cannot have the keys of a map as strings; nil if it can. Allocates nothing if all are ASCII.
    func problem(ofKeys pairs: UnsafeBufferPointer<msgpack_object_kv>) -> KeyCheck.Problem? {
        guard pairs.contains(where: { $0.key.stringBytes.map { !KeyCheck.isPlain($0) } ?? false }) else { return nil }
        if let checked, checked.pairs == pairs.baseAddress { return checked.problem }
        let problem = findProblem(ofKeys: pairs)
        checked = (pairs.baseAddress, problem)
        return problem
    }

    private func findProblem(ofKeys pairs: UnsafeBufferPointer<msgpack_object_kv>) -> KeyCheck.Problem? {
        var check = KeyCheck()
        for pair in pairs {
            guard let key = pair.key.stringBytes else { continue }
            if let problem = check.add(String(decoding: key, as: UTF8.self), bytesLeft: &keyBytesLeft) { return problem }
        }
        return nil
    }

    /// The bytes of a string, binary or extension, as a slice of the input.
    func slice(_ pointer: UnsafePointer<CChar>?, count: UInt32) -> ByteBuffer {
        guard let base = self.base, let pointer else { return ByteBuffer() }
        let offset = UnsafeRawPointer(pointer) - base
        return buffer.getSlice(at: buffer.readerIndex + offset, length: Int(count)) ?? ByteBuffer()
    }
}

extension msgpack_object {
    var isNil: Bool {
        if type == MSGPACK_OBJECT_NIL { return true }
        // notepack's `undefined`.
        guard type == MSGPACK_OBJECT_EXT, via.ext.type == MessagePackExtension.javaScript, via.ext.size == 1 else { return false }
        return !isBinaryExtension
    }

    /// Whether the value is an extension that means binary.
    var isBinaryExtension: Bool {
        guard type == MSGPACK_OBJECT_EXT, via.ext.type == MessagePackExtension.javaScript, let content = via.ext.ptr else { return false }
        // The form is two bytes in front of the content; the size of another form would be there instead.
        let form = UInt8(bitPattern: content[-2])
        let size = via.ext.size
        return MessagePackExtension.isBinary(
            via.ext.type,
            isFixed: size == 1 && form == MessagePackExtension.fixed1 || size == 8 && form == MessagePackExtension.fixed8,
            count: Int(size),
            first: size > 0 ? UInt8(bitPattern: content[0]) : nil
        )
    }

    var elements: UnsafeBufferPointer<msgpack_object>? {
        guard type == MSGPACK_OBJECT_ARRAY else { return nil }
        return UnsafeBufferPointer(start: via.array.ptr, count: Int(via.array.size))
    }

    var pairs: UnsafeBufferPointer<msgpack_object_kv>? {
        guard type == MSGPACK_OBJECT_MAP else { return nil }
        return UnsafeBufferPointer(start: via.map.ptr, count: Int(via.map.size))
    }

    var stringBytes: UnsafeRawBufferPointer? {
        guard type == MSGPACK_OBJECT_STR else { return nil }
        return UnsafeRawBufferPointer(start: via.str.ptr, count: Int(via.str.size))
    }

    var kind: String {
        switch type {
        case MSGPACK_OBJECT_NIL: "nil"
        case MSGPACK_OBJECT_BOOLEAN: "a boolean"
        case MSGPACK_OBJECT_POSITIVE_INTEGER, MSGPACK_OBJECT_NEGATIVE_INTEGER: "an integer"
        case MSGPACK_OBJECT_FLOAT32, MSGPACK_OBJECT_FLOAT64: "a float"
        case MSGPACK_OBJECT_STR: "a string"
        case MSGPACK_OBJECT_BIN: "binary"
        case MSGPACK_OBJECT_ARRAY: "an array"
        case MSGPACK_OBJECT_MAP: "a map"
        case MSGPACK_OBJECT_EXT where isBinaryExtension: "binary"
        default: isNil ? "undefined" : "extension type \(via.ext.type)"
        }
    }
}
