import NIOCore

/// Where an encoder and its containers write.
///
/// Values are nested by call: whatever `encode(to:)` of an element writes lies between two calls, so it goes to the same buffer, and a
/// stack of slots is all the state. Containers that a caller opens by hand (`nestedContainer`, `superEncoder`) may be filled in any order;
/// each gets a sink of its own, spliced in at the end. All sinks of one argument share its list of attachments.
final class JSONSink {
    static let tooDeep = "nested deeper than \(JSONWalker.deepestNesting) arrays and objects"

    enum Kind {
        case empty, single, array, object
    }

    /// A value that is being encoded.
    struct Slot {
        var kind = Kind.empty
        var count = 0
        /// The key or index whose value is being encoded.
        var key: (any CodingKey)?
    }

    var slots = [Slot()]
    private var writer: JSONWriter
    /// The sink that has the attachments; nil in itself.
    private let root: JSONSink?
    private var splices: [(offset: Int, sink: JSONSink)] = []
    /// What a call that cannot throw would have thrown.
    private var failure: (any Error)?
    private let basePath: [any CodingKey]
    private let baseDepth: Int
    private var openContainers = 0

    init(root writer: JSONWriter) {
        self.writer = writer
        self.root = nil
        self.basePath = []
        self.baseDepth = 0
    }

    private init(child root: JSONSink, basePath: [any CodingKey], baseDepth: Int) {
        self.writer = JSONWriter()
        self.root = root
        self.basePath = basePath
        self.baseDepth = baseDepth
    }

    /// A sink for what a caller writes after a mistake.
    static func discarding() -> JSONSink { JSONSink(root: JSONWriter()) }

    func path(to level: Int) -> [any CodingKey] {
        self.basePath + self.slots[..<min(level, self.slots.count)].compactMap(\.key)
    }

    func takeWriter() -> JSONWriter {
        let writer = self.writer
        self.writer = JSONWriter()
        return writer
    }

    // MARK: Values

    func encodeRoot(_ value: some Encodable) throws {
        try value.encode(to: JSONSinkEncoder(sink: self, level: 0))
        if self.slots[0].kind == .empty, self.failure == nil {
            throw EncodingError.invalidValue(value, .init(codingPath: [], debugDescription: "\(type(of: value)) encoded no value"))
        }
        try self.finish()
    }

    /// Encodes one element of the container at `level`; `key` is nil in arrays and single value containers.
    @inline(__always)
    func encode<T: Encodable>(_ value: T, key: (some CodingKey)?, in level: Int) throws {
        let mark = Mark(buffer: self.writer.buffer.writerIndex, attachments: self.attachmentCount, splices: self.splices.count)
        try self.beginElement(value, key: key, in: level)
        do {
            if try self.writeDirect(value, key: key, in: level) { return }
            try self.encodeNested(value, key: key, in: level)
        } catch {
            self.rollBack(to: mark, in: level)
            throw error
        }
    }

    /// Strings and integers cannot fail: no mark is needed.
    @inline(__always)
    func write(_ value: String, key: (some CodingKey)?, in level: Int) throws {
        try self.beginElement(value, key: key, in: level)
        self.writer.buffer.writeJSONString(value)
    }

    @inline(__always)
    func write(_ value: Int, key: (some CodingKey)?, in level: Int) throws {
        try self.beginElement(value, key: key, in: level)
        self.writer.buffer.writeJSONInteger(Int64(value))
    }

    @inline(__always)
    func write(_ value: Bool, key: (some CodingKey)?, in level: Int) throws {
        try self.beginElement(value, key: key, in: level)
        self.writer.buffer.writeStaticString(value ? "true" : "false")
    }

    func encodeNil(key: (some CodingKey)?, in level: Int) throws {
        try self.beginElement(Int?.none as Any, key: key, in: level)
        self.writer.buffer.writeStaticString("null")
    }

    @inline(__always)
    private func writeDirect<T: Encodable>(_ value: T, key: (any CodingKey)?, in level: Int) throws -> Bool {
        guard let root = self.root else {
            return try self.writer.writeDirect(value) { self.path(to: level) + self.elementKey(key, in: level) }
        }
        swap(&self.writer.attachments, &root.writer.attachments)
        defer { swap(&self.writer.attachments, &root.writer.attachments) }
        return try self.writer.writeDirect(value) { self.path(to: level) + self.elementKey(key, in: level) }
    }

    private var attachmentCount: Int { (self.root ?? self).writer.attachments.count }

    private func encodeNested(_ value: some Encodable, key: (any CodingKey)?, in level: Int) throws {
        self.slots[level].key = self.elementKey(key, in: level).first
        self.slots.append(Slot())
        try value.encode(to: JSONSinkEncoder(sink: self, level: level + 1))
        try self.throwFailure()
        self.closeTop()
        self.slots[level].key = nil
    }

    /// The key of the element that was begun last: none in a single value container.
    private func elementKey(_ key: (any CodingKey)?, in level: Int) -> [any CodingKey] {
        if let key { return [key] }
        return self.slots[level].kind == .array ? [JSONIndexKey(self.slots[level].count - 1)] : []
    }

    @inline(__always)
    private func beginElement(_ value: @autoclosure () -> Any, key: (some CodingKey)?, in level: Int) throws {
        guard level == self.slots.count - 1 else {
            throw self.misuse(value(), "a container is written to while one of its elements is being encoded", level)
        }
        let count = self.slots[level].count
        switch self.slots[level].kind {
        case .empty: self.slots[level].kind = .single
        case .single:
            guard count == 0 else { throw self.misuse(value(), "a second value is written to a single value container", level) }
        case .array, .object:
            if count > 0 { self.writer.buffer.writeInteger(UInt8(ascii: ",")) }
        }
        self.slots[level].count = count + 1
        guard let key else { return }
        self.writer.buffer.writeJSONString(key.stringValue)
        self.writer.buffer.writeInteger(UInt8(ascii: ":"))
    }

    // MARK: Containers

    /// Opens the slot at `level` as a container, or goes on with it if it is open. Returns false, and remembers why, if it cannot be.
    func open(_ kind: Kind, at level: Int) -> Bool {
        if level < self.slots.count, self.slots[level].kind == kind { return true }
        guard level == self.slots.count - 1, self.slots[level].kind == .empty else {
            self.failure = self.misuse(Int?.none as Any, "an encoder is asked for containers of two kinds", level)
            return false
        }
        guard self.baseDepth + self.openContainers < JSONWalker.deepestNesting else {
            self.failure = self.misuse(Int?.none as Any, Self.tooDeep, level)
            return false
        }
        self.openContainers += 1
        self.slots[level].kind = kind
        self.writer.buffer.writeInteger(kind == .array ? UInt8(ascii: "[") : UInt8(ascii: "{"))
        return true
    }

    /// A sink for an element that the caller fills whenever it likes.
    func splice(key: (some CodingKey)?, in level: Int) -> JSONSink {
        let pathKey: any CodingKey = key ?? JSONIndexKey(level < self.slots.count ? self.slots[level].count : 0)
        let path = self.path(to: level) + [pathKey]
        let child = JSONSink(child: self.root ?? self, basePath: path, baseDepth: self.baseDepth + self.openContainers)
        do {
            try self.beginElement(Int?.none as Any, key: key, in: level)
            self.splices.append((self.writer.buffer.writerIndex, child))
        } catch {
            self.failure = error
        }
        return child
    }

    // MARK: Ends

    private func closeTop() {
        guard let slot = self.slots.popLast() else { return }
        switch slot.kind {
        case .single: break
        case .empty: self.writer.buffer.writeStaticString("{}")
        case .array:
            self.openContainers -= 1
            self.writer.buffer.writeInteger(UInt8(ascii: "]"))
        case .object:
            self.openContainers -= 1
            self.writer.buffer.writeInteger(UInt8(ascii: "}"))
        }
    }

    /// Closes what is open and puts the sinks of hand-opened containers into their places.
    private func finish() throws {
        try self.throwFailure()
        while !self.slots.isEmpty { self.closeTop() }
        guard !self.splices.isEmpty else { return }
        var source = self.writer.buffer
        let begin = source.readerIndex
        source.moveReaderIndex(to: 0)
        var result = ByteBuffer()
        result.reserveCapacity(source.writerIndex)
        for (offset, child) in self.splices {
            try child.finish()
            if let slice = source.readSlice(length: offset - source.readerIndex) { result.writeImmutableBuffer(slice) }
            result.writeImmutableBuffer(child.writer.buffer)
        }
        result.writeImmutableBuffer(source)
        result.moveReaderIndex(to: begin)
        self.writer.buffer = result
    }

    private struct Mark {
        var buffer: Int
        var attachments: Int
        var splices: Int
    }

    /// Forgets an element whose encoding threw; the caller may catch that and go on.
    private func rollBack(to mark: Mark, in level: Int) {
        for slot in self.slots[(level + 1)...] where slot.kind == .array || slot.kind == .object { self.openContainers -= 1 }
        self.slots.removeSubrange((level + 1)...)
        self.slots[level].count -= 1
        if self.slots[level].kind == .single { self.slots[level].kind = .empty }
        self.slots[level].key = nil
        self.splices.removeSubrange(mark.splices...)
        self.writer.buffer.moveWriterIndex(to: mark.buffer)
        (self.root ?? self).writer.attachments.removeSubrange(mark.attachments...)
    }

    private func throwFailure() throws {
        guard let failure = self.failure else { return }
        self.failure = nil
        throw failure
    }

    private func misuse(_ value: Any, _ text: String, _ level: Int) -> EncodingError {
        EncodingError.invalidValue(value, EncodingError.Context(codingPath: self.path(to: level), debugDescription: text))
    }
}
