#if MongoDB
package import MongoClient
import NIOCore
package import SocketIOCore

extension NativeWireFormat {
    /// Why a document is no message.
    private struct Refusal: Error {
        let reason: String
    }

    /// More ranges of void numbers than a sender ever lists.
    private static let voidLimit = 256

    package func decode(_ document: BSONDocument, for node: NodeID, into items: inout [DriverItem]) {
        if let item = item(of: document, for: node) { items.append(item) }
    }

    /// What a document says; nil if there is nothing in it for anybody.
    package func item(of document: BSONDocument, for node: NodeID) -> DriverItem? {
        do {
            let fields = try Fields(document)
            guard fields.version == Self.version else {
                let version = fields.version.map { "\($0)" } ?? "none"
                return .skipped("the version of the format is \(version), not \(Self.version)")
            }
            if fields.kind == Self.markerKind { return nil }
            let header = try Self.header(fields)
            if header.origin.id == node { return .own(header.id, origin: header.origin) }
            guard let data = fields.data else { throw Refusal(reason: "the payload is missing") }
            // A copy: a slice would keep the whole batch alive for as long as one packet of it is remembered.
            return .message(header, .encoded(ByteBuffer(bytes: data.readableBytesView)))
        } catch let refusal as Refusal {
            return .skipped(refusal.reason)
        } catch {
            return .skipped("the document is malformed: \(error)")
        }
    }

    private static func header(_ fields: Fields) throws -> ClusterHeader {
        guard let id = fields.id else { throw Refusal(reason: "the _id is no ObjectId") }
        guard let raw = fields.kind, let kind = UInt8(exactly: raw).flatMap(ClusterMessageKind.init(rawValue:)) else {
            throw Refusal(reason: "the kind \(fields.kind.map { "\($0)" } ?? "none") is not known")
        }
        guard let origin = fields.origin, !origin.isEmpty, let epoch = fields.epoch, let namespace = fields.namespace else {
            throw Refusal(reason: "the origin or the namespace is missing")
        }
        guard !fields.hasWrongType else { throw Refusal(reason: "a field of the header has a wrong type") }
        return ClusterHeader(
            id: MessageID(id),
            kind: kind,
            namespace: namespace,
            origin: NodeIdentity(id: origin, epoch: UInt64(bitPattern: epoch)),
            target: fields.target,
            request: fields.request,
            stamp: try stamp(fields, isNeeded: !kind.isMembership)
        )
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
                throw Refusal(reason: "the void numbers are no ranges")
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
