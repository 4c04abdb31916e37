// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOText

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Why a value is not of the type that is wanted, before its path is known.
struct JSONValueFault: Error {
    enum Reason {
        case mismatch(wanted: StaticString, found: JSONTape.Kind)
        case corrupted(String)
    }

    var type: any Any.Type
    var reason: Reason

    func decodingError(at path: JSONPath?) -> DecodingError {
        switch reason {
        case .mismatch(let wanted, let found):
            let context = DecodingError.Context(codingPath: path.keys, debugDescription: "expected \(wanted), found \(found)")
            return found == .null ? .valueNotFound(type, context) : .typeMismatch(type, context)
        case .corrupted(let text):
            return .dataCorrupted(DecodingError.Context(codingPath: path.keys, debugDescription: text))
        }
    }
}

/// Gives a value the name of its own type, which the caller has compared. Unlike `as?` this costs nothing where generic code is not
/// specialised.
@inline(__always)
func unchanged<A, B>(_ value: A, as type: B.Type) -> B {
    assert(A.self == B.self)
    return unsafeBitCast(value, to: type)
}

// The types that are read without a `Decoder`.
extension JSONTape {
    func string(at index: Int) throws(JSONValueFault) -> String {
        let entry = entries[index]
        guard entry.kind == .string else { throw mismatch(String.self, "a string", index) }
        let text = withBytes(of: entry) { JSONText.string($0, escaped: entry.isFlagged) }
        guard !CombiningMarks.exceedLimit(in: text) else {
            throw JSONValueFault(type: String.self, reason: .corrupted("the string has \(CombiningMarks.complaint)"))
        }
        return text
    }

    func bool(at index: Int) throws(JSONValueFault) -> Bool {
        let entry = entries[index]
        guard entry.kind == .bool else { throw mismatch(Bool.self, "a boolean", index) }
        return entry.count == 4
    }

    func double(at index: Int) throws(JSONValueFault) -> Double {
        try number(at: index) { JSONNumber.double($0) }
    }

    @inline(__always)
    func integer<I: FixedWidthInteger>(at index: Int, as type: I.Type = I.self) throws(JSONValueFault) -> I {
        try number(at: index) { JSONNumber.integer($0, as: type) }
    }

    @inline(__always)
    func number<N>(at index: Int, _ convert: (UnsafeRawBufferPointer) -> N?) throws(JSONValueFault) -> N {
        let entry = entries[index]
        guard entry.kind == .number else { throw mismatch(N.self, "a number", index) }
        guard let value = withBytes(of: entry, convert) else {
            throw JSONValueFault(type: N.self, reason: .corrupted("the number does not fit \(N.self)"))
        }
        return value
    }

    func date(at index: Int) throws(JSONValueFault) -> Date {
        if kind(at: index) == .number {
            guard let date = JSONDate.date(milliseconds: try double(at: index)) else {
                throw JSONValueFault(type: Date.self, reason: .corrupted("the number is not a date"))
            }
            return date
        }
        guard let date = JSONDate.date(try string(at: index)) else {
            let text = "the string is not a date in the format YYYY-MM-DDTHH:mm:ss.sssZ"
            throw JSONValueFault(type: Date.self, reason: .corrupted(text))
        }
        return date
    }

    func url(at index: Int) throws(JSONValueFault) -> URL {
        guard let url = URL(string: try string(at: index)) else {
            throw JSONValueFault(type: URL.self, reason: .corrupted("the string is not a URL"))
        }
        return url
    }

    /// The attachment that a placeholder stands for.
    func attachment(at index: Int, for type: any Any.Type) throws(JSONValueFault) -> ByteBuffer {
        guard isPlaceholder(at: index) else { throw mismatch(type, "binary", index) }
        guard let number = attachmentNumber(at: index) else {
            let text = "the placeholder names none of the \(attachments.count) attachments"
            throw JSONValueFault(type: type, reason: .corrupted(text))
        }
        return attachments[number]
    }

    private func attachmentNumber(at index: Int) -> Int? {
        guard let position = find("num", in: index), let number = try? integer(at: position, as: Int.self),
            attachments.indices.contains(number)
        else { return nil }
        return number
    }

    /// Whether every placeholder stands for an attachment of its own, as encoders write them. One attachment that is named ten thousand
    /// times would be ten thousand when it is copied, or sent on.
    var hasSoundPlaceholders: Bool {
        var isNamed = [Bool](repeating: false, count: attachments.count)
        for index in entries.indices where isPlaceholder(at: index) {
            guard let number = attachmentNumber(at: index), !isNamed[number] else { return false }
            isNamed[number] = true
        }
        return true
    }

    /// Without attachments an object is never more than what it looks like.
    private func isPlaceholder(at index: Int) -> Bool {
        guard !attachments.isEmpty, kind(at: index) == .object, let mark = find("_placeholder", in: index) else { return false }
        return (try? bool(at: mark)) == true
    }

    /// Any value. Recursion is bounded by the depth of the tape.
    func value(at index: Int) throws(JSONValueFault) -> SocketIOValue {
        switch kind(at: index) {
        case .null: return .null
        case .bool: return .bool(try bool(at: index))
        case .number:
            let entry = entries[index]
            if !entry.isFlagged {
                if let integer = withBytes(of: entry, { JSONNumber.integer($0, as: Int64.self) }) { return .int(integer) }
                if let integer = withBytes(of: entry, { JSONNumber.integer($0, as: UInt64.self) }) { return .uint(integer) }
            }
            return SocketIOValue(number: try double(at: index))
        case .string: return .string(try string(at: index))
        case .array: return .array(try elements(of: index) { (tape, position) throws(JSONValueFault) in try tape.value(at: position) })
        case .object:
            if isPlaceholder(at: index) { return .binary(try attachment(at: index, for: SocketIOValue.self)) }
            return .object(try namedMembers(of: index) { (tape, position) throws(JSONValueFault) in try tape.value(at: position) })
        }
    }

    @inline(__always)
    func elements<E, F: Error>(of array: Int, _ element: (JSONTape, Int) throws(F) -> E) throws(F) -> [E] {
        let end = entries[array].count
        var elements: [E] = []
        var position = array + 1
        while position < end {
            elements.append(try element(self, position))
            position = next(after: position)
        }
        return elements
    }

    /// The members of an object; of equal keys the last one counts.
    @inline(__always)
    func members<E>(of object: Int, _ member: (JSONTape, Int) throws -> E) throws -> [String: E] {
        if let problem = keyProblem(of: object) { throw JSONValueFault(type: [String: E].self, reason: .corrupted(problem.message)) }
        let end = entries[object].count
        var members: [String: E] = [:]
        var position = object + 1
        while position < end {
            members[key(at: position)] = try member(self, position + 1)
            position = next(after: position + 1)
        }
        return members
    }

    /// The same where keys are compared by their bytes, so that none is refused but for its marks.
    private func namedMembers(
        of object: Int,
        _ member: (JSONTape, Int) throws(JSONValueFault) -> SocketIOValue
    ) throws(JSONValueFault) -> NameMap<SocketIOValue> {
        let end = entries[object].count
        var members = NameMap<SocketIOValue>()
        var position = object + 1
        while position < end {
            let key = self.key(at: position)
            guard !CombiningMarks.exceedLimit(in: key) else {
                throw JSONValueFault(type: SocketIOValue.self, reason: .corrupted(KeyCheck.Problem.combiningMarks.message))
            }
            members[key] = try member(self, position + 1)
            position = next(after: position + 1)
        }
        return members
    }

    func mismatch(_ type: any Any.Type, _ wanted: StaticString, _ index: Int) -> JSONValueFault {
        JSONValueFault(type: type, reason: .mismatch(wanted: wanted, found: kind(at: index)))
    }
}
