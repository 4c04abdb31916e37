// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOText

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A JSON text that has been walked over: one entry per value and key, in the order of the text, so that every value is found and every
/// container is stepped over without looking at the bytes again.
final class JSONTape {
    enum Kind: UInt32 {
        case null, bool, number, string, array, object
    }

    /// The largest text, in bytes: what an entry has room for.
    static let maximumLength = 1 << 28

    /// For a string: where its opening quote is, and the bytes between the quotes. For a number or literal: its bytes. For a container:
    /// where it begins, and the index of the entry after its last one.
    struct Entry {
        var start: UInt32
        /// The kind in 3 bits, the flag in one, the count in 28.
        private var packed: UInt32

        init(_ kind: Kind, start: Int, count: Int, flag: Bool = false) {
            self.start = UInt32(truncatingIfNeeded: start)
            packed = kind.rawValue << 29 | (flag ? 1 << 28 : 0) | UInt32(truncatingIfNeeded: count)
        }

        var kind: Kind { Kind(rawValue: packed >> 29) ?? .null }

        /// Set for a string with escapes, and for a number with a fraction or exponent.
        var isFlagged: Bool { packed & 1 << 28 != 0 }

        var count: Int {
            get { Int(packed & 0x0fff_ffff) }
            set { packed = packed & 0xf000_0000 | UInt32(truncatingIfNeeded: newValue) }
        }
    }

    let entries: [Entry]
    let attachments: [ByteBuffer]
    /// Whether a key is not pure ASCII: only then can Swift's strings take two keys as one.
    private let hasUnusualKeys: Bool
    /// How many bytes more the keys that are not ASCII may have, where they become strings.
    private var keyBytesLeft = KeyCheck.byteLimit
    /// The object whose keys were looked at last, since a type may ask for them again.
    private var checked: (object: Int, problem: KeyCheck.Problem?)?
    /// Never written to while the storage below is retained: a writer would copy it first.
    fileprivate let bytes: UnsafeRawBufferPointer
    private let storage: Unmanaged<AnyObject>

    /// - Parameter isPayload: Whether the text is the array of a packet, whose elements may be nested as deeply as another text.
    init(_ buffer: ByteBuffer, attachments: [ByteBuffer], maximumDepth: Int, isPayload: Bool = false) throws(JSONSyntaxError) {
        guard buffer.readableBytes < Self.maximumLength else { throw JSONSyntaxError(.tooLarge, at: 0) }
        var builder = Builder()
        // An estimate for small texts; larger ones grow as they are walked.
        builder.entries.reserveCapacity(min(buffer.readableBytes / 8, 32) + 1)
        (bytes, storage) = buffer.withUnsafeReadableBytesWithStorageManagement { ($0, $1.retain()) }
        self.attachments = attachments
        do {
            var walker = JSONWalker(bytes)
            if isPayload {
                try walker.array(&builder, maximumDepth: maximumDepth)
            } else {
                try walker.document(&builder, maximumDepth: maximumDepth)
            }
            entries = builder.entries
            hasUnusualKeys = walker.hasUnusualKeys
        } catch {
            entries = []
            hasUnusualKeys = false
            throw error
        }
    }

    deinit { storage.release() }

    private struct Builder: JSONVisitor {
        var entries: [Entry] = []
        private var open: InlineArray<65, UInt32> = .init(repeating: 0)

        mutating func begin(at offset: Int, isObject: Bool, depth: Int) {
            open[depth] = UInt32(truncatingIfNeeded: entries.count)
            entries.append(Entry(isObject ? .object : .array, start: offset, count: 0))
        }

        mutating func end(at offset: Int, depth: Int) {
            entries[Int(open[depth])].count = entries.count
        }

        mutating func string(_ range: Range<Int>, escaped: Bool, depth: Int) {
            entries.append(Entry(.string, start: range.lowerBound, count: range.count - 2, flag: escaped))
        }

        mutating func number(_ range: Range<Int>, isInteger: Bool, depth: Int) {
            entries.append(Entry(.number, start: range.lowerBound, count: range.count, flag: !isInteger))
        }

        mutating func literal(_ range: Range<Int>, isNull: Bool, depth: Int) {
            entries.append(Entry(isNull ? .null : .bool, start: range.lowerBound, count: range.count))
        }

        mutating func key(_ range: Range<Int>, escaped: Bool) {
            entries.append(Entry(.string, start: range.lowerBound, count: range.count - 2, flag: escaped))
        }
    }
}

extension JSONTape {
    @inline(__always)
    func kind(at index: Int) -> Kind { entries[index].kind }

    func isNull(at index: Int) -> Bool { kind(at: index) == .null }

    /// The index of the entry after the value at `index`.
    @inline(__always)
    func next(after index: Int) -> Int {
        let entry = entries[index]
        return entry.kind.rawValue >= Kind.array.rawValue ? entry.count : index + 1
    }

    /// Gives the bytes of a number or literal, or those between the quotes of a string.
    @inline(__always)
    func withBytes<R>(of entry: Entry, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        let start = Int(entry.start) + (entry.kind == .string ? 1 : 0)
        return withExtendedLifetime(self) { body(UnsafeRawBufferPointer(rebasing: bytes[start..<(start + entry.count)])) }
    }

    /// A key, or a value that is known to be a string.
    func key(at index: Int) -> String {
        let entry = entries[index]
        return withBytes(of: entry) { JSONText.string($0, escaped: entry.isFlagged) }
    }

    /// The index of the value of the last member with a key; nil if there is none.
    func find(_ name: String, in object: Int) -> Int? {
        var name = name
        return name.withUTF8 { find(UnsafeRawBufferPointer($0), in: object) }
    }

    private func find(_ name: UnsafeRawBufferPointer, in object: Int) -> Int? {
        let end = entries[object].count
        var position = object + 1
        var found: Int?
        while position < end {
            let entry = entries[position]
            if mayHave(entry, name.count), isKey(entry, position, name) { found = position + 1 }
            position = next(after: position + 1)
        }
        return found
    }

    /// Whether a key may have so many bytes once its escapes are resolved, of which the longest has six bytes for one. A long key need not be
    /// written out to see that it is not a short one.
    @inline(__always)
    private func mayHave(_ entry: Entry, _ count: Int) -> Bool {
        entry.count == count || entry.isFlagged && entry.count > count && entry.count / 6 <= count
    }

    private func isKey(_ entry: Entry, _ position: Int, _ name: UnsafeRawBufferPointer) -> Bool {
        if entry.isFlagged { return key(at: position).utf8.elementsEqual(name) }
        guard let base = name.baseAddress else { return true }
        return withBytes(of: entry) { bytes in
            guard let other = bytes.baseAddress else { return true }
            return memcmp(base, other, name.count) == 0
        }
    }

    /// Where each key's value is, the last one of equal keys; for objects that are too large to search.
    func keyIndex(of object: Int) -> [Name: Int] {
        var index: [Name: Int] = [:]
        var position = object + 1
        while position < entries[object].count {
            index[Name(key(at: position))] = position + 1
            position = next(after: position + 1)
        }
        return index
    }

    /// Why the application cannot have the keys of an object as strings; nil if it can.
    func keyProblem(of object: Int) -> KeyCheck.Problem? {
        guard hasUnusualKeys else { return nil }
        if let checked, checked.object == object { return checked.problem }
        let problem = findKeyProblem(of: object)
        checked = (object, problem)
        return problem
    }

    private func findKeyProblem(of object: Int) -> KeyCheck.Problem? {
        var check = KeyCheck()
        var position = object + 1
        while position < entries[object].count {
            if let problem = check.add(key(at: position), bytesLeft: &keyBytesLeft) { return problem }
            position = next(after: position + 1)
        }
        return nil
    }

    /// Whether the keys of an object are too many to be searched, or some of them take too long: each search resolves their escapes anew.
    func needsIndex(_ object: Int) -> Bool {
        let (limit, longest) = (24, 256)
        let end = entries[object].count
        guard hasUnusualKeys || end - object - 1 > limit * 2 else { return false }
        var position = object + 1
        var count = 0
        while position < end, count <= limit {
            let key = entries[position]
            if key.isFlagged, key.count > longest { return true }
            position = next(after: position + 1)
            count += 1
        }
        return count > limit
    }

    /// How many elements an array has.
    func elementCount(of array: Int) -> Int {
        let end = entries[array].count
        var position = array + 1
        var count = 0
        while position < end {
            position = next(after: position)
            count += 1
        }
        return count
    }
}

/// The path to a value that is being decoded, innermost key first.
final class JSONPath {
    let key: any CodingKey
    let parent: JSONPath?

    init(_ key: any CodingKey, in parent: JSONPath?) {
        self.key = key
        self.parent = parent
    }
}

extension Optional where Wrapped == JSONPath {
    var keys: [any CodingKey] {
        var keys: [any CodingKey] = []
        var node = self
        while let current = node {
            keys.append(current.key)
            node = current.parent
        }
        return keys.reversed()
    }
}

/// The key of an element of an array.
struct JSONIndexKey: CodingKey {
    let index: Int

    init(_ index: Int) { self.index = index }
    init?(intValue: Int) { index = intValue }
    init?(stringValue: String) { nil }

    var intValue: Int? { index }
    var stringValue: String { "Index \(index)" }
}

/// The key of `superEncoder()` and `superDecoder()`.
enum JSONSuperKey: String, CodingKey {
    case `super`
}
