// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCluster
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import SocketIOText
import SwiftSocketIO
import Testing

@Suite("Requests between servers", .timeLimit(.minutes(1)))
struct RequestTests {
    private static func setUp(_ servers: [TestServer]) {
        for (index, server) in servers.enumerated() {
            server.io.onConnect { socket in
                socket.data["name"] = "guest of \(index)"
                socket.data["level"] = index
            }
        }
    }

    @Test
    func `Sockets of all servers are described: node, rooms, handshake, data`() async throws {
        try await withServers(3) { servers in
            Self.setUp(servers)
            let client = try await servers[2].connect(headers: [("x-team", "red")])
            let sid = try await client.join(auth: #"{"token":"abc"}"#).sid
            try await servers[2].io.in(sid).local.socketsJoin("room")
            let own = try await servers[0].joined(rooms: ["room"])
            _ = try await servers[1].joined()
            let sockets = try await servers[0].io.in("room").fetchSockets()
            #expect(Set(sockets.map(\.id)) == [sid, own.sid])
            #expect(sockets.first { $0.id == own.sid }?.node == "node0")
            let remote = try #require(sockets.first { $0.id == sid })
            #expect(remote.node == "node2")
            #expect(remote.rooms == [sid, "room"])
            #expect(remote.handshake.headers["x-team"] == "red")
            #expect(remote.handshake.query["EIO"] == "4")
            #expect(remote.handshake.url.hasPrefix("/socket.io/"))
            #expect(try remote.handshake.auth?.decode([String: String].self) == ["token": "abc"])
            #expect(remote.data["name", as: String.self] == "guest of 2")
            #expect(remote.data["level", as: Int.self] == 2)
            #expect(remote.data["level", as: String.self] == nil)
            #expect(try await servers[0].io.fetchSockets().count == 3)
            #expect(try await servers[0].io.local.fetchSockets().map(\.id) == [own.sid])
        }
    }

    @Test
    func `What is done with a fetched socket goes to its node only`() async throws {
        try await withServers(
            3,
            setUp: { io in
                io.onConnect { socket in socket.on("rooms") { () async in await socket.rooms.sorted() } }
            }
        ) { servers in
            let guest = try await servers[2].joined()
            let remote = try #require(try await servers[0].io.in(guest.sid).fetchSockets().first)
            try await remote.emit("hello", "you")
            #expect(try await guest.client.receiveEvent().arguments.decode(String.self, at: 0) == "you")
            async let answer = remote.timeout(.seconds(10)).emitWithAck("question", as: String.self)
            try await guest.client.acknowledge(try #require(try await guest.client.receiveEvent().id), "answer")
            #expect(try await answer == "answer")
            try await remote.join("a", "b")
            try await remote.leave("a")
            try await eventually {
                try await guest.client.emitWithAck("rooms").decode([String].self, at: 0) == [guest.sid, "b"].sorted()
            }
            try await remote.disconnect()
            #expect(try await guest.client.receive() == .text("41"))
            for kind in [ClusterMessageKind.broadcast, .broadcastWithAck, .addSockets, .removeSockets, .disconnectSockets] {
                #expect(servers[0].record.written(kind).map(\.target) == ["node2"], "\(kind)")
            }
        }
    }

    @Test
    func `A fetched socket that does not answer, or is gone, throws what says so`() async throws {
        try await withServers { servers in
            Self.setUp(servers)
            let guest = try await servers[1].joined()
            let remote = try #require(try await servers[0].io.fetchSockets().first)
            let late = await #expect(throws: SocketIOError.self) {
                try await remote.timeout(.milliseconds(300)).emitWithAck("x", as: Int.self)
            }
            #expect(late?.code == .acknowledgementTimeout)
            await guest.client.cut()
            try await eventually { servers[1].io.sockets.socketCount == 0 }
            let gone = await #expect(throws: SocketIOError.self) {
                try await remote.timeout(.seconds(20)).emitWithAck("x", as: Int.self)
            }
            #expect(gone?.code == .disconnected)
        }
    }

    @Test
    func `Joins, leaves and disconnects reach the selected sockets of all servers`() async throws {
        let ends = Reports<String>()
        try await withServers(
            3,
            setUp: { io in
                io.onConnect { socket in socket.onDisconnect { end in ends.report("\(end.reason)") } }
            }
        ) { servers in
            var guests: [Guest] = []
            for server in servers { guests.append(try await server.joined(rooms: ["lobby"])) }
            let io = servers[1].io
            try await io.in("lobby").except(guests[0].sid).socketsJoin("game", "match")
            try await io.in("game").socketsLeave("lobby", "match")
            let expected: NameSet = NameSet(guests.map(\.sid)).union(["lobby", "game"])
            try await eventually { try await servers[0].io.rooms() == expected }
            #expect(try await servers[0].io.in(guests[2].sid).rooms() == [guests[2].sid, "game"])
            try await io.in("game").disconnectSockets()
            #expect(try await guests[1].client.receive() == .text("41"))
            #expect(try await guests[2].client.receive() == .text("41"))
            for _ in 0..<2 { #expect(await ends.next() == "server namespace disconnect") }
            try await io.disconnectSockets(close: true)
            await guests[0].client.waitUntilClosed()
            #expect(await ends.next() == "server namespace disconnect")
        }
    }

    @Test
    func `A server that is gone is missing, at once and by its id; what arrived is there`() async throws {
        try await withServers(3, cluster: .forDeaths) { servers in
            Self.setUp(servers)
            let here = try await servers[0].joined()
            let there = try await servers[1].joined()
            _ = try await servers[2].joined()
            servers[2].faults.cutOff()
            let start = ContinuousClock.now
            let error = await #expect(throws: IncompleteResponseError<[RemoteSocket]>.self) { try await servers[0].io.fetchSockets() }
            #expect(error?.missingNodes == ["node2"])
            #expect(error.map { Set($0.partial.map(\.id)) } == [here.sid, there.sid])
            #expect(error?.partial.first { $0.id == there.sid }?.data["name", as: String.self] == "guest of 1")
            // The request timeout is 20 s.
            #expect(ContinuousClock.now - start < .seconds(19))
            #expect(try await servers[0].io.fetchSockets().count == 2)
        }
    }

    @Test
    func `Who can do with less gets what arrived, and who is missing`() async throws {
        try await withServers(3, cluster: .forDeaths) { servers in
            let here = try await servers[0].joined(rooms: ["a"])
            let there = try await servers[1].joined(rooms: ["b"])
            servers[2].faults.cutOff()
            async let sockets = servers[0].io.fetchAvailableSockets()
            async let rooms = servers[0].io.availableRooms()
            #expect(try await Set(sockets.sockets.map(\.id)) == [here.sid, there.sid])
            #expect(try await sockets.missingNodes == ["node2"])
            #expect(try await rooms.rooms == [here.sid, there.sid, "a", "b"])
            #expect(try await rooms.missingNodes == ["node2"])
            #expect(try await servers[0].io.fetchAvailableSockets().missingNodes.isEmpty)
        }
    }

    @Test
    func `Servers are counted from the start to the leave, also while they drain`() async throws {
        try await withServers(3) { servers in
            #expect(try await servers[2].io.serverCount() == 3)
            await servers[1].node?.drain()
            try await eventually { servers[0].node?.nodes.count == 2 }
            #expect(try await servers[0].io.serverCount() == 3)
            #expect(try await servers[0].io.fetchSockets().isEmpty)
            await servers[1].io.close()
            try await eventually { try await servers[0].io.serverCount() == 2 }
        }
    }
}
