// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Comparing and hashing strings by their UTF-8 bytes.
@usableFromInline
package enum Bytewise {
    /// Whether both have the same bytes.
    ///
    /// Every packet compares names several times, most of which differ in length or are one and the same value: that is decided in place.
    @inlinable
    @inline(__always)
    package static func equal(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count && (areIdentical(left, right) || haveSameBytes(left, right))
    }

    /// Whether both are the same value in memory: then they have the same bytes, whatever a string looks like.
    @inlinable
    @inline(__always)
    package static func areIdentical(_ left: String, _ right: String) -> Bool {
        guard MemoryLayout<String>.size == MemoryLayout<(UInt64, UInt64)>.size else { return false }
        let (left, right) = (unsafeBitCast(left, to: (UInt64, UInt64).self), unsafeBitCast(right, to: (UInt64, UInt64).self))
        return left.0 == right.0 && left.1 == right.1
    }

    /// Whether strings of the same length have the same bytes.
    @usableFromInline
    package static func haveSameBytes(_ left: String, _ right: String) -> Bool {
        withBytes(left) { left in withBytes(right) { right in order(left, right, left.count) == 0 } }
    }

    /// Whether the bytes of the first come before those of the second.
    @usableFromInline
    package static func less(_ left: String, _ right: String) -> Bool {
        withBytes(left) { left in
            withBytes(right) { right in
                let order = order(left, right, min(left.count, right.count))
                return order == 0 ? left.count < right.count : order < 0
            }
        }
    }

    private static func order(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>, _ count: Int) -> Int32 {
        guard let left = left.baseAddress, let right = right.baseAddress else { return 0 }
        return memcmp(left, right, count)
    }

    /// Feeds the bytes and their number to a hasher.
    @usableFromInline
    package static func hash(_ text: String, into hasher: inout Hasher) {
        withBytes(text) { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(UInt8(0xFF))
    }

    /// The bytes of a string, without a copy where it has them in one piece, as all native strings do.
    package static func withBytes<Result>(_ text: String, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        if let result = text.utf8.withContiguousStorageIfAvailable(body) { return result }
        return ContiguousArray(text.utf8).withUnsafeBufferPointer(body)
    }
}
