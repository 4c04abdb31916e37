import NIOCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Writes the types that need no `Encoder`.
struct JSONWriter {
    var buffer = ByteBuffer()
    var attachments: [ByteBuffer] = []

    /// Writes a value of such a type.
    ///
    /// - Returns: false, and nothing written, if the type is not one of them.
    @inline(__always)
    mutating func writeDirect<T: Encodable>(_ value: T, path: () -> [any CodingKey]) throws -> Bool {
        if T.self == String.self, let value = value as? String {
            self.buffer.writeJSONString(value)
            return true
        }
        if T.self == Int.self, let value = value as? Int {
            self.buffer.writeJSONInteger(Int64(value))
            return true
        }
        do throws(Unencodable) {
            if try self.writeNumber(value) { return true }
            return try self.writeRich(value)
        } catch {
            throw EncodingError.invalidValue(error.culprit, .init(codingPath: path(), debugDescription: error.text))
        }
    }

    @inline(__always)
    private mutating func writeNumber<T>(_ value: T) throws(Unencodable) -> Bool {
        if T.self == Bool.self, let value = value as? Bool {
            self.buffer.writeStaticString(value ? "true" : "false")
        } else if T.self == Double.self, let value = value as? Double {
            try self.write(value)
        } else if T.self == Float.self, let value = value as? Float {
            guard value.isFinite else { throw Unencodable(value, "JSON has no \(value)") }
            self.buffer.writeJSONFloat(value)
        } else if T.self == Int64.self, let value = value as? Int64 {
            self.buffer.writeJSONInteger(value)
        } else if T.self == UInt64.self, let value = value as? UInt64 {
            self.buffer.writeJSONInteger(value)
        } else if T.self == UInt.self, let value = value as? UInt {
            self.buffer.writeJSONInteger(UInt64(value))
        } else {
            return self.writeNarrow(value)
        }
        return true
    }

    @inline(__always)
    private mutating func writeNarrow<T>(_ value: T) -> Bool {
        if T.self == Int32.self, let value = value as? Int32 {
            self.buffer.writeJSONInteger(Int64(value))
        } else if T.self == UInt32.self, let value = value as? UInt32 {
            self.buffer.writeJSONInteger(UInt64(value))
        } else if T.self == Int16.self, let value = value as? Int16 {
            self.buffer.writeJSONInteger(Int64(value))
        } else if T.self == UInt16.self, let value = value as? UInt16 {
            self.buffer.writeJSONInteger(UInt64(value))
        } else if T.self == Int8.self, let value = value as? Int8 {
            self.buffer.writeJSONInteger(Int64(value))
        } else if T.self == UInt8.self, let value = value as? UInt8 {
            self.buffer.writeJSONInteger(UInt64(value))
        } else {
            return false
        }
        return true
    }

    @inline(__always)
    private mutating func writeRich<T>(_ value: T) throws(Unencodable) -> Bool {
        if T.self == SocketIOValue.self, let value = value as? SocketIOValue {
            try self.write(value, depthLeft: JSONWalker.deepestNesting)
        } else if T.self == ByteBuffer.self, let value = value as? ByteBuffer {
            self.attach(value)
        } else if T.self == Data.self, let value = value as? Data {
            self.attach(ByteBuffer(bytes: value))
        } else if T.self == [UInt8].self, let value = value as? [UInt8] {
            self.attach(ByteBuffer(bytes: value))
        } else if T.self == Date.self, let value = value as? Date {
            // Foundation's description of a date that is not finite traps; an error must be printable.
            guard let text = JSONDate.string(value) else {
                throw Unencodable(value.timeIntervalSince1970, "JavaScript has no date so many seconds from 1970")
            }
            self.buffer.writeJSONString(text)
        } else if T.self == URL.self, let value = value as? URL {
            self.buffer.writeJSONString(value.absoluteString)
        } else if T.self == Decimal.self, let value = value as? Decimal {
            guard !value.isNaN else { throw Unencodable(value, "JSON has no NaN") }
            self.buffer.writeString(value.description)
        } else {
            return false
        }
        return true
    }

    private mutating func write(_ value: Double) throws(Unencodable) {
        guard value.isFinite else { throw Unencodable(value, "JSON has no \(value)") }
        self.buffer.writeJSONDouble(value)
    }

    /// Writes a placeholder and keeps the bytes.
    private mutating func attach(_ bytes: ByteBuffer) {
        self.buffer.writeStaticString("{\"_placeholder\":true,\"num\":")
        self.buffer.writeJSONInteger(Int64(self.attachments.count))
        self.buffer.writeInteger(UInt8(ascii: "}"))
        self.attachments.append(bytes)
    }

    private mutating func write(_ value: SocketIOValue, depthLeft: Int) throws(Unencodable) {
        switch value {
        case .null: self.buffer.writeStaticString("null")
        case .bool(let value): self.buffer.writeStaticString(value ? "true" : "false")
        case .int(let value): self.buffer.writeJSONInteger(value)
        case .double(let value): try self.write(value)
        case .string(let value): self.buffer.writeJSONString(value)
        case .binary(let value): self.attach(value)
        case .array(let elements):
            guard depthLeft > 0 else { throw Unencodable(value, JSONSink.tooDeep) }
            var separator = UInt8(ascii: "[")
            for element in elements {
                self.buffer.writeInteger(separator)
                try self.write(element, depthLeft: depthLeft - 1)
                separator = UInt8(ascii: ",")
            }
            self.buffer.writeStaticString(elements.isEmpty ? "[]" : "]")
        case .object(let members):
            guard depthLeft > 0 else { throw Unencodable(value, JSONSink.tooDeep) }
            var separator = UInt8(ascii: "{")
            for (key, member) in members {
                self.buffer.writeInteger(separator)
                self.buffer.writeJSONString(key)
                self.buffer.writeInteger(UInt8(ascii: ":"))
                try self.write(member, depthLeft: depthLeft - 1)
                separator = UInt8(ascii: ",")
            }
            self.buffer.writeStaticString(members.isEmpty ? "{}" : "}")
        }
    }

    /// What cannot be written, before its path is known.
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
