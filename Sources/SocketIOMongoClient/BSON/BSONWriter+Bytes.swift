// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
package import NIOCore

/// Bytes as an array of integers, one for each: what serializers write that know lists but no binary.
extension BSONWriter {
    /// Appends bytes as an array of 32-bit integers. Each byte takes 6 bytes and the digits of its index.
    package mutating func append(_ key: String, integersOf bytes: ByteBuffer) {
        let start = openDocument(.array, key)
        let size = bytes.readableBytes * (6 + String(bytes.readableBytes).utf8.count)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { target in
            bytes.withUnsafeReadableBytes { Self.write($0, to: target) }
        }
        endDocument(at: start)
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer) -> Int {
        var offset = 0
        var index = DecimalDigits()
        for byte in bytes {
            target[offset] = BSONType.int32.rawValue
            offset += 1
            for position in index.start..<DecimalDigits.capacity {
                target[offset] = index.digits[position]
                offset += 1
            }
            target[offset] = 0
            target.storeBytes(of: UInt32(byte).littleEndian, toByteOffset: offset + 1, as: UInt32.self)
            offset += 5
            index.increment()
        }
        return offset
    }
}

/// A number that counts up, in digits.
private struct DecimalDigits {
    static let capacity = 20
    var digits = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
    var start = Self.capacity - 1

    mutating func increment() {
        var position = Self.capacity - 1
        while position > 0, digits[position] == UInt8(ascii: "9") {
            digits[position] = UInt8(ascii: "0")
            position -= 1
        }
        digits[position] += 1
        start = min(start, position)
    }
}

extension BSONElement {
    /// The bytes, if it is an array of integers of either width, all of them from 0 to 255. Its keys do not matter.
    package var bytesOfIntegers: ByteBuffer? {
        guard let array = array?.bytes else { return nil }
        var result = ByteBuffer()
        let isWhole = array.withUnsafeReadableBytes { source in
            // An element takes seven bytes at least.
            result.writeWithUnsafeMutableBytes(minimumWritableBytes: source.count / 7) { target in
                Self.read(source, to: target) ?? 0
            } > 0 || source.count == 5
        }
        return isWhole ? result : nil
    }

    /// - Returns: How many bytes were read; nil if an element is not an integer from 0 to 255.
    private static func read(_ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer) -> Int? {
        var position = 4
        var count = 0
        let end = source.count - 1
        while position < end {
            let type = source[position]
            position += 1
            while position < end, source[position] != 0 { position += 1 }
            let width = type == BSONType.int32.rawValue ? 4 : type == BSONType.int64.rawValue ? 8 : 0
            guard width > 0, end - position > width, count < target.count else { return nil }
            for offset in 2...width where source[position + offset] != 0 { return nil }
            target[count] = source[position + 1]
            count += 1
            position += 1 + width
        }
        return count
    }
}
#endif
