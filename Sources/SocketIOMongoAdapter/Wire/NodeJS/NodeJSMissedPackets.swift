// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOMongoClient
import SocketIOCore
import SocketIOText

/// Reads the packets that clients have missed, from the documents of the messages: one read for all clients that come back at once.
///
/// The read is a range of the index on `_id` that begins a little before the first offset (``IDDisorder``), so it takes as long as there are
/// missed messages, however many documents the collection has. Ids do not have the order in which documents were written; record ids have.
///
/// If a read finds too many documents, those clients get nothing that have missed too many of them, and it is repeated for the others: with a
/// later beginning, or in halves, those first who were away for the shortest time.
struct NodeJSMissedPackets {
    /// A client that has come back.
    struct Client: Sendable {
        /// The last packet that it has received.
        var offset: MessageID
        /// The earliest time in the ids of what was written after that.
        var earliest: UInt32
        var namespace: String
        var state: SessionState
    }

    struct Limits: Sendable {
        /// The maximum number of packets that one client may have missed.
        var packets = 10_000
        /// The maximum number of documents of a read.
        var documents = 40_000
        /// How long all reads together may take.
        var time = Duration.seconds(10)
    }

    /// What the clients of a read have missed; nil for a client whose offset is gone, or that has missed too much.
    typealias Outcome = Result<[BroadcastPacket]?, any Error>
    /// Reads documents by the index on `_id`: at most a number, within a time.
    typealias Find = @Sendable (_ filter: BSONDocument, _ limit: Int, _ time: Duration) async throws -> [BSONDocument]

    let format: NodeJSWireFormat
    let limits: Limits
    private let find: Find

    init(collection: MongoCollection, format: NodeJSWireFormat) {
        self.init(format: format, limits: Limits()) { filter, limit, time in
            let id = BSONDocument { $0.append("_id", Int32(1)) }
            var options = MongoFindOptions()
            options.sort = id
            options.hint = id
            options.limit = limit
            options.maximumTime = time
            options.showsRecordID = true
            options.readPreference = .primary
            return try await collection.find(filter, options: options)
        }
    }

    /// - Parameter find: Reads documents.
    init(format: NodeJSWireFormat, limits: Limits, find: @escaping Find) {
        self.format = format
        self.limits = limits
        self.find = find
    }

    /// Reads what each client has missed.
    ///
    /// - Returns: One outcome for each client, in order.
    func read(_ clients: [Client]) async -> [Outcome] {
        let deadline = ContinuousClock.now + limits.time
        var outcomes = clients.map { _ in Outcome.failure(Self.tooSlow(limits)) }
        var groups = [clients.indices.sorted { clients[$0].earliest < clients[$1].earliest }]
        while let group = groups.popLast() {
            let left = deadline - .now
            guard !group.isEmpty else { continue }
            guard left > .zero else { break }
            var rest = group
            do {
                let members = group.map { clients[$0] }
                let documents = try await find(filter(members), limits.documents + 1, left)
                guard documents.count > limits.documents else {
                    for (index, outcome) in zip(group, distribute(documents, to: members)) { outcomes[index] = outcome }
                    continue
                }
                let selections = documents.map(Selection.init)
                rest = group.count > 1 ? group.filter { !hasMissedTooMuch(clients[$0], selections) } : []
            } catch let error as MongoError where error.code == .overloaded && group.count > 1 {
                // Those of all together are too large.
            } catch {
                for index in group { outcomes[index] = .failure(error) }
                continue
            }
            for index in group where !rest.contains(index) { outcomes[index] = .success(nil) }
            if rest.count < group.count {
                groups.append(rest)
            } else {
                let half = rest.count / 2
                groups += [Array(rest[..<half]), Array(rest[half...])]
            }
        }
        return outcomes
    }

    private static func tooSlow(_ limits: Limits) -> MongoAdapterError {
        MongoAdapterError(.failed, "what the client has missed was not read within \(limits.time): MongoDB cannot keep up with the clients")
    }

    /// Whether so many of the documents are for a client that it cannot get them all.
    private func hasMissedTooMuch(_ client: Client, _ selections: [Selection]) -> Bool {
        let offset = ObjectID(client.offset)
        var count = 0
        for selection in selections.reversed() where selection.isFor(client, after: offset) {
            count += 1
            if count > limits.packets { return true }
        }
        return false
    }

    private func filter(_ clients: [Client]) -> BSONDocument {
        let earliest = clients.map(\.earliest).min() ?? 0
        let offsets = Set(clients.map(\.offset)).map { ObjectID($0) }.sorted()
        let rooms = clients.reduce(into: NameSet()) { $0.formUnion($1.state.rooms) }
        return BSONDocument { filter in
            filter.appendDocument("_id") { $0.append("$gte", ObjectID(time: earliest, uniquePart: 0)) }
            filter.append("type", NodeJSDocumentType.broadcast.rawValue)
            filter.append("nsp", among: clients.map(\.namespace))
            filter.appendArray("$or") { alternatives in
                // The offsets themselves, which may have been for rooms that their clients have left.
                alternatives.appendDocument { alternative in
                    alternative.appendDocument("_id") { condition in
                        condition.appendArray("$in") { array in for id in offsets { array.append(id) } }
                    }
                }
                alternatives.appendDocument { alternative in
                    alternative.appendDocument("data.opts.rooms") { $0.append("$size", Int32(0)) }
                }
                alternatives.appendDocument { $0.append("data.opts.rooms", among: Array(rooms)) }
            }
        }
    }

    private func distribute(_ documents: [BSONDocument], to clients: [Client]) -> [Outcome] {
        let parser = format.parser
        // Each document is decoded once. What cannot be decoded was not delivered to any client.
        let messages = documents.sortedByRecord().map { document -> Message in
            let packet = try? NodeJSReader(envelope: NodeJSEnvelope(document), parser: parser, recovers: true).missablePacket()
            return Message(id: document["_id"]?.objectID, namespace: document["nsp"]?.string ?? "", packet: packet)
        }
        var places: [ObjectID: Int] = [:]
        for (index, message) in messages.enumerated() { if let id = message.id { places[id] = index } }
        return clients.map { client in
            guard let place = places[ObjectID(client.offset)], messages[place].namespace == client.namespace else { return .success(nil) }
            var packets: [BroadcastPacket] = []
            for message in messages[(place + 1)...] where message.namespace == client.namespace {
                guard let packet = message.packet, packet.isFor(client.state.rooms) else { continue }
                guard packets.count < limits.packets else { return .success(nil) }
                packets.append(packet.packet)
            }
            return .success(packets)
        }
    }

    private struct Message {
        var id: ObjectID?
        var namespace: String
        var packet: NodeJSMissablePacket?
    }
}

/// Which clients a document is for, without its packet.
private struct Selection {
    private var id: ObjectID?
    private var namespace: String
    private var rooms: [String]
    private var except: [String]

    init(_ document: BSONDocument) {
        func names(_ field: String, _ options: BSONDocument?) -> [String] {
            guard let array = options?[field]?.array else { return [] }
            var reader = BSONReader(array)
            var names: [String] = []
            while let element = try? reader.next() { if let name = element.string { names.append(name) } }
            return names
        }
        let options = document["data"]?.document?["opts"]?.document
        id = document["_id"]?.objectID
        namespace = document["nsp"]?.string ?? ""
        rooms = names("rooms", options)
        except = names("except", options)
    }

    func isFor(_ client: NodeJSMissedPackets.Client, after offset: ObjectID) -> Bool {
        guard let id, id > offset, namespace == client.namespace else { return false }
        let joined = client.state.rooms
        return (rooms.isEmpty || rooms.contains(where: joined.contains)) && !except.contains(where: joined.contains)
    }
}

/// A packet of a broadcast that a client may have missed.
struct NodeJSMissablePacket {
    var packet: BroadcastPacket
    var rooms: [Room]
    var except: [Room]

    /// Whether it is for a socket in these rooms.
    func isFor(_ joined: NameSet) -> Bool {
        (rooms.isEmpty || rooms.contains(where: joined.contains)) && !except.contains(where: joined.contains)
    }
}
#endif
