// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOMessagePack
import SocketIOMongoClient
import NIOCore
import SocketIOCore
import SocketIOText

/// Converts BSON values into the text that a JavaScript server would send to its clients: `JSON.stringify` of the values of its driver,
/// with binary as attachments; or the same in MessagePack.
///
/// Whatever the document is, it is read or refused. No tree; nested values are walked with a stack of bounded depth.
enum BSONTranscoder {
    /// The deepest nesting of an argument, and the array of all arguments.
    static let depthLimit = 64 + 1
    /// The same for MessagePack.
    static let messagePackDepthLimit = MessagePackLimits.deepestNesting + 1

    /// The values of a BSON array as arguments.
    ///
    /// - Throws: ``SocketIOCluster/ClusterError`` with `malformed`.
    static func arguments(_ array: BSONDocument, _ format: PacketFormat) throws -> EventArguments {
        do {
            switch format {
            case .json:
                var writer = BSONToJSON()
                try writer.write(array, isArray: true)
                return try EventArguments(array: writer.output, format: .json, attachments: writer.attachments)
            case .messagePack:
                var writer = BSONToMessagePack()
                try writer.write(array, isArray: true)
                return try EventArguments(array: writer.output.buffer, format: .messagePack)
            }
        } catch let error as ClusterError {
            throw error
        } catch {
            throw ClusterError(.malformed, "the values of a document cannot be read", cause: error)
        }
    }

    /// One value as the only argument.
    static func argument(_ value: BSONElement?, _ format: PacketFormat) throws -> EventArguments {
        let array = BSONDocument { array in
            if let value { array.append("0", value) } else { array.appendNull("0") }
        }
        return try arguments(array, format)
    }

    /// A document as MessagePack, as socket data travels between servers.
    static func value(_ document: BSONDocument) throws -> EncodedValue {
        var writer = BSONToMessagePack()
        do { try writer.write(document, isArray: false) } catch let error as ClusterError { throw error } catch {
            throw ClusterError(.malformed, "the values of a document cannot be read", cause: error)
        }
        return EncodedValue(format: .messagePack, bytes: writer.output.buffer)
    }

    static let tooDeep = ClusterError(.malformed, "the values of a document are nested too deeply")
}

/// A BSON value as JavaScript sees it.
enum JavaScriptValue {
    case undefined
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case date(Int64)
    case binary(ByteBuffer)
    case document(BSONDocument)
    case array(BSONDocument)

    init(_ element: BSONElement) throws {
        switch element.type {
        case .double: self = .number(element.double ?? .nan)
        case .int32: self = .number(Double(element.int32 ?? 0))
        case .int64: self = try Self.long(element.int64 ?? 0)
        case .string, .symbol: self = .string(Self.text(element))
        case .bool: self = .bool(element.bool ?? false)
        case .date: self = .date(element.dateMilliseconds ?? 0)
        case .binary: self = .binary(ByteBuffer(bytes: (element.binary?.bytes ?? ByteBuffer()).readableBytesView))
        case .document: self = .document(element.document ?? BSONDocument())
        case .array: self = .array(element.array ?? BSONDocument())
        case .objectID: self = .string(element.objectID?.hex ?? "")
        case .null: self = .null
        case .undefined: self = .undefined
        // Values without properties of their own.
        case .regularExpression, .minKey, .maxKey: self = .document(BSONDocument())
        case .javaScript: self = .document(BSONDocument { $0.append("code", Self.text(element)) })
        case .timestamp: self = .document(BSONDocument { $0.append("$timestamp", String(element.timestamp?.rawValue ?? 0)) })
        default: throw ClusterError(.malformed, "a document has a value of the type \(element.type), which has no form in JSON")
        }
    }

    /// Malformed UTF-8 is repaired, as JavaScript does.
    private static func text(_ element: BSONElement) -> String {
        element.string ?? element.stringBytes.map { String(buffer: $0) } ?? ""
    }

    /// The driver makes a number of what a number can hold, and an object of the rest.
    private static func long(_ value: Int64) throws -> JavaScriptValue {
        guard value.magnitude > 1 << 53 else { return .number(Double(value)) }
        return .document(
            BSONDocument { long in
                long.append("low", Int32(truncatingIfNeeded: value))
                long.append("high", Int32(truncatingIfNeeded: value >> 32))
                long.append("unsigned", false)
            }
        )
    }
}

/// Writes BSON values as JSON.
private struct BSONToJSON {
    private struct Level {
        var reader: BSONReader
        var isArray: Bool
        var isEmpty = true
    }

    var output = ByteBuffer()
    var attachments: [ByteBuffer] = []
    private var levels: [Level] = []

    mutating func write(_ document: BSONDocument, isArray: Bool) throws {
        output.reserveCapacity(document.count)
        try begin(document, isArray: isArray)
        while let last = levels.indices.last {
            guard let element = try levels[last].reader.next() else {
                output.writeInteger(levels[last].isArray ? UInt8(ascii: "]") : UInt8(ascii: "}"))
                levels.removeLast()
                continue
            }
            let value = try JavaScriptValue(element)
            let isArray = levels[last].isArray
            if case .undefined = value, !isArray { continue }
            if !levels[last].isEmpty { output.writeInteger(UInt8(ascii: ",")) }
            levels[last].isEmpty = false
            if !isArray {
                output.writeJSONString(element.key)
                output.writeInteger(UInt8(ascii: ":"))
            }
            try write(value)
        }
    }

    private mutating func begin(_ document: BSONDocument, isArray: Bool) throws {
        guard levels.count < BSONTranscoder.depthLimit else { throw BSONTranscoder.tooDeep }
        output.writeInteger(isArray ? UInt8(ascii: "[") : UInt8(ascii: "{"))
        levels.append(Level(reader: BSONReader(document), isArray: isArray))
    }

    private mutating func write(_ value: JavaScriptValue) throws {
        switch value {
        case .undefined, .null: output.writeStaticString("null")
        case .bool(let value): output.writeStaticString(value ? "true" : "false")
        // JSON has no other numbers, and no -0 either.
        case .number(let value) where value.isFinite: output.writeJSONNumber(value == 0 ? 0 : value)
        case .number: output.writeStaticString("null")
        case .string(let text): output.writeJSONString(text)
        case .date(let milliseconds):
            if let text = JSONDate.string(milliseconds: milliseconds) {
                output.writeJSONString(text)
            } else {
                output.writeStaticString("null")
            }
        case .binary(let bytes):
            output.writeStaticString("{\"_placeholder\":true,\"num\":")
            output.writeJSONInteger(Int64(attachments.count))
            output.writeInteger(UInt8(ascii: "}"))
            attachments.append(bytes)
        case .document(let document): try begin(document, isArray: false)
        case .array(let array): try begin(array, isArray: true)
        }
    }
}

/// Writes BSON values as MessagePack.
private struct BSONToMessagePack {
    private struct Level {
        var reader: BSONReader
        var isArray: Bool
    }

    var output = MessagePackWriter()
    private var levels: [Level] = []

    mutating func write(_ document: BSONDocument, isArray: Bool) throws {
        try begin(document, isArray: isArray)
        while let last = levels.indices.last {
            guard let element = try levels[last].reader.next() else {
                levels.removeLast()
                continue
            }
            let value = try JavaScriptValue(element)
            if !levels[last].isArray {
                if case .undefined = value { continue }
                try output.write(element.key)
            }
            try write(value)
        }
    }

    /// The header holds the number of values, so they are counted first, without reading their contents.
    private mutating func begin(_ document: BSONDocument, isArray: Bool) throws {
        guard levels.count < BSONTranscoder.messagePackDepthLimit else { throw BSONTranscoder.tooDeep }
        var counter = BSONReader(document)
        var count = 0
        while let element = try counter.next() {
            if isArray || element.type != .undefined { count += 1 }
        }
        if isArray { try output.writeArrayHeader(count: count) } else { try output.writeMapHeader(count: count) }
        levels.append(Level(reader: BSONReader(document), isArray: isArray))
    }

    private mutating func write(_ value: JavaScriptValue) throws {
        switch value {
        case .undefined, .null: output.writeNil()
        case .bool(let value): output.write(value)
        case .number(let value):
            if let integer = Int64(exactly: value), value != 0 || value.sign == .plus { output.write(integer) } else { output.write(value) }
        case .string(let text): try output.write(text)
        case .date(let milliseconds): output.write(MessagePackTimestamp(millisecondsSince1970: milliseconds))
        case .binary(let bytes): try output.write(binary: bytes)
        case .document(let document): try begin(document, isArray: false)
        case .array(let array): try begin(array, isArray: true)
        }
    }
}
#endif
