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
        let uuid = connection.collectionUUID
        let result = try await collection().insert(documents, ordered: false, writeConcern: Self.confirmation, uuid: uuid)
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

    /// Takes the sessions of a batch, and reads what their clients have missed, with a few commands for all of them. What fails for one
    /// client fails for that one only.
    @Sendable private func perform(_ claims: [NodeJSClaims.Claim]) async -> [NodeJSClaims.Outcome] {
        do {
            var outcomes = claims.map { _ in NodeJSClaims.Outcome.success(nil) }
            var candidates: [Candidate] = []
            for (index, candidate) in try await look(for: claims).enumerated() {
                switch candidate {
                case .success(let candidate): if let candidate { candidates.append(candidate) }
                case .failure(let error): outcomes[index] = .failure(error)
                }
            }
            let taken = await take(candidates, &outcomes)
            let missed = NodeJSMissedPackets(collection: try collection(), format: format)
            for (candidate, packets) in zip(taken, await missed.read(taken.map(\.client))) {
                outcomes[candidate.index] = packets.map { $0.map { ClaimedSession(state: candidate.client.state, missed: $0) } }
            }
            return outcomes
        } catch {
            return claims.map { _ in .failure(error) }
        }
    }

    /// A session that can be taken: all that its document says is readable.
    private struct Candidate: Sendable {
        /// The index of its claim.
        var index: Int
        var session: NodeJSSessionDocument
        /// Who takes it.
        var node: NodeID
        var client: NodeJSMissedPackets.Client
    }

    /// The session of each claim, if there is one; nothing is changed.
    private func look(for claims: [NodeJSClaims.Claim]) async throws -> [Result<Candidate?, any Error>] {
        let now = UInt32(clamping: connection.time.milliseconds / 1_000)
        let earliest = format.earliest(after: claims.map(\.offset), now: now)
        let since = oldestSession(of: claims, after: earliest.min() ?? 0, now: now)
        let filter = NodeJSSessionDocument.filter(claims.map(\.pid), in: claims.map(\.namespace), since: since)
        let documents = Dictionary(grouping: try await read(filter), by: \.key)
        var keys: Set<NodeJSSessionDocument.Key> = []
        return claims.enumerated().map { index, claim in
            let key = NodeJSSessionDocument.Key(pid: claim.pid, namespace: claim.namespace)
            // If several callers claim the same session at the same time, the first one gets it.
            guard keys.insert(key).inserted, let last = documents[key]?.last(where: { isCapped || $0.isForeign }) else {
                return .success(nil)
            }
            // Nodes of this package give their sessions away themselves, and if they do not, no other node may either.
            let age = Int64(now) - Int64(last.id.time)
            guard last.isSession, last.isForeign, age <= claim.retention.components.seconds else { return .success(nil) }
            return Result {
                // Before it is taken: a session that cannot be read stays where it is.
                guard let state = try last.state(format.parser) else { return nil }
                let client = NodeJSMissedPackets.Client(
                    offset: claim.offset,
                    earliest: earliest[index],
                    namespace: claim.namespace,
                    state: state
                )
                return Candidate(index: index, session: last, node: claim.node, client: client)
            }
        }
    }

    /// No session that counts is older: it was stored after its client had received the packet with the offset.
    private func oldestSession(of claims: [NodeJSClaims.Claim], after offset: UInt32, now: UInt32) -> UInt32 {
        let retention = claims.map(\.retention.components.seconds).max() ?? 0
        return UInt32(clamping: max(Int64(min(offset, now)), Int64(now) - retention) - Int64(format.disorderLimit))
    }

    /// Takes sessions.
    ///
    /// - Parameter outcomes: Receives the errors, by the index of the claims.
    /// - Returns: Those that this node has now.
    private func take(_ candidates: [Candidate], _ outcomes: inout [NodeJSClaims.Outcome]) async -> [Candidate] {
        guard !candidates.isEmpty else { return [] }
        let results = isCapped ? await takeBehindTombstones(candidates) : await takeAndDelete(candidates)
        var taken: [Candidate] = []
        for (candidate, result) in zip(candidates, results) {
            switch result {
            case .success(true): taken.append(candidate)
            case .success(false): break
            case .failure(let error): outcomes[candidate.index] = .failure(error)
            }
        }
        return taken
    }

    /// - Returns: Of each session, whether this node has it.
    private func takeAndDelete(_ candidates: [Candidate]) async -> [Result<Bool, any Error>] {
        guard let collection = connection.collection else { return candidates.map { _ in .success(false) } }
        let results = await withTaskGroup(of: (Int, Result<Bool, any Error>).self) { group in
            for (index, candidate) in candidates.enumerated() {
                let filter = BSONDocument { $0.append("_id", candidate.session.id) }
                group.addTask {
                    do {
                        let deleted = try await collection.findAndDelete(filter, writeConcern: Self.confirmation)
                        return (index, .success(deleted != nil))
                    } catch { return (index, .failure(error)) }
                }
            }
            return await group.reduce(into: candidates.map { _ in .success(false) }) { $0[$1.0] = $1.1 }
        }
        // What else there is of these sessions is older. Should it stay, it is still not the last document when the client comes again.
        let keys = zip(candidates, results).filter { if case .success(true) = $1 { true } else { false } }.map(\.0.session.key)
        guard !keys.isEmpty else { return results }
        let rest = NodeJSSessionDocument.filter(keys.map(\.pid), in: keys.map(\.namespace))
        _ = try? await collection.delete(rest, writeConcern: Self.confirmation)
        return results
    }

    /// - Returns: Of each session, whether this node has it.
    private func takeBehindTombstones(_ candidates: [Candidate]) async -> [Result<Bool, any Error>] {
        do {
            let tombstones = try candidates.map { candidate in
                let key = candidate.session.key
                return try tombstone(key.pid, after: candidate.session.id, in: key.namespace, by: candidate.node)
            }
            var failure: (any Error)?
            do { try await insert(tombstones.map(\.1)) } catch { failure = error }
            let keys = candidates.map(\.session.key)
            let since = candidates.map(\.session.id.time).min()
            let filter = NodeJSSessionDocument.filter(keys.map(\.pid), in: keys.map(\.namespace), since: since)
            // What a majority has is certain, whatever became of the insert.
            let documents = Dictionary(grouping: try await read(filter, concern: "majority"), by: \.key)
            return zip(candidates, tombstones).map { candidate, tombstone in
                let all = documents[candidate.session.key] ?? []
                let next = all.firstIndex { $0.id == candidate.session.id }.flatMap { all[($0 + 1)...].first }
                // Others may have done the same: the first tombstone after the session has it.
                if let next { return .success(next.id == tombstone.0) }
                return failure.map { .failure($0) } ?? .success(false)
            }
        } catch {
            return candidates.map { _ in .failure(error) }
        }
    }

    /// The documents of sessions, in the order in which they were written.
    ///
    /// - Parameter concern: The read concern.
    private func read(_ filter: BSONDocument, concern: String? = nil) async throws -> [NodeJSSessionDocument] {
        var options = MongoFindOptions()
        options.readConcernLevel = concern
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

    /// The earliest times in the ids of broadcasts that were written after others.
    func earliest(after ids: [MessageID], now: UInt32) -> [UInt32] { state.withLock { $0.disorder.earliest(after: ids, now: now) } }

    /// Seconds by which ids may be out of order, as far as is known.
    var disorderLimit: UInt32 { state.withLock { $0.disorder.limit } }
}
#endif
