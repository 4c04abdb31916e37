import NIOCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension MessagePackWriter {
    /// Writes a value of a type that needs no `Encoder`.
    ///
    /// - Returns: false, and nothing written, if the type is not one of them.
    @inline(__always)
    mutating func writeDirect<T: Encodable>(_ value: T, path: () -> [any CodingKey]) throws -> Bool {
        do {
            if T.self == String.self, let value = value as? String {
                try self.write(value)
                return true
            }
            if self.writeNumber(value) { return true }
            return try self.writeRich(value)
        } catch let error as MessagePackError {
            // Foundation's description of a date that is not finite traps; an error must be printable.
            let culprit: Any = (value as? Date)?.timeIntervalSince1970 ?? value
            throw EncodingError.invalidValue(
                culprit,
                EncodingError.Context(codingPath: path(), debugDescription: error.message, underlyingError: error)
            )
        }
    }

    @inline(__always)
    private mutating func writeNumber<T>(_ value: T) -> Bool {
        if T.self == Int.self, let value = value as? Int {
            self.write(value)
        } else if T.self == Bool.self, let value = value as? Bool {
            self.write(value)
        } else if T.self == Double.self, let value = value as? Double {
            self.write(value)
        } else if T.self == Float.self, let value = value as? Float {
            self.write(value)
        } else if T.self == Int64.self, let value = value as? Int64 {
            self.write(value)
        } else if T.self == UInt64.self, let value = value as? UInt64 {
            self.write(value)
        } else if T.self == UInt.self, let value = value as? UInt {
            self.write(UInt64(value))
        } else {
            return self.writeNarrow(value)
        }
        return true
    }

    @inline(__always)
    private mutating func writeNarrow<T>(_ value: T) -> Bool {
        if T.self == Int32.self, let value = value as? Int32 {
            self.write(Int64(value))
        } else if T.self == UInt32.self, let value = value as? UInt32 {
            self.write(UInt64(value))
        } else if T.self == Int16.self, let value = value as? Int16 {
            self.write(Int64(value))
        } else if T.self == UInt16.self, let value = value as? UInt16 {
            self.write(UInt64(value))
        } else if T.self == Int8.self, let value = value as? Int8 {
            self.write(Int64(value))
        } else if T.self == UInt8.self, let value = value as? UInt8 {
            self.write(UInt64(value))
        } else {
            return false
        }
        return true
    }

    @inline(__always)
    private mutating func writeRich<T>(_ value: T) throws -> Bool {
        if T.self == ByteBuffer.self, let value = value as? ByteBuffer {
            try self.write(binary: value)
        } else if T.self == Data.self, let value = value as? Data {
            try self.write(binary: value)
        } else if T.self == [UInt8].self, let value = value as? [UInt8] {
            try self.write(binary: value)
        } else if T.self == Date.self, let value = value as? Date {
            guard let timestamp = MessagePackTimestamp(value) else {
                throw MessagePackError(.outOfRange, "a date that is not finite has no timestamp")
            }
            self.write(timestamp)
        } else if T.self == URL.self, let value = value as? URL {
            try self.write(value.absoluteString)
        } else if T.self == Decimal.self, let value = value as? Decimal {
            let text = value.description
            if let integer = Int64(text) { self.write(integer) } else { try self.write(text) }
        } else if T.self == MessagePackTimestamp.self, let value = value as? MessagePackTimestamp {
            self.write(value)
        } else if T.self == MessagePackValue.self, let value = value as? MessagePackValue {
            try value.write(to: &self)
        } else {
            return false
        }
        return true
    }
}
