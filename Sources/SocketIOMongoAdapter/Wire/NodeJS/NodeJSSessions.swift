// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOConcurrency
import SocketIOMongoClient
import NIOCore
import SocketIOCore
import SocketIOText
import Synchronization

/// Sessions as Node.js servers store and take them: documents among the messages.
///
/// With a TTL, the node that takes a session deletes its document; in a capped collection, which allows no deletes, it writes a tombstone.
/// The packets that a client has missed are read from the collection, in the order in which they were written.
struct NodeJSSessions: SessionExchange {
    let connection: MongoConnection
    let format: NodeJSWireFormat

    /// The maximum number of packets that one session may have missed.
    private static let missedLimit = 10_000
    /// Seconds that clocks may differ.
    private static let clockSkew: UInt32 = 60
    private static let confirmation = MongoWriteConcern.majority.timeout(.seconds(8))

    private func collection() throws -> MongoCollection {
        guard let collection = connection.collection else { throw MongoAdapterError(.closed, "the adapter is closed") }
        return collection
    }

    private var isCapped: Bool { !format.addsCreatedAt }

    // MARK: Writing

    func park(_ state: SessionState, pid: String, in namespace: String, by node: NodeID) async throws {
        let document = try document(in: namespace, by: node) { data in
            try data.key("sid")
            try data.write(state.id)
            try data.key("pid")
            try data.write(pid)
            try data.write("rooms", strings: [state.id] + state.rooms.subtracting([state.id]).sorted { $0 < $1 })
            try data.key("data")
            try data.write(state.data)
        }
        try await insert(document)
    }

    /// - Parameter session: The document of the session, after which Node.js must find the tombstone in the order of ids.
    // Not inlined, nor what else throws beside what awaits: the optimizer of Swift 6.3.1 crashes on the coroutine that comes of it.
    @inline(never)
    private func insertTombstone(_ pid: String, after session: ObjectID, in namespace: String, by node: NodeID) async throws -> ObjectID {
        var id = ObjectID()
        if id <= session {
            let (part, isTooLarge) = session.uniquePart.addingReportingOverflow(.random(in: 1...1 << 32))
            id = isTooLarge ? ObjectID(time: session.time &+ 1, uniquePart: id.uniquePart) : ObjectID(time: session.time, uniquePart: part)
        }
        let document = try document(in: namespace, by: node, id: id) { data in
            try data.key("pid")
            try data.write(pid)
            try data.key("tombstone")
            try data.write(true)
        }
        try await insert(document)
        return id
    }

    private func document(
        in namespace: String,
        by node: NodeID,
        id: ObjectID = ObjectID(),
        _ write: (inout BSONValueWriter) throws -> Void
    ) throws -> BSONDocument {
        let header = ClusterHeader(
            id: MessageID(id),
            kind: .heartbeat,
            namespace: namespace,
            origin: NodeIdentity(id: node, epoch: format.life)
        )
        return try format.document(.session, header, createdAt: WallClock.millisecondsSince1970(), write)
    }

    private func insert(_ document: BSONDocument) async throws {
        let result = try await collection().insert([document], writeConcern: Self.confirmation, uuid: connection.collectionUUID)
        guard result.writeErrors.isEmpty, result.writeConcernError == nil else {
            throw MongoAdapterError(.failed, "the document of a session could not be written")
        }
    }

    func discard(_ pid: String, in namespace: String, by node: NodeID) async throws {
        guard isCapped else {
            try await collection().delete(filter(pid, namespace), writeConcern: Self.confirmation)
            return
        }
        guard let last = try await newest(pid, namespace), last["data"]?.document?["sid"] != nil, let id = last["_id"]?.objectID else {
            return
        }
        _ = try await insertTombstone(pid, after: id, in: namespace, by: node)
    }

    // MARK: Taking

    func claim(
        _ pid: String,
        after offset: MessageID,
        in namespace: String,
        retention: Duration,
        by node: NodeID
    ) async throws -> ClaimedSession? {
        guard let document = try await takeDocument(pid, namespace, by: node) else { return nil }
        let reader = try NodeJSReader(envelope: NodeJSEnvelope(document), parser: format.parser, recovers: true)
        let age = WallClock.millisecondsSince1970() / 1_000 - Int64(reader.envelope.id.seconds)
        guard age <= retention.components.seconds, let state = try reader.session() else { return nil }
        guard let missed = try await missed(by: state, in: namespace, after: offset) else { return nil }
        return ClaimedSession(state: state, missed: missed)
    }

    private func takeDocument(_ pid: String, _ namespace: String, by node: NodeID) async throws -> BSONDocument? {
        isCapped ? try await takeBehindTombstone(pid, namespace, by: node) : try await takeAndDelete(pid, namespace, by: node)
    }

    private func takeAndDelete(_ pid: String, _ namespace: String, by node: NodeID) async throws -> BSONDocument? {
        let newest = BSONDocument { $0.append("_id", Int32(-1)) }
        let filter = filter(pid, namespace, onlyForeign: true)
        let session = try await collection().findAndDelete(filter, sort: newest, writeConcern: Self.confirmation)
        if session != nil { try await discard(pid, in: namespace, by: node) }
        return session
    }

    private func takeBehindTombstone(_ pid: String, _ namespace: String, by node: NodeID) async throws -> BSONDocument? {
        guard let session = try await newest(pid, namespace), let id = try Self.foreignID(of: session) else { return nil }
        let tombstone = try await insertTombstone(pid, after: id, in: namespace, by: node)
        // Others may have done the same: the first tombstone after the session has it.
        let documents = try await read(filter(pid, namespace), sort: Self.natural(1))
        return Self.follows(tombstone, id, in: documents) ? session : nil
    }

    /// Whether a document comes right after another.
    @inline(never)
    private static func follows(_ next: ObjectID, _ id: ObjectID, in documents: [BSONDocument]) -> Bool {
        guard let index = documents.firstIndex(where: { $0["_id"]?.objectID == id }) else { return false }
        return documents[(index + 1)...].first?["_id"]?.objectID == next
    }

    /// The id of a document that holds a session of a node of another kind.
    @inline(never)
    private static func foreignID(of document: BSONDocument) throws -> ObjectID? {
        guard document["data"]?.document?["sid"] != nil, try NodeJSEnvelope(document).origin.isForeign else { return nil }
        return document["_id"]?.objectID
    }

    private func newest(_ pid: String, _ namespace: String) async throws -> BSONDocument? {
        try await read(filter(pid, namespace), sort: Self.natural(-1), limit: 1).first
    }

    private func read(_ filter: BSONDocument, sort: BSONDocument, limit: Int? = nil) async throws -> [BSONDocument] {
        var options = MongoFindOptions()
        options.sort = sort
        options.limit = limit
        options.readPreference = .primary
        return try await collection().find(filter, options: options)
    }

    /// The order in which documents were written.
    private static func natural(_ direction: Int32) -> BSONDocument { BSONDocument { $0.append("$natural", direction) } }

    /// - Parameter onlyForeign: Whether those of nodes of this package are left out: they give their sessions away themselves, and if
    ///   they do not, no other node may either.
    private func filter(_ pid: String, _ namespace: String, onlyForeign: Bool = false) -> BSONDocument {
        BSONDocument { filter in
            if onlyForeign {
                filter.appendDocument("uid") { uid in
                    uid.appendDocument("$not") { $0.append("$regex", "~[0-9a-f]{16}$") }
                }
            }
            filter.append("type", NodeJSDocumentType.session.rawValue)
            filter.append("data.pid", pid)
            filter.append("nsp", namespace)
        }
    }

    /// The packets after the one with the offset; nil if that one is gone, or if they are too many.
    private func missed(by state: SessionState, in namespace: String, after offset: MessageID) async throws -> [BroadcastPacket]? {
        let earliest = ObjectID(time: offset.seconds - min(offset.seconds, Self.clockSkew), uniquePart: 0)
        let filter = BSONDocument { filter in
            filter.append("type", NodeJSDocumentType.broadcast.rawValue)
            filter.append("nsp", namespace)
            filter.appendDocument("_id") { $0.append("$gte", earliest) }
        }
        let documents = try await read(filter, sort: Self.natural(1))
        guard let index = documents.firstIndex(where: { $0["_id"]?.objectID == ObjectID(offset) }) else { return nil }
        var packets: [BroadcastPacket] = []
        for document in documents[(index + 1)...] {
            // A document that cannot be read was not delivered to any client.
            guard let reader = try? NodeJSReader(envelope: NodeJSEnvelope(document), parser: format.parser, recovers: true),
                let packet = try? reader.missedPacket(of: state.rooms)
            else { continue }
            guard packets.count < Self.missedLimit else { return nil }
            packets.append(packet)
        }
        return packets
    }
}

extension NodeJSWireFormat {
    /// The parser of the server.
    var parser: PacketFormat { state.withLock(\.parser) }
}
#endif
