// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOText
import EngineIOCore
import SocketIOCluster
import SocketIOMongoClient
import NIOCore
import SocketIOCore
import SocketIOMongoAdapter
import Testing

@Suite("Wire format of socketioxide: documents of Rust nodes")
struct SocketioxideWireFormatTests {
    typealias Fixture = SocketioxideFixture

    static let nodeA = "JwHwE7LsRm-G3Ana"
    static let nodeB = "-KHViGbhMKN-aZXt"

    @Test
    func `All are there`() { #expect(Fixture.all.count == 88) }

    @Test(arguments: Fixture.all)
    func `Each is what its name says`(fixture: Fixture) throws {
        let names: [String: ClusterMessageKind] = [
            "InitHeartbeat": .initialHeartbeat, "Heartbeat": .heartbeat, "Broadcast": .broadcast, "BroadcastWithAck": .broadcastWithAck,
            "DisconnectSockets": .disconnectSockets, "AddSockets": .addSockets, "DelSockets": .removeSockets,
            "FetchSockets": .fetchSockets, "AllRooms": .rooms, "BroadcastAckCount": .acknowledgementCount, "BroadcastAck": .acknowledgement,
        ]
        let parts = fixture.name.split(separator: ".")[1].split(separator: "-")
        let first = try #require(names[String(parts[1])])
        let answers: [ClusterMessageKind: ClusterMessageKind] = [.rooms: .roomsAnswer, .fetchSockets: .fetchSocketsAnswer]
        let kind = parts[0] == "res" ? answers[first] ?? first : first
        guard let message = try fixture.message else {
            #expect(kind == .acknowledgement, "only what became of clients that are gone is nothing")
            return
        }
        #expect(message.header.kind == kind)
        #expect(message.body.kind == kind)
        #expect(message.header.namespace == "/")
        #expect(message.header.stamp == nil)
        #expect(message.header.origin.epoch == 1)
        #expect((message.header.request != nil) == (kind.isRequest || kind.isAnswer))
        #expect(message.header.target == fixture.document["target"]?.string)
    }

    @Test(arguments: Fixture.all)
    func `Each is encoded to the same bytes again`(fixture: Fixture) throws {
        guard var message = try fixture.message else { return }
        // Sets have no order; their rooms are compared instead.
        if case .roomsAnswer(let rooms) = message.body, rooms.count > 1 { return }
        if let id = fixture.payloadID { message.header.request = SocketioxideWireFormat.requestID(id) }
        let date = fixture.document["createdAt"]?.dateMilliseconds
        let again = try SocketioxideWireFormat(hasDates: date != nil).encode(message, createdAt: date ?? 0)
        #expect(again.map(\.bytes) == [fixture.document.bytes])
    }

    @Test(arguments: Fixture.all)
    func `A node's own documents are its own`(fixture: Fixture) throws {
        let origin = try #require(fixture.document["origin"]?.string)
        guard case .own(let id, let identity) = SocketioxideWireFormat.item(of: fixture.document, for: origin) else {
            Issue.record("not its own")
            return
        }
        #expect(id.bytes == fixture.document["_id"]?.objectID?.bytes)
        #expect(identity.id == origin)
    }

    // MARK: What they say

    private func broadcast(_ name: String) throws -> (packet: EncodedPacket, options: BroadcastOptions) {
        switch try Fixture.named(name).message?.body {
        case .broadcast(let packet, let options)?, .broadcastWithAck(let packet, let options)?: return (packet.encoded, options)
        default: throw CancellationError()
        }
    }

    @Test
    func `JSON events have the header of their type and their attachments`() throws {
        #expect(String(buffer: try broadcast("json.req-Broadcast.1").packet.message) == #"2["msg","hey"]"#)
        #expect(String(buffer: try broadcast("json.req-BroadcastWithAck.1").packet.message) == #"2["msg-ack","q"]"#)
        let binary = try broadcast("json.req-Broadcast.3").packet
        #expect(String(buffer: binary.message) == #"51-["msg",{"b":{"_placeholder":true,"num":0}}]"#)
        #expect(binary.attachments == [ByteBuffer(bytes: [1, 2, 200])])
    }

    @Test
    func `MessagePack events are maps again`() throws {
        let packet = try broadcast("msgpack.req-Broadcast.1").packet
        #expect(packet.isBinary)
        let expected = try PacketEncoder(format: .messagePack).event("msg", namespace: "/") { try $0.append("hey") }
        #expect(packet.message == expected.message)
    }

    @Test(arguments: ["json", "msgpack"])
    func `Selections: all, rooms, everybody but the sender and a room, one socket`(parser: String) throws {
        #expect(try broadcast("\(parser).req-Broadcast.1").options == BroadcastOptions())
        #expect(try broadcast("\(parser).req-Broadcast.2").options == BroadcastOptions(rooms: ["r1"]))
        let all = try broadcast("\(parser).req-Broadcast.4").options
        #expect(all.rooms == ["r1", "r2"])
        #expect(all.except.count == 2)
        #expect(all.except.first == "r3")
        #expect(all.flags.volatile)
        let one = try broadcast("\(parser).req-Broadcast.5").options
        #expect(one.rooms.count == 1)
        #expect(one.rooms[0].utf8.count == 16)
        #expect(one.node != nil)
        #expect(!one.flags.volatile)
    }

    @Test(arguments: ["json", "msgpack"])
    func `Acknowledgements come with their client; one that does not is nothing by itself`(parser: String) throws {
        guard case .acknowledgementCount(2)? = try Fixture.named("\(parser).res-BroadcastAckCount.1").message?.body,
            case .acknowledgement(let arguments)? = try Fixture.named("\(parser).res-BroadcastAck.1").message?.body
        else {
            Issue.record("no acknowledgements")
            return
        }
        let client = try #require(arguments.client)
        #expect(try arguments.decode(String.self, at: 0) == "ack-\(client)")
        #expect(arguments.count == 2)
    }

    private func kinds(_ names: [String]) throws -> [[ClusterMessageKind]] {
        let format = SocketioxideWireFormat(hasDates: true)
        return try names.map { name in
            var items: [DriverItem] = []
            let document = try Fixture.named(name).document
            format.decode(document, for: document["target"]?.string ?? Fixture.stranger, into: &items)
            return items.map { item in
                guard case .message(let header, _) = item else { return .leave }
                return header.kind
            }
        }
    }

    @Test
    func `Clients that do not acknowledge end the part of their node when nothing else is to come`() throws {
        let late = ["Count.2", ".3", ".4"].map { "json.res-BroadcastAck\($0)" }
        #expect(try kinds(late) == [[.acknowledgementCount], [.acknowledgement], [.acknowledgementsEnd]])
        let gone = ["Count.4", ".7", ".8", ".9"].map { "json.res-BroadcastAck\($0)" }
        let expected: [[ClusterMessageKind]] = [
            [.acknowledgementCount], [.acknowledgement], [], [.acknowledgement, .acknowledgementsEnd],
        ]
        #expect(try kinds(gone) == expected)
        let all = ["Count.1", ".1", ".2"].map { "json.res-BroadcastAck\($0)" }
        #expect(try kinds(all) == [[.acknowledgementCount], [.acknowledgement], [.acknowledgement]])
    }

    @Test
    func `What is read again is nothing new`() throws {
        #expect(try kinds(["json.req-Broadcast.1", "json.req-Broadcast.1"]) == [[.broadcast], []])
    }

    @Test(arguments: ["json", "msgpack"])
    func `Rooms and sockets of other nodes`(parser: String) throws {
        guard case .roomsAnswer(let rooms)? = try Fixture.named("\(parser).res-AllRooms.2").message?.body,
            case .fetchSocketsAnswer(let sockets, hasMore: false)? = try Fixture.named("\(parser).res-FetchSockets.1").message?.body
        else {
            Issue.record("no answers")
            return
        }
        #expect(rooms.isSuperset(of: ["r1", "r2"]))
        #expect(rooms.count == 3)
        #expect(sockets.count == 2)
        #expect(sockets.allSatisfy { $0.node == (try? Fixture.named("\(parser).res-FetchSockets.1").document["origin"]?.string) })
    }

    @Test
    func `Joins and leaves`() throws {
        guard case .addSockets(let everybody, rooms: let joined)? = try Fixture.named("json.req-AddSockets.1").message?.body,
            case .removeSockets(_, rooms: let left)? = try Fixture.named("json.req-DelSockets.1").message?.body
        else {
            Issue.record("no rooms")
            return
        }
        #expect(everybody == BroadcastOptions())
        #expect(joined == ["r2", "r3"])
        #expect(left == ["r3"])
    }
}
#endif
