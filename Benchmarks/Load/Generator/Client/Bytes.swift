// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Bytes that grow at the end and are taken from the front.
struct Bytes {
    private(set) var start: UnsafeMutablePointer<UInt8>
    private(set) var count = 0
    private var capacity: Int

    init(capacity: Int = 256) {
        self.capacity = capacity
        start = .allocate(capacity: capacity)
    }

    var isEmpty: Bool { count == 0 }

    /// Frees the memory. The value must not be used after that.
    func deallocate() { start.deallocate() }

    private mutating func reserve(_ additional: Int) {
        guard count + additional > capacity else { return }
        capacity = max(capacity * 2, count + additional)
        let new = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        memcpy(new, start, count)
        start.deallocate()
        start = new
    }

    mutating func append(_ byte: UInt8) {
        reserve(1)
        start[count] = byte
        count += 1
    }

    mutating func append(_ source: UnsafePointer<UInt8>, _ length: Int) {
        guard length > 0 else { return }
        reserve(length)
        memcpy(start + count, source, length)
        count += length
    }

    mutating func append(_ source: [UInt8]) {
        source.withUnsafeBufferPointer { if let base = $0.baseAddress { append(base, $0.count) } }
    }

    mutating func append(_ text: StaticString) { append(text.utf8Start, text.utf8CodeUnitCount) }

    mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { if let base = $0.baseAddress { append(base, $0.count) } }
    }

    /// Writes a number in decimal, with leading zeros up to `width`.
    mutating func append(decimal number: UInt64, width: Int = 1) {
        reserve(20)
        var digits = 1
        var rest = number / 10
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        digits = min(20, max(width, digits))
        rest = number
        for position in stride(from: count + digits - 1, through: count, by: -1) {
            start[position] = UInt8(truncatingIfNeeded: 48 + rest % 10)
            rest /= 10
        }
        count += digits
    }

    mutating func set(_ byte: UInt8, at position: Int) { start[position] = byte }

    mutating func removeFirst(_ length: Int) {
        guard length > 0 else { return }
        count -= length
        memmove(start, start + length, count)
    }

    mutating func removeAll() { count = 0 }
}
