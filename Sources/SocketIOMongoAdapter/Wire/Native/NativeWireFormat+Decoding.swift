// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
package import SocketIOCluster
import SocketIOMessagePack
package import SocketIOMongoClient
import NIOCore
import SocketIOCore
import SocketIOText

extension NativeWireFormat {
    /// Why a document is not a message.
    private struct Refusal: Error {
        let reason: String
    }

    /// Why a document is not trusted.
    private struct Distrust: Error {
        let reason: String
    }

    /// More ranges of void numbers than a sender ever lists.
    private static let voidLimit = 256

    package func decode(_ document: BSONDocument, for node: NodeID, into items: inout [DriverItem]) {
        do {
            let fields = try Fields(document)
            guard fields.version == Self.version else {
                let version = fields.version.map { "\($0)" } ?? "none"
                throw Refusal(reason: "the version of the format is \(version), not \(Self.version)")
            }
            switch fields.kind {
            case Self.markerKind: break
            case Self.bundleKind: items += try messages(fields, for: node)
            default: items.append(try message(fields, for: node))
            }
        } catch let distrust as Distrust {
            items.append(.untrusted(distrust.reason))
        } catch let refusal as Refusal {
            items.append(.skipped(refusal.reason))
        } catch {
            items.append(.skipped("the document is malformed: \(error)"))
        }
    }

    private func message(_ fields: Fields, for node: NodeID) throws -> DriverItem {
        let header = try Self.header(fields)
        // A node's own documents only show that they have returned.
        if header.origin.id == node { return .own(header.id, origin: header.origin) }
        guard let data = fields.data else { throw Refusal(reason: "the payload is missing") }
        try check(header, fields, data)
        return .message(header, Self.payload(data))
    }

    private func check(_ header: ClusterHeader, _ fields: Fields, _ data: ByteBuffer, ids: ByteBuffer? = nil) throws {
        guard let signer else { return }
        let kind = fields.kind ?? 0
        let content = SignedContent(header, kind: kind, version: Self.version, cluster: cluster, ids: ids, data: data)
        guard let reason = signer.refusal(of: header.id, content, signature: fields.signature) else { return }
        throw Distrust(reason: "\(header.id) in the name of \(header.origin): \(reason)")
    }

    /// A copy: a slice would keep the whole batch alive for as long as one packet of it is remembered.
    private static func payload(_ bytes: ByteBuffer) -> ClusterPayload { .encoded(ByteBuffer(bytes: bytes.readableBytesView)) }

    /// The messages of a document that holds several; all or none.
    private func messages(_ fields: Fields, for node: NodeID) throws -> [DriverItem] {
        guard let id = fields.id, let ids = fields.ids, ids.readableBytes > 0, ids.readableBytes.isMultiple(of: 12) else {
            throw Refusal(reason: "the ids of the messages are missing")
        }
        guard ids.readableBytes <= 12 * Self.bundleMessages else {
            throw Refusal(reason: "there are more messages than a document may have")
        }
        let origin = try Self.origin(fields)
        let places = stride(from: ids.readerIndex, to: ids.writerIndex, by: 12)
        if origin.id == node { return places.compactMap { MessageID(ids, at: $0).map { .own($0, origin: origin) } } }
        guard let data = fields.data, let lane = fields.lane.flatMap(UInt8.init(exactly:)) else {
            throw Refusal(reason: "the payload or the lane is missing")
        }
        let common = ClusterHeader(
            id: MessageID(id),
            kind: .broadcast,
            namespace: "",
            origin: origin,
            target: fields.target,
            stamp: NumberStamp(lane: lane, number: 1)
        )
        try Self.checkSize(common)
        try check(common, fields, data, ids: ids)
        var reader = MessagePackReader(data)
        var items: [DriverItem] = []
        for place in places {
            guard let id = MessageID(ids, at: place) else { break }
            items.append(try Self.message(&reader, id, origin, fields.target, lane))
        }
        try reader.expectEnd()
        return items
    }

    private static func message(
        _ reader: inout MessagePackReader,
        _ id: MessageID,
        _ origin: NodeIdentity,
        _ target: NodeID?,
        _ lane: UInt8
    ) throws -> DriverItem {
        guard try reader.readArrayHeader() == 6, let kind = ClusterMessageKind(rawValue: try reader.readInteger()), !kind.isMembership
        else {
            throw Refusal(reason: "one of several messages is of a kind that cannot be there")
        }
        let namespace = try reader.readString()
        let request = reader.readNil() ? nil : ClusterRequestID(try reader.readBinary())
        let number = try reader.readInteger(as: UInt64.self)
        guard number > 0, number <= Int64.max else { throw Refusal(reason: "the number is missing") }
        let stamp = NumberStamp(lane: lane, number: number, void: try ranges(&reader))
        let header = ClusterHeader(
            id: id,
            kind: kind,
            namespace: namespace,
            origin: origin,
            target: target,
            request: request,
            stamp: stamp
        )
        try checkSize(header)
        return .message(header, payload(try reader.readBinary()))
    }

    private static func ranges(_ reader: inout MessagePackReader) throws -> [ClosedRange<UInt64>] {
        let count = try reader.readArrayHeader()
        guard count.isMultiple(of: 2), count <= 2 * voidLimit else { throw Refusal(reason: "the void numbers are not ranges") }
        return try (0..<count / 2).map { _ in
            let (low, high) = (try reader.readInteger(as: UInt64.self), try reader.readInteger(as: UInt64.self))
            guard low > 0, low <= high, high <= Int64.max else { throw Refusal(reason: "the void numbers are not ranges") }
            return low...high
        }
    }

    private static func origin(_ fields: Fields) throws -> NodeIdentity {
        // An epoch of 0 would make it a node of another kind.
        guard !fields.hasWrongType, let origin = fields.origin, !origin.isEmpty, let epoch = fields.epoch, epoch != 0 else {
            throw Refusal(reason: "the origin is missing, or a field of the header has a wrong type")
        }
        return NodeIdentity(id: origin, epoch: UInt64(bitPattern: epoch))
    }

    private static func header(_ fields: Fields) throws -> ClusterHeader {
        guard let id = fields.id else { throw Refusal(reason: "the _id is not an ObjectId") }
        guard let raw = fields.kind, let kind = UInt8(exactly: raw).flatMap(ClusterMessageKind.init(rawValue:)) else {
            throw Refusal(reason: "the kind \(fields.kind.map { "\($0)" } ?? "none") is not known")
        }
        guard let namespace = fields.namespace else { throw Refusal(reason: "the namespace is missing") }
        let header = ClusterHeader(
            id: MessageID(id),
            kind: kind,
            namespace: namespace,
            origin: try origin(fields),
            target: fields.target,
            request: fields.request,
            stamp: try stamp(fields, isNeeded: !kind.isMembership)
        )
        try checkSize(header)
        return header
    }

    /// Before anything in it is compared, signed or kept.
    private static func checkSize(_ header: ClusterHeader) throws {
        if let excess = header.excess { throw Refusal(reason: excess) }
    }

    private static func stamp(_ fields: Fields, isNeeded: Bool) throws -> NumberStamp? {
        guard isNeeded else { return nil }
        guard let lane = fields.lane.flatMap(UInt8.init(exactly:)), let number = fields.number, number > 0 else {
            throw Refusal(reason: "the number is missing")
        }
        var stamp = NumberStamp(lane: lane, number: UInt64(bitPattern: number))
        if let void = fields.void { stamp.void = try ranges(void) }
        return stamp
    }

    private static func ranges(_ array: BSONDocument) throws -> [ClosedRange<UInt64>] {
        var ranges: [ClosedRange<UInt64>] = []
        var reader = BSONReader(array)
        while let first = try reader.next() {
            guard ranges.count < voidLimit, let low = first.int64, let high = try reader.next()?.int64, low > 0, low <= high else {
                throw Refusal(reason: "the void numbers are not ranges")
            }
            ranges.append(UInt64(bitPattern: low)...UInt64(bitPattern: high))
        }
        return ranges
    }
}

/// The fields of a document as they are, each nil if it is missing or of another type.
private struct Fields {
    var id: ObjectID?
    var version: Int32?
    var kind: Int32?
    var namespace: String?
    var origin: String?
    var epoch: Int64?
    var target: NodeID?
    var request: ClusterRequestID?
    var lane: Int32?
    var number: Int64?
    var void: BSONDocument?
    var data: ByteBuffer?
    var ids: ByteBuffer?
    var signature: ByteBuffer?
    /// Whether a field that may be missing is there and wrong.
    var hasWrongType = false

    init(_ document: BSONDocument) throws {
        var reader = BSONReader(document)
        while let element = try reader.next() { read(element) }
    }

    private mutating func read(_ element: BSONElement) {
        switch element.key {
        case "_id": id = element.objectID
        case "v": version = element.int32
        case "kind": kind = element.int32
        case "nsp": namespace = element.string
        case "origin": origin = element.string
        case "epoch": epoch = element.int64
        case "target":
            target = element.string
            if target == nil, !element.isNull { hasWrongType = true }
        case "request":
            request = element.binary.flatMap { ClusterRequestID($0.bytes) }
            if request == nil { hasWrongType = true }
        case "lane": lane = element.int32
        case "number": number = element.int64
        case "void":
            void = element.array
            if void == nil { hasWrongType = true }
        case "data": data = element.binary?.bytes
        case "ids": ids = element.binary?.bytes
        case "sig":
            signature = element.binary?.bytes
            if signature == nil { hasWrongType = true }
        default: break
        }
    }
}

extension ClusterRequestID {
    fileprivate init?(_ bytes: ByteBuffer) {
        guard bytes.readableBytes == 16, let high = bytes.getInteger(at: bytes.readerIndex, as: UInt64.self),
            let low = bytes.getInteger(at: bytes.readerIndex + 8, as: UInt64.self)
        else { return nil }
        self.init(high: high, low: low)
    }
}
#endif
