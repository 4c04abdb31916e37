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
/// The packets that a client has missed are read from the collection, in the order in which they were written: ``NodeJSMissedPackets``.
struct NodeJSSessions: SessionExchange {
    let connection: MongoConnection
    let format: NodeJSWireFormat

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
        try await insert([document])
    }

    /// - Parameter session: The document of the session, after which Node.js must find the tombstone in the order of ids.
    private func tombstone(_ pid: String, after session: ObjectID, in namespace: String, by node: NodeID) throws -> (ObjectID, BSONDocument)
    {
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
        return (id, document)
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
        return try format.document(.session, header, createdAt: connection.time.milliseconds, write)
    }

    private func insert(_ documents: [BSONDocument]) async throws {
        let result = try await collection().insert(documents, writeConcern: Self.confirmation, uuid: connection.collectionUUID)
        guard result.writeErrors.isEmpty, result.writeConcernError == nil else {
            throw MongoAdapterError(.failed, "the document of a session could not be written")
        }
    }

    func discard(_ pid: String, in namespace: String, by node: NodeID) async throws {
        let filter = NodeJSSessionDocument.filter([pid], in: [namespace])
        guard isCapped else {
            try await collection().delete(filter, writeConcern: Self.confirmation)
            return
        }
        guard let last = try await read(filter).last, last.isSession else { return }
        try await insert([tombstone(pid, after: last.id, in: namespace, by: node).1])
    }

    // MARK: Taking

    func claim(
        _ pid: String,
        after offset: MessageID,
        in namespace: String,
        retention: Duration,
        by node: NodeID
    ) async throws -> ClaimedSession? {
        let claim = NodeJSClaims.Claim(pid: pid, namespace: namespace, offset: offset, retention: retention, node: node)
        return try await connection.claims.claim(claim, perform)
    }

    /// Takes the sessions of a batch, and reads what their clients have missed, with a few commands for all of them.
    @Sendable private func perform(_ claims: [NodeJSClaims.Claim]) async -> [NodeJSClaims.Outcome] {
        do {
            let taken = try await take(claims)
            let clients = taken.map { NodeJSMissedPackets.Client(offset: claims[$0].offset, namespace: claims[$0].namespace, state: $1) }
            let missed = NodeJSMissedPackets(collection: try collection(), format: format)
            let packets = await missed.read(clients)
            var outcomes = claims.map { _ in NodeJSClaims.Outcome.success(nil) }
            for ((index, state), packets) in zip(taken, packets) {
                outcomes[index] = packets.map { $0.map { ClaimedSession(state: state, missed: $0) } }
            }
            return outcomes
        } catch {
            return claims.map { _ in .failure(error) }
        }
    }

    /// The sessions that this node has taken now, by the index of their claims.
    private func take(_ claims: [NodeJSClaims.Claim]) async throws -> [(Int, SessionState)] {
        let found = try await candidates(claims)
        guard !found.isEmpty else { return [] }
        let won = isCapped ? try await takeBehindTombstones(found, claims) : try await takeAndDelete(found)
        return try found.filter { won.contains($0.session.id) }.compactMap { candidate in
            try candidate.session.state(format.parser).map { (candidate.index, $0) }
        }
    }

    private struct Candidate {
        /// The index of its claim.
        var index: Int
        var session: NodeJSSessionDocument
    }

    private func candidates(_ claims: [NodeJSClaims.Claim]) async throws -> [Candidate] {
        let now = WallClock.millisecondsSince1970() / 1_000
        let filter = NodeJSSessionDocument.filter(claims.map(\.pid), in: claims.map(\.namespace), since: Self.earliest(claims, now: now))
        let documents = Dictionary(grouping: try await read(filter), by: \.key)
        var keys: Set<NodeJSSessionDocument.Key> = []
        return claims.enumerated().compactMap { index, claim in
            let key = NodeJSSessionDocument.Key(pid: claim.pid, namespace: claim.namespace)
            // If several callers claim the same session at the same time, the first one gets it.
            guard keys.insert(key).inserted, let last = documents[key]?.last(where: { isCapped || $0.isForeign }) else { return nil }
            // Nodes of this package give their sessions away themselves, and if they do not, no other node may either.
            guard last.isSession, last.isForeign, now - Int64(last.id.time) <= claim.retention.components.seconds else { return nil }
            return Candidate(index: index, session: last)
        }
    }

    /// No session that counts is older: it was stored after its client had received the packet with the offset.
    private static func earliest(_ claims: [NodeJSClaims.Claim], now: Int64) -> UInt32 {
        let offsets = claims.map { Int64($0.offset.seconds) }.min() ?? 0
        let retained = now - (claims.map(\.retention.components.seconds).max() ?? 0)
        return UInt32(clamping: max(offsets, retained) - Int64(IDDisorder.limit))
    }

    private func takeAndDelete(_ candidates: [Candidate]) async throws -> Set<ObjectID> {
        let collection = try collection()
        let won = try await withThrowingTaskGroup(of: ObjectID?.self) { group in
            for candidate in candidates {
                let filter = BSONDocument { $0.append("_id", candidate.session.id) }
                group.addTask {
                    try await collection.findAndDelete(filter, writeConcern: Self.confirmation) == nil ? nil : candidate.session.id
                }
            }
            return try await group.reduce(into: Set<ObjectID>()) { won, id in if let id { won.insert(id) } }
        }
        // What else there is of these sessions is older.
        let keys = candidates.filter { won.contains($0.session.id) }.map(\.session.key)
        guard !keys.isEmpty else { return won }
        let rest = NodeJSSessionDocument.filter(keys.map(\.pid), in: keys.map(\.namespace))
        try await collection.delete(rest, writeConcern: Self.confirmation)
        return won
    }

    private func takeBehindTombstones(_ candidates: [Candidate], _ claims: [NodeJSClaims.Claim]) async throws -> Set<ObjectID> {
        let tombstones = try candidates.map { candidate in
            let key = candidate.session.key
            return try tombstone(key.pid, after: candidate.session.id, in: key.namespace, by: claims[candidate.index].node)
        }
        try await insert(tombstones.map(\.1))
        let keys = candidates.map(\.session.key)
        let earliest = Self.earliest(candidates.map { claims[$0.index] }, now: WallClock.millisecondsSince1970() / 1_000)
        let filter = NodeJSSessionDocument.filter(keys.map(\.pid), in: keys.map(\.namespace), since: earliest)
        let documents = Dictionary(grouping: try await read(filter), by: \.key)
        // Others may have done the same: the first tombstone after the session has it.
        let won = zip(candidates, tombstones).filter { candidate, tombstone in
            guard let all = documents[candidate.session.key], let index = all.firstIndex(where: { $0.id == candidate.session.id }) else {
                return false
            }
            return all[(index + 1)...].first?.id == tombstone.0
        }
        return Set(won.map(\.0.session.id))
    }

    /// The documents of sessions, in the order in which they were written.
    private func read(_ filter: BSONDocument) async throws -> [NodeJSSessionDocument] {
        var options = MongoFindOptions()
        options.showsRecordID = true
        options.readPreference = .primary
        return try await collection().find(filter, options: options).sortedByRecord().compactMap(NodeJSSessionDocument.init)
    }
}

/// A document about a session.
struct NodeJSSessionDocument: Sendable {
    /// A session of a namespace.
    struct Key: Hashable, Sendable {
        var pid: String
        var namespace: String

        static func == (left: Key, right: Key) -> Bool { left.pid == right.pid && left.namespace == right.namespace }

        func hash(into hasher: inout Hasher) {
            Bytewise.hash(pid, into: &hasher)
            Bytewise.hash(namespace, into: &hasher)
        }
    }

    /// The field that the index of sessions is on.
    static let indexedField = "data.pid"

    let id: ObjectID
    let key: Key
    private let document: BSONDocument

    /// nil if it is not such a document.
    init?(_ document: BSONDocument) {
        guard let id = document["_id"]?.objectID, let pid = document["data"]?.document?["pid"]?.string,
            let namespace = document["nsp"]?.string
        else { return nil }
        self.id = id
        self.key = Key(pid: pid, namespace: namespace)
        self.document = document
    }

    /// Whether it holds a session, and is not a tombstone.
    var isSession: Bool { document["data"]?.document?["sid"] != nil }

    /// Whether a node of another implementation wrote it.
    var isForeign: Bool { document["uid"]?.string.map { NodeJSWireFormat.identity(uid: $0).isForeign } ?? false }

    /// The session, without what its client has missed.
    func state(_ parser: PacketFormat) throws -> SessionState? {
        try NodeJSReader(envelope: NodeJSEnvelope(document), parser: parser, recovers: true).session()
    }

    /// Finds the documents of sessions.
    ///
    /// - Parameter seconds: The earliest time in their ids, for collections without an index on ``indexedField``.
    static func filter(_ pids: [String], in namespaces: [String], since seconds: UInt32? = nil) -> BSONDocument {
        BSONDocument { filter in
            if let seconds { filter.appendDocument("_id") { $0.append("$gte", ObjectID(time: seconds, uniquePart: 0)) } }
            filter.append("type", NodeJSDocumentType.session.rawValue)
            filter.append(indexedField, among: pids)
            filter.append("nsp", among: namespaces)
        }
    }
}

extension BSONWriter {
    /// Appends a condition: one of these strings, each once.
    mutating func append(_ field: String, among strings: [String]) {
        appendDocument(field) { condition in
            condition.appendArray("$in") { array in
                for name in Set(strings.map { Name($0) }).sorted() { array.append(name.text) }
            }
        }
    }
}

extension [BSONDocument] {
    /// The documents in the order in which they were written. Each must have its record id, or none; then that of their ids counts.
    func sortedByRecord() -> [BSONDocument] {
        let keyed = map { (record: $0["$recordId"]?.integer ?? 0, id: $0["_id"]?.objectID, document: $0) }
        return keyed.sorted { left, right in
            if left.record != right.record { return left.record < right.record }
            guard let first = left.id, let second = right.id else { return left.id == nil && right.id != nil }
            return first < second
        }.map(\.document)
    }
}

extension NodeJSWireFormat {
    /// The parser of the server.
    var parser: PacketFormat { state.withLock(\.parser) }

    /// The earliest time in the ids of documents that were written after one with this time.
    func earliest(after seconds: UInt32) -> UInt32 { state.withLock { $0.disorder.earliest(after: seconds) } }
}
#endif
