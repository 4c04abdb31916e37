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
struct NodeJSMissedPackets {
    /// A client that has come back.
    struct Client: Sendable {
        /// The last packet that it has received.
        var offset: MessageID
        var namespace: String
        var state: SessionState
    }

    /// What the clients of a read have missed; nil for a client whose offset is gone, or that has missed too much.
    typealias Outcome = Result<[BroadcastPacket]?, any Error>

    /// The maximum number of packets that one client may have missed.
    private static let packetLimit = 10_000
    /// The maximum number of documents that are read for several clients; more are read for each of them alone.
    private static let documentLimit = 40_000

    let collection: MongoCollection
    let format: NodeJSWireFormat

    /// Reads what each client has missed.
    ///
    /// - Returns: One outcome for each client, in order.
    func read(_ clients: [Client]) async -> [Outcome] {
        guard !clients.isEmpty else { return [] }
        do {
            let documents = try await find(clients)
            guard documents.count > Self.documentLimit else { return Self.distribute(documents, to: clients, format) }
            guard clients.count > 1 else { return [.success(nil)] }
        } catch let error as MongoError where error.code == .overloaded && clients.count > 1 {
            // Those of all together are too large.
        } catch {
            return clients.map { _ in .failure(error) }
        }
        let half = clients.count / 2
        return await read(Array(clients[..<half])) + read(Array(clients[half...]))
    }

    private func find(_ clients: [Client]) async throws -> [BSONDocument] {
        let id = BSONDocument { $0.append("_id", Int32(1)) }
        var options = MongoFindOptions()
        options.sort = id
        options.hint = id
        options.limit = Self.documentLimit + 1
        options.showsRecordID = true
        options.readPreference = .primary
        return try await collection.find(filter(clients), options: options)
    }

    private func filter(_ clients: [Client]) -> BSONDocument {
        let earliest = clients.map { format.earliest(after: $0.offset.seconds) }.min() ?? 0
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

    private static func distribute(_ documents: [BSONDocument], to clients: [Client], _ format: NodeJSWireFormat) -> [Outcome] {
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
                guard packets.count < packetLimit else { return .success(nil) }
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
