import NIOCore

/// A JSON text that has been walked over: one entry per value and key, in the order of the text, so that every value is found and every
/// container is stepped over without looking at the bytes again.
final class JSONTape {
    /// For a string: where its opening quote is, and the bytes between the quotes. For a number or literal: its bytes. For a container:
    /// where it begins, and the index of the entry after its last one.
    struct Entry {
        var start: UInt32
        var extent: UInt32

        /// Set in `extent` for a string with escapes, and for a number with a fraction or exponent.
        static let flag: UInt32 = 1 << 31

        var isFlagged: Bool { self.extent & Self.flag != 0 }
        var count: Int { Int(self.extent & ~Self.flag) }
    }

    let buffer: ByteBuffer
    let entries: [Entry]
    let attachments: [ByteBuffer]

    init(_ buffer: ByteBuffer, attachments: [ByteBuffer], maximumDepth: Int) throws(JSONSyntaxError) {
        guard buffer.readableBytes <= UInt32.max >> 1 else { throw JSONSyntaxError(.tooLarge, at: 0) }
        var builder = Builder()
        // An estimate for small texts; larger ones grow as they are walked.
        builder.entries.reserveCapacity(min(buffer.readableBytes / 8, 32) + 1)
        try buffer.withUnsafeReadableBytes { bytes in
            Result { () throws(JSONSyntaxError) in
                var walker = JSONWalker(bytes)
                try walker.document(&builder, maximumDepth: maximumDepth)
            }
        }.get()
        self.buffer = buffer
        self.entries = builder.entries
        self.attachments = attachments
    }

    private struct Builder: JSONVisitor {
        var entries: [Entry] = []
        private var open: InlineArray<64, UInt32> = .init(repeating: 0)

        mutating func begin(at offset: Int, isObject: Bool, depth: Int) {
            self.open[depth] = UInt32(truncatingIfNeeded: self.entries.count)
            self.entries.append(Entry(start: UInt32(truncatingIfNeeded: offset), extent: 0))
        }

        mutating func end(at offset: Int, depth: Int) {
            self.entries[Int(self.open[depth])].extent = UInt32(truncatingIfNeeded: self.entries.count)
        }

        mutating func string(_ range: Range<Int>, escaped: Bool, depth: Int) {
            self.add(range.lowerBound, range.count - 2, flag: escaped)
        }

        mutating func number(_ range: Range<Int>, isInteger: Bool, depth: Int) {
            self.add(range.lowerBound, range.count, flag: !isInteger)
        }

        mutating func literal(_ range: Range<Int>, depth: Int) {
            self.add(range.lowerBound, range.count, flag: false)
        }

        mutating func key(_ range: Range<Int>, escaped: Bool) {
            self.add(range.lowerBound, range.count - 2, flag: escaped)
        }

        private mutating func add(_ start: Int, _ count: Int, flag: Bool) {
            let extent = UInt32(truncatingIfNeeded: count) | (flag ? Entry.flag : 0)
            self.entries.append(Entry(start: UInt32(truncatingIfNeeded: start), extent: extent))
        }
    }
}

extension JSONTape {
    enum Kind {
        case object, array, string, number, bool, null
    }

    func kind(at index: Int) -> Kind {
        switch self.buffer.getInteger(at: self.buffer.readerIndex + Int(self.entries[index].start), as: UInt8.self) {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
        case UInt8(ascii: "n"): .null
        default: .number
        }
    }

    func isNull(at index: Int) -> Bool { self.kind(at: index) == .null }

    /// The index of the entry after the value at `index`.
    func next(after index: Int) -> Int {
        switch self.kind(at: index) {
        case .object, .array: self.entries[index].count
        default: index + 1
        }
    }

    /// Gives the bytes of a number or literal, or those between the quotes of a string.
    @inline(__always)
    func withBytes<R>(at index: Int, isString: Bool, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        let entry = self.entries[index]
        let start = Int(entry.start) + (isString ? 1 : 0)
        return try self.buffer.withUnsafeReadableBytes { bytes in
            try body(UnsafeRawBufferPointer(rebasing: bytes[start..<(start + entry.count)]))
        }
    }

    /// A string; nil if the value is none.
    func string(at index: Int) -> String? {
        guard self.kind(at: index) == .string else { return nil }
        return self.key(at: index)
    }

    /// A key, or a value that is known to be a string.
    func key(at index: Int) -> String {
        let escaped = self.entries[index].isFlagged
        return self.withBytes(at: index, isString: true) { JSONText.string($0, escaped: escaped) }
    }

    func bool(at index: Int) -> Bool? {
        guard self.kind(at: index) == .bool else { return nil }
        return self.entries[index].count == 4
    }

    /// The index of the value of the last member with a key; nil if there is none.
    func find(_ name: String, in object: Int) -> Int? {
        var name = name
        return name.withUTF8 { self.find(UnsafeRawBufferPointer($0), in: object) }
    }

    private func find(_ name: UnsafeRawBufferPointer, in object: Int) -> Int? {
        let end = self.entries[object].count
        var position = object + 1
        var found: Int?
        self.buffer.withUnsafeReadableBytes { bytes in
            while position < end {
                if self.isKey(self.entries[position], position, name, bytes) { found = position + 1 }
                position = self.next(after: position + 1)
            }
        }
        return found
    }

    @inline(__always)
    private func isKey(_ entry: Entry, _ position: Int, _ name: UnsafeRawBufferPointer, _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard !entry.isFlagged else { return self.key(at: position).utf8.elementsEqual(name) }
        guard entry.count == name.count else { return false }
        let start = Int(entry.start) + 1
        return name.elementsEqual(UnsafeRawBufferPointer(rebasing: bytes[start..<(start + entry.count)]))
    }

    /// Where each key's value is, the last one of equal keys; for objects that are too large to search.
    func keyIndex(of object: Int) -> [String: Int] {
        var index: [String: Int] = [:]
        var position = object + 1
        while position < self.entries[object].count {
            index[self.key(at: position)] = position + 1
            position = self.next(after: position + 1)
        }
        return index
    }

    /// Whether an object has more members than `limit`.
    func hasMoreMembers(than limit: Int, in object: Int) -> Bool {
        let end = self.entries[object].count
        guard end - object - 1 > limit * 2 else { return false }
        var position = object + 1
        var count = 0
        while position < end, count <= limit {
            position = self.next(after: position + 1)
            count += 1
        }
        return count > limit
    }

    /// How many elements an array has.
    func elementCount(of array: Int) -> Int {
        let end = self.entries[array].count
        var position = array + 1
        var count = 0
        while position < end {
            position = self.next(after: position)
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
    init?(intValue: Int) { self.index = intValue }
    init?(stringValue: String) { nil }

    var intValue: Int? { self.index }
    var stringValue: String { "Index \(self.index)" }
}

/// The key of `superEncoder()` and `superDecoder()`.
enum JSONSuperKey: String, CodingKey {
    case `super`
}
