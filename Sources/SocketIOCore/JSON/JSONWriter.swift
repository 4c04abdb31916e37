// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOText

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Writes the types that need no `Encoder`.
struct JSONWriter: ~Copyable {
    var output = JSONOutput()
    var attachments: [ByteBuffer] = []

    /// Writes a value of such a type.
    ///
    /// - Returns: false, and nothing written, if the type is not one of them.
    @inline(__always)
    mutating func writeDirect<T: Encodable>(_ value: T, depthLeft: Int, path: () -> [any CodingKey]) throws -> Bool {
        if T.self == String.self {
            output.append(unchanged(value, as: String.self))
            return true
        }
        if T.self == Int.self {
            output.append(Int64(unchanged(value, as: Int.self)))
            return true
        }
        if T.self == Bool.self {
            output.append(unchanged(value, as: Bool.self))
            return true
        }
        do {
            return try writeOther(value, depthLeft: depthLeft)
        } catch {
            throw EncodingError.invalidValue(error.culprit, .init(codingPath: path(), debugDescription: error.text))
        }
    }

    @inline(never)
    private mutating func writeOther<T>(_ value: T, depthLeft: Int) throws(Unencodable) -> Bool {
        if T.self == Double.self {
            try write(unchanged(value, as: Double.self))
            return true
        }
        if try writeRich(value, depthLeft: depthLeft) { return true }
        return try writeNumber(value)
    }

    @inline(__always)
    private mutating func writeNumber<T>(_ value: T) throws(Unencodable) -> Bool {
        if T.self == Float.self {
            let value = unchanged(value, as: Float.self)
            guard value.isFinite else { throw Unencodable(value, "JSON has no \(value)") }
            output.append(value)
        } else if T.self == Int64.self {
            output.append(unchanged(value, as: Int64.self))
        } else if T.self == UInt64.self {
            output.append(unchanged(value, as: UInt64.self))
        } else if T.self == UInt.self {
            output.append(UInt64(unchanged(value, as: UInt.self)))
        } else {
            return writeNarrow(value)
        }
        return true
    }

    @inline(__always)
    private mutating func writeNarrow<T>(_ value: T) -> Bool {
        if T.self == Int32.self {
            output.append(Int64(unchanged(value, as: Int32.self)))
        } else if T.self == UInt32.self {
            output.append(UInt64(unchanged(value, as: UInt32.self)))
        } else if T.self == Int16.self {
            output.append(Int64(unchanged(value, as: Int16.self)))
        } else if T.self == UInt16.self {
            output.append(UInt64(unchanged(value, as: UInt16.self)))
        } else if T.self == Int8.self {
            output.append(Int64(unchanged(value, as: Int8.self)))
        } else if T.self == UInt8.self {
            output.append(UInt64(unchanged(value, as: UInt8.self)))
        } else if T.self == Int128.self {
            output.append(verbatim: unchanged(value, as: Int128.self).description)
        } else if T.self == UInt128.self {
            output.append(verbatim: unchanged(value, as: UInt128.self).description)
        } else {
            return false
        }
        return true
    }

    @inline(__always)
    private mutating func writeRich<T>(_ value: T, depthLeft: Int) throws(Unencodable) -> Bool {
        if T.self == SocketIOValue.self {
            try write(unchanged(value, as: SocketIOValue.self), depthLeft: depthLeft)
        } else if T.self == ByteBuffer.self {
            attach(unchanged(value, as: ByteBuffer.self))
        } else if T.self == Data.self {
            attach(ByteBuffer(bytes: unchanged(value, as: Data.self)))
        } else if T.self == [UInt8].self {
            attach(ByteBuffer(bytes: unchanged(value, as: [UInt8].self)))
        } else if T.self == Date.self {
            try write(unchanged(value, as: Date.self))
        } else if T.self == URL.self {
            output.append(unchanged(value, as: URL.self).absoluteString)
        } else if T.self == Decimal.self {
            let value = unchanged(value, as: Decimal.self)
            guard !value.isNaN else { throw Unencodable(value, "JSON has no NaN") }
            output.append(verbatim: value.description)
        } else {
            return try writeArray(value, depthLeft: depthLeft)
        }
        return true
    }

    /// Arrays of what is common in arrays.
    @inline(__always)
    private mutating func writeArray<T>(_ value: T, depthLeft: Int) throws(Unencodable) -> Bool {
        guard depthLeft > 0 else { return false }
        if T.self == [String].self {
            writeElements(unchanged(value, as: [String].self)) { $0.output.append($1) }
        } else if T.self == [Int].self {
            writeElements(unchanged(value, as: [Int].self)) { $0.output.append(Int64($1)) }
        } else if T.self == [Double].self, unchanged(value, as: [Double].self).allSatisfy(\.isFinite) {
            writeElements(unchanged(value, as: [Double].self)) { $0.output.append($1) }
        } else {
            return false
        }
        return true
    }

    @inline(__always)
    private mutating func writeElements<E, F: Error>(_ elements: [E], _ write: (inout JSONWriter, E) throws(F) -> Void) throws(F) {
        var separator = UInt8(ascii: "[")
        for element in elements {
            output.append(separator)
            try write(&self, element)
            separator = UInt8(ascii: ",")
        }
        output.append(elements.isEmpty ? "[]" : "]" as StaticString)
    }

    private mutating func write(_ value: Date) throws(Unencodable) {
        // Foundation's description of a date that is not finite traps; an error must be printable.
        guard let text = JSONDate.string(value) else {
            throw Unencodable(value.timeIntervalSince1970, "JavaScript has no date so many seconds from 1970")
        }
        output.append(text)
    }

    private mutating func write(_ value: Double) throws(Unencodable) {
        guard value.isFinite else { throw Unencodable(value, "JSON has no \(value)") }
        output.append(value)
    }

    /// Writes a placeholder and keeps the bytes.
    private mutating func attach(_ bytes: ByteBuffer) {
        output.append("{\"_placeholder\":true,\"num\":" as StaticString)
        output.append(Int64(attachments.count))
        output.append(UInt8(ascii: "}"))
        attachments.append(bytes)
    }

    private mutating func write(_ value: SocketIOValue, depthLeft: Int) throws(Unencodable) {
        switch value {
        case .null: output.append("null" as StaticString)
        case .bool(let value): output.append(value)
        case .int(let value): output.append(value)
        case .uint(let value): output.append(value)
        case .double(let value): try write(value)
        case .string(let value): output.append(value)
        case .binary(let value): attach(value)
        case .array(let elements):
            guard depthLeft > 0 else { throw Unencodable(value, JSONSink.tooDeep) }
            try writeElements(elements) { (writer, element) throws(Unencodable) in try writer.write(element, depthLeft: depthLeft - 1)
            }
        case .object(let members):
            guard depthLeft > 0 else { throw Unencodable(value, JSONSink.tooDeep) }
            var separator = UInt8(ascii: "{")
            for (key, member) in members {
                output.append(separator)
                output.append(key)
                output.append(UInt8(ascii: ":"))
                try write(member, depthLeft: depthLeft - 1)
                separator = UInt8(ascii: ",")
            }
            output.append(members.isEmpty ? "{}" : "}" as StaticString)
        }
    }

    /// A value that cannot be written, before its path is known.
    struct Unencodable: Error {
        // Any is fine here: the error does not leave the writer.
        nonisolated(unsafe) let culprit: Any
        let text: String

        init(_ culprit: Any, _ text: String) {
            self.culprit = culprit
            self.text = text
        }
    }
}
