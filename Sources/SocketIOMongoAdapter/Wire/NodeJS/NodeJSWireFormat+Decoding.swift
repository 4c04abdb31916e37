// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import EngineIOCore
package import SocketIOCluster
package import SocketIOMongoClient
import NIOCore
import SocketIOCore
import SocketIOText
import Synchronization

extension NodeJSWireFormat {
    /// More bytes than a private session id has.
    private static let pidLimit = 512

    /// Why a document is not a message.
    struct Refusal: Error {
        let reason: String
        init(_ reason: String) { self.reason = reason }
    }

    package func decode(_ document: BSONDocument, for node: NodeID, into items: inout [DriverItem]) {
        do {
            let envelope = try NodeJSEnvelope(document)
            // It may be from another process with the same id, which the epoch reveals.
            let isOwn = envelope.origin.id == node
            let (isNew, parser, recovers) = state.withLock { state in
                let isNew = !isOwn && state.recent.insert(envelope.id)
                if isOwn || isNew, state.recovers, envelope.type == Int64(NodeJSDocumentType.broadcast.rawValue) {
                    state.disorder.read(envelope.id)
                }
                return (isNew, state.parser, state.recovers)
            }
            if isOwn { items.append(.own(envelope.id, origin: envelope.origin)) }
            guard isNew else { return }
            if envelope.type == Int64(NodeJSDocumentType.session.rawValue) { sessionIsElsewhere(envelope) }
            if let item = try NodeJSReader(envelope: envelope, parser: parser, recovers: recovers).item(for: node) { items.append(item) }
        } catch let refusal as Refusal {
            items.append(.skipped(refusal.reason))
        } catch {
            items.append(.skipped("the document is malformed: \(error)"))
        }
    }

    /// A node of another implementation stores or takes a session. Nodes of this package use messages of their own for that.
    private func sessionIsElsewhere(_ envelope: NodeJSEnvelope) {
        guard envelope.origin.isForeign, let pid = envelope.data?["pid"]?.string, pid.utf8.count <= Self.pidLimit else { return }
        state.withLock(\.onForeignSession)(pid, envelope.namespace)
    }
}

/// The fields of a document.
struct NodeJSEnvelope {
    let id: MessageID
    let type: Int64
    let origin: NodeIdentity
    let namespace: String
    let data: BSONDocument?

    init(_ document: BSONDocument) throws {
        var id: ObjectID?
        var type: Int64?
        var uid: String?
        var namespace: String?
        var data: BSONDocument?
        var reader = BSONReader(document)
        while let element = try reader.next() {
            switch element.key {
            case "_id": id = element.objectID
            case "type": type = element.integer
            case "uid": uid = element.string
            case "nsp": namespace = element.string
            case "data": data = element.document
            default: break
            }
        }
        guard let id else { throw NodeJSWireFormat.Refusal("the _id is not an ObjectId") }
        guard let type else { throw NodeJSWireFormat.Refusal("the type is missing") }
        guard let uid, !uid.isEmpty, uid.utf8.count <= 256 else { throw NodeJSWireFormat.Refusal("the uid is missing") }
        guard let namespace, namespace.utf8.count <= ClusterHeader.namespaceLimit else {
            throw NodeJSWireFormat.Refusal("the nsp is missing or too long")
        }
        self.id = MessageID(id)
        self.type = type
        self.origin = NodeJSWireFormat.identity(uid: uid)
        self.namespace = namespace
        self.data = data
    }
}

/// Decodes a document of another node. The body is decoded only if the document is relevant to this node.
struct NodeJSReader {
    let envelope: NodeJSEnvelope
    let parser: PacketFormat
    let recovers: Bool
    private let fields: NodeJSFields

    init(envelope: NodeJSEnvelope, parser: PacketFormat, recovers: Bool) throws {
        self.envelope = envelope
        self.parser = parser
        self.recovers = recovers
        self.fields = try NodeJSFields(envelope.data)
    }

    func item(for node: NodeID) throws -> DriverItem? {
        guard let type = Int32(exactly: envelope.type).flatMap(NodeJSDocumentType.init(rawValue:)) else {
            throw NodeJSWireFormat.Refusal("the type \(envelope.type) is not known")
        }
        switch type {
        case .initialHeartbeat: return message(.initialHeartbeat) { .initialHeartbeat(ClusterHeartbeat(beat: 0)) }
        // A node that stores a session is alive.
        case .heartbeat, .session: return message(.heartbeat) { .heartbeat(ClusterHeartbeat(beat: 0)) }
        case .native: return try native(for: node)
        default: break
        }
        guard envelope.data != nil else { throw NodeJSWireFormat.Refusal("the data is missing") }
        let request = try fields.request()
        let kind = try kind(of: type, request)
        return message(kind, request: request?.id) { [self] in try body(type, request) }
    }

    private func message(
        _ kind: ClusterMessageKind,
        request: ClusterRequestID? = nil,
        _ body: @escaping @Sendable () throws -> ClusterBody
    ) -> DriverItem {
        let header = ClusterHeader(
            id: envelope.id,
            kind: kind,
            namespace: envelope.namespace,
            origin: envelope.origin,
            request: request
        )
        return .message(header, .deferred(body))
    }

    private func native(for node: NodeID) throws -> DriverItem? {
        guard !envelope.origin.isForeign else { throw NodeJSWireFormat.Refusal("a document of this package is of a foreign node") }
        guard let raw = fields["kind"]?.int32, let kind = UInt8(exactly: raw).flatMap(ClusterMessageKind.init(rawValue:)),
            let payload = fields["payload"]?.binary?.bytes
        else { throw NodeJSWireFormat.Refusal("the kind or the payload is missing") }
        let target = fields["target"]?.string
        guard target == nil || target == node else { return nil }
        let header = ClusterHeader(
            id: envelope.id,
            kind: kind,
            namespace: envelope.namespace,
            origin: envelope.origin,
            target: target,
            request: try fields.request()?.id
        )
        // A copy: a slice would keep the whole batch alive.
        return .message(header, .encoded(ByteBuffer(bytes: payload.readableBytesView)))
    }

    private func kind(of type: NodeJSDocumentType, _ request: NodeJSRequestID?) throws -> ClusterMessageKind {
        let kind: ClusterMessageKind =
            switch type {
            case .broadcast: request == nil ? .broadcast : .broadcastWithAck
            case .socketsJoin: .addSockets
            case .socketsLeave: .removeSockets
            case .disconnectSockets: .disconnectSockets
            case .fetchSockets: request?.wantsRooms ?? false ? .rooms : .fetchSockets
            case .fetchSocketsResponse: request?.wantsRooms ?? false ? .roomsAnswer : .fetchSocketsAnswer
            case .serverSideEmit: request == nil ? .serverSideEmit : .serverSideEmitWithAck
            case .serverSideEmitResponse: .serverSideEmitAnswer
            case .broadcastClientCount: .acknowledgementCount
            case .broadcastAcknowledgement: .acknowledgement
            default: throw NodeJSWireFormat.Refusal("the type is not known")
            }
        guard request != nil || !(kind.isRequest || kind.isAnswer) else { throw NodeJSWireFormat.Refusal("the requestId is missing") }
        return kind
    }

    // MARK: Sessions

    /// The packet of a broadcast that sockets may have missed; nil if it is never replayed.
    func missablePacket() throws -> NodeJSMissablePacket? {
        guard try fields.request() == nil else { return nil }
        let options = try fields.options()
        let packet = try packet(volatile: options.flags.volatile)
        return packet.offset == nil ? nil : NodeJSMissablePacket(packet: packet, rooms: options.rooms, except: options.except)
    }

    /// A session, without what its client has missed.
    func session() throws -> SessionState? {
        guard let id = fields["sid"]?.string else { return nil }
        let rooms = NameSet(try strings(fields["rooms"], "rooms")).union([id])
        let data = try BSONTranscoder.value(fields["data"]?.document ?? BSONDocument())
        return SessionState(id: id, rooms: rooms, data: data)
    }

    // MARK: Bodies

    private func body(_ type: NodeJSDocumentType, _ request: NodeJSRequestID?) throws -> ClusterBody {
        switch type {
        case .broadcast:
            let options = try fields.options()
            return request == nil
                ? .broadcast(try packet(volatile: options.flags.volatile), options) : .broadcastWithAck(try packet(wantsAck: true), options)
        case .socketsJoin: return .addSockets(try fields.options(), rooms: try strings(fields["rooms"], "rooms"))
        case .socketsLeave: return .removeSockets(try fields.options(), rooms: try strings(fields["rooms"], "rooms"))
        case .disconnectSockets: return .disconnectSockets(try fields.options(), closeConnection: fields["close"]?.bool ?? false)
        case .fetchSockets:
            let options = try fields.options()
            return request?.wantsRooms ?? false ? .rooms(options) : .fetchSockets(options)
        case .serverSideEmit:
            guard let array = fields["packet"]?.array else { throw malformed("the packet is not an array") }
            let arguments = try BSONTranscoder.arguments(array, parser)
            return request == nil ? .serverSideEmit(arguments) : .serverSideEmitWithAck(arguments, timeout: .seconds(5))
        default: return try answer(type, request)
        }
    }

    private func answer(_ type: NodeJSDocumentType, _ request: NodeJSRequestID?) throws -> ClusterBody {
        switch type {
        case .fetchSocketsResponse:
            guard let array = fields["sockets"]?.array else { throw malformed("the sockets are not an array") }
            guard request?.wantsRooms ?? false else { return .fetchSocketsAnswer(try NodeJSSockets.read(array), hasMore: false) }
            return .roomsAnswer(try NodeJSSockets.rooms(array))
        case .serverSideEmitResponse: return .serverSideEmitAnswer(try BSONTranscoder.argument(fields["packet"], parser))
        case .broadcastClientCount:
            guard let count = fields["clientCount"]?.integer, (0...Int64(Int32.max)).contains(count) else {
                throw malformed("the clientCount is not a number")
            }
            return .acknowledgementCount(Int(count))
        case .broadcastAcknowledgement: return .acknowledgement(try BSONTranscoder.argument(fields["packet"], parser))
        default: throw malformed("the type is not known")
        }
    }

    /// A packet with its offset, if it has one.
    private func packet(volatile: Bool = false, wantsAck: Bool = false) throws -> BroadcastPacket {
        guard let packet = fields["packet"]?.document else { throw malformed("the packet is missing") }
        var type: Int64?
        var data: BSONDocument?
        var hasID = false
        var reader = BSONReader(packet)
        while let element = try reader.next() {
            switch element.key {
            case "type": type = element.integer
            case "data": data = element.array
            case "id": hasID = !element.isNull
            default: break
            }
        }
        guard let data, type == Int64(PacketType.event.rawValue) || type == Int64(PacketType.binaryEvent.rawValue) else {
            throw malformed("the packet is not an event")
        }
        var elements = BSONReader(data)
        guard let name = try elements.next(), name.string != nil || name.integer != nil else { throw malformed("the event has no name") }
        let offset: PacketOffset = !recovers || wantsAck || hasID ? .none : volatile ? .absent : .id(envelope.id)
        let arguments = try BSONTranscoder.arguments(data, parser)
        do {
            let packet = try EncodedPacket.event(arguments, offset: offset, namespace: envelope.namespace)
            guard case .id(let id) = offset else { return BroadcastPacket(packet) }
            return BroadcastPacket(packet, offset: id)
        } catch {
            throw ClusterError(.malformed, "the event cannot be encoded", cause: error)
        }
    }
}

func malformed(_ text: String) -> ClusterError { ClusterError(.malformed, text) }

private func strings(_ element: BSONElement?, _ name: String) throws -> [String] {
    guard let array = element?.array else { throw malformed("\(name) is not an array") }
    var result: [String] = []
    var reader = BSONReader(array)
    while let element = try reader.next() {
        guard let string = element.string else { throw malformed("\(name) has something else than strings") }
        result.append(string)
    }
    return result
}

/// The fields of `data` that any type has.
struct NodeJSFields {
    private var elements: [BSONElement] = []

    /// No type has more; what follows is ignored.
    private static let limit = 16

    init(_ data: BSONDocument?) throws {
        guard let data else { return }
        var reader = BSONReader(data)
        while elements.count < Self.limit, let element = try reader.next() { elements.append(element) }
    }

    subscript(name: String) -> BSONElement? { elements.first { $0.hasKey(name) } }

    func request() throws -> NodeJSRequestID? {
        guard let element = self["requestId"], !element.isNull, element.type != .undefined else { return nil }
        guard let text = element.string, let request = NodeJSRequestID(text) else {
            throw NodeJSWireFormat.Refusal("the requestId is none that a known node makes")
        }
        return request
    }

    func options() throws -> BroadcastOptions {
        guard let document = self["opts"]?.document else { throw malformed("the opts are missing") }
        var options = BroadcastOptions()
        var reader = BSONReader(document)
        while let element = try reader.next() {
            switch element.key {
            case "rooms": options.rooms = try strings(element, "rooms")
            case "except": options.except = element.isNull ? [] : try strings(element, "except")
            case "flags": options.flags = try flags(element.document ?? BSONDocument())
            default: break
            }
        }
        return options
    }

    private func flags(_ document: BSONDocument) throws -> BroadcastFlags {
        var flags = BroadcastFlags()
        var reader = BSONReader(document)
        while let element = try reader.next() {
            switch element.key {
            case "volatile": flags.volatile = element.bool ?? false
            case "compress": flags.compress = element.bool ?? true
            case "expectSingleResponse": flags.expectSingleResponse = element.bool ?? false
            case "timeout":
                // At most 24 days, so that no sum of times overflows.
                flags.timeout = element.integer.map { .milliseconds(min(max($0, 0), Int64(Int32.max))) }
            default: break
            }
        }
        return flags
    }
}

/// The sockets of an answer.
enum NodeJSSockets {
    static func read(_ array: BSONDocument) throws -> [SocketDescription] {
        var result: [SocketDescription] = []
        var reader = BSONReader(array)
        while let element = try reader.next() {
            guard let socket = element.document else { throw malformed("a socket is not a document") }
            result.append(try description(socket))
        }
        return result
    }

    /// All rooms of the sockets.
    static func rooms(_ array: BSONDocument) throws -> NameSet {
        var result: NameSet = []
        var reader = BSONReader(array)
        while let element = try reader.next() {
            guard let socket = element.document else { throw malformed("a socket is not a document") }
            for room in try strings(socket["rooms"], "rooms") { result.insert(room) }
        }
        return result
    }

    private static func description(_ socket: BSONDocument) throws -> SocketDescription {
        guard let id = socket["id"]?.string else { throw malformed("a socket has no id") }
        let data = try BSONTranscoder.value(socket["data"]?.document ?? BSONDocument())
        let handshake = try handshake(socket["handshake"]?.document ?? BSONDocument())
        return SocketDescription(id: id, handshake: handshake, rooms: NameSet(try strings(socket["rooms"], "rooms")), data: data)
    }

    private static func handshake(_ document: BSONDocument) throws -> Handshake {
        var result = Handshake()
        var reader = BSONReader(document)
        while let element = try reader.next() {
            switch element.key {
            case "headers": result.headers = try texts(element.document, joined: true)
            case "query": result.query = try texts(element.document, joined: false)
            case "url": result.url = element.string ?? ""
            case "address": result.address = element.string ?? ""
            case "issued": result.issued = element.integer ?? 0
            case "xdomain": result.isCrossDomain = element.bool ?? false
            case "secure": result.secure = element.bool ?? false
            case "auth": result.auth = try element.document.map(BSONTranscoder.value)
            default: break
            }
        }
        return result
    }

    /// Strings by their names. What was repeated is an array: headers are joined, of parameters the first counts.
    private static func texts(_ document: BSONDocument?, joined: Bool) throws -> NameMap<String> {
        guard let document else { return [:] }
        var result = NameMap<String>()
        var reader = BSONReader(document)
        while let element = try reader.next() {
            if let text = element.string {
                result[element.key] = text
            } else if element.array != nil {
                let list = try strings(element, element.key)
                result[element.key] = joined ? list.joined(separator: ", ") : list.first ?? ""
            }
        }
        return result
    }
}
#endif
