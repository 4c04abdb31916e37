// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Gives a value the name of its own type, which the caller has compared. Unlike `as?` this costs nothing where generic code is not
/// specialised.
@inline(__always)
func unchanged<A, B>(_ value: A, as type: B.Type) -> B {
    assert(A.self == B.self)
    return unsafeBitCast(value, to: type)
}

extension MessagePackWriter {
    /// Writes a value of a type that needs no `Encoder`.
    ///
    /// - Returns: false, and nothing written, if the type is not one of them.
    @inline(__always)
    mutating func writeDirect<T: Encodable>(_ value: T, depthLeft: Int, path: () -> [any CodingKey]) throws -> Bool {
        do throws(MessagePackError) {
            if T.self == String.self {
                try write(unchanged(value, as: String.self))
                return true
            }
            if T.self == Int.self {
                write(unchanged(value, as: Int.self))
                return true
            }
            if T.self == Bool.self {
                write(unchanged(value, as: Bool.self))
                return true
            }
            return try writeOther(value, depthLeft: depthLeft)
        } catch {
            // Foundation's description of a date that is not finite traps; an error must be printable.
            let culprit: Any = T.self == Date.self ? unchanged(value, as: Date.self).timeIntervalSince1970 : value
            let context = EncodingError.Context(codingPath: path(), debugDescription: error.message, underlyingError: error)
            throw EncodingError.invalidValue(culprit, context)
        }
    }

    @inline(never)
    private mutating func writeOther<T>(_ value: T, depthLeft: Int) throws(MessagePackError) -> Bool {
        if writeNumber(value) { return true }
        if try writeRich(value, depthLeft: depthLeft) { return true }
        return depthLeft > 0 ? try writeArray(value) : false
    }

    @inline(__always)
    private mutating func writeNumber<T>(_ value: T) -> Bool {
        if T.self == Double.self {
            write(unchanged(value, as: Double.self))
        } else if T.self == Float.self {
            write(unchanged(value, as: Float.self))
        } else if T.self == Int64.self {
            write(unchanged(value, as: Int64.self))
        } else if T.self == UInt64.self {
            write(unchanged(value, as: UInt64.self))
        } else if T.self == UInt.self {
            write(UInt64(unchanged(value, as: UInt.self)))
        } else {
            return writeNarrow(value)
        }
        return true
    }

    @inline(__always)
    private mutating func writeNarrow<T>(_ value: T) -> Bool {
        if T.self == Int32.self {
            write(Int64(unchanged(value, as: Int32.self)))
        } else if T.self == UInt32.self {
            write(UInt64(unchanged(value, as: UInt32.self)))
        } else if T.self == Int16.self {
            write(Int64(unchanged(value, as: Int16.self)))
        } else if T.self == UInt16.self {
            write(UInt64(unchanged(value, as: UInt16.self)))
        } else if T.self == Int8.self {
            write(Int64(unchanged(value, as: Int8.self)))
        } else if T.self == UInt8.self {
            write(UInt64(unchanged(value, as: UInt8.self)))
        } else {
            return false
        }
        return true
    }

    @inline(__always)
    private mutating func writeRich<T>(_ value: T, depthLeft: Int) throws(MessagePackError) -> Bool {
        if T.self == ByteBuffer.self {
            try write(binary: unchanged(value, as: ByteBuffer.self))
        } else if T.self == Data.self {
            try write(binary: unchanged(value, as: Data.self))
        } else if T.self == [UInt8].self {
            try write(binary: unchanged(value, as: [UInt8].self))
        } else if T.self == Date.self {
            guard let timestamp = MessagePackTimestamp(unchanged(value, as: Date.self)) else {
                throw MessagePackError(.outOfRange, "a date that is not finite has no timestamp")
            }
            write(timestamp)
        } else if T.self == URL.self {
            try write(unchanged(value, as: URL.self).absoluteString)
        } else if T.self == Decimal.self {
            let text = unchanged(value, as: Decimal.self).description
            if let integer = Int64(text) { write(integer) } else { try write(text) }
        } else if T.self == Int128.self {
            try write(wide: unchanged(value, as: Int128.self))
        } else if T.self == UInt128.self {
            try write(wide: unchanged(value, as: UInt128.self))
        } else if T.self == MessagePackTimestamp.self {
            write(unchanged(value, as: MessagePackTimestamp.self))
        } else if T.self == MessagePackValue.self {
            try unchanged(value, as: MessagePackValue.self).write(to: &self, depthLeft: depthLeft)
        } else {
            return false
        }
        return true
    }

    private mutating func write(wide value: some FixedWidthInteger) throws(MessagePackError) {
        if let value = Int64(exactly: value) {
            write(value)
        } else if let value = UInt64(exactly: value) {
            write(value)
        } else {
            throw MessagePackError(.outOfRange, "MessagePack has no integers of more than 64 bits")
        }
    }

    /// Arrays of what is common in arrays.
    @inline(__always)
    private mutating func writeArray<T>(_ value: T) throws(MessagePackError) -> Bool {
        if T.self == [String].self {
            let elements = unchanged(value, as: [String].self)
            try writeArrayHeader(count: elements.count)
            for element in elements { try write(element) }
        } else if T.self == [Int].self {
            let elements = unchanged(value, as: [Int].self)
            try writeArrayHeader(count: elements.count)
            for element in elements { write(element) }
        } else if T.self == [Double].self {
            let elements = unchanged(value, as: [Double].self)
            try writeArrayHeader(count: elements.count)
            for element in elements { write(element) }
        } else {
            return false
        }
        return true
    }
}
