// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOMessagePack
import SocketIOMongoClient
import NIOCore
import SocketIOCore
import SocketIOText

extension BSONValueWriter {
    /// Writes the value of MessagePack bytes.
    ///
    /// - Throws: `unsupported` if the bytes are not valid MessagePack, or if BSON cannot express the value.
    mutating func write(messagePack bytes: ByteBuffer) throws {
        var reader = MessagePackReader(bytes)
        /// Of each open container, the values that are still to come, and whether they have keys.
        var open: [(left: Int, isMap: Bool)] = []
        do {
            repeat {
                if let last = open.indices.last {
                    guard open[last].left > 0 else {
                        open.removeLast()
                        end()
                        continue
                    }
                    open[last].left -= 1
                    if open[last].isMap { try writeKey(&reader) }
                }
                switch try reader.peekKind() {
                case .array:
                    open.append((try reader.readArrayHeader(), false))
                    try beginArray()
                case .map:
                    open.append((try reader.readMapHeader(), true))
                    try beginDocument()
                case let kind: try writeScalar(kind, &reader)
                }
            } while !open.isEmpty
            try reader.expectEnd()
        } catch let error as MessagePackError {
            throw ClusterError(.unsupported, "the arguments cannot be expressed in BSON", cause: error)
        }
    }

    private mutating func writeKey(_ reader: inout MessagePackReader) throws {
        // JavaScript's keys are strings, whatever they were.
        if try reader.peekKind() == .integer {
            try key(String(try reader.readInteger(as: Int64.self)))
        } else {
            try key(try reader.readString())
        }
    }

    private mutating func writeScalar(_ kind: MessagePackKind, _ reader: inout MessagePackReader) throws {
        switch kind {
        case .null:
            _ = reader.readNil()
            try writeNull()
        case .bool: try write(try reader.readBool())
        case .integer, .float: try write(try reader.readDouble())
        case .string: try write(try reader.readString())
        case .binary: try write(binary: try reader.readBinary())
        default:
            if reader.readNil() { return try writeNull() }
            if let bytes = try? reader.readBinary() { return try write(binary: bytes) }
            if let number = try? reader.readDouble() { return try write(number) }
            try write(dateMilliseconds: try reader.readTimestamp().milliseconds)
        }
    }
}

extension MessagePackTimestamp {
    /// Milliseconds since 1970, as a date of JavaScript and BSON has them; at the bounds of a number if they do not fit.
    fileprivate var milliseconds: Int64 {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (sum, isTooLarge) = product.addingReportingOverflow(Int64(nanoseconds / 1_000_000))
        return isTooLarge ? .max : sum
    }
}
#endif
