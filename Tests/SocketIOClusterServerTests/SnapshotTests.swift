// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCluster
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import SwiftSocketIO
import Testing

@Suite("Sessions of servers that crash", .timeLimit(.minutes(2)))
struct SnapshotTests {
    private static func cluster(keepsSnapshots: Bool = true) -> ClusterConfiguration {
        var configuration = ClusterConfiguration.forDeaths
        configuration.snapshotsSessions = keepsSnapshots
        // Shorter than a death takes to be noticed: claims wait longer than other requests.
        configuration.requestTimeout = .seconds(1)
        return configuration
    }

    private static func with(
        _ count: Int,
        loops: Int = 2,
        keepsSnapshots: Bool = true,
        _ body: ([TestServer]) async throws -> Void
    ) async throws {
        try await withServers(
            count,
            loops: loops,
            configuration: RecoveryTests.configuration,
            cluster: cluster(keepsSnapshots: keepsSnapshots),
            setUp: { io in RecoveryTests.setUp(io) },
            body
        )
    }

    /// Presents a session, and waits also for those who must wait for a death.
    ///
    /// - Returns: The socket's id.
    private func come(_ client: TestClient, _ pid: String?, _ offset: String?) async throws -> String {
        try await client.requestJoin("/", auth: RecoveryTests.claim(pid, offset))
        struct Answer: Decodable { var sid: String }
        guard case .connect(let payload?) = try await client.receivePacket(timeout: .seconds(40)).content else { return "refused" }
        return try payload.decode(Answer.self).sid
    }

    /// A client whose session is kept as it is.
    private func kept(at server: TestServer) async throws -> Guest {
        while true {
            let guest = try await server.joined()
            _ = try await guest.client.emitWithAck("state")
            let pid = try #require(guest.pid)
            try await eventually { server.record.snapshot(pid)?.state.rooms == [guest.sid, "room"] }
            // The first broadcast of a server that has just started may still be on its way.
            if server.record.snapshot(pid)?.start != nil { return guest }
            await guest.client.cut()
        }
    }

    private func receive(_ client: TestClient) async throws -> (text: String, offset: String) {
        let arguments = try await client.receiveEvent().arguments
        return (try arguments.decode(String.self, at: 0), try arguments.decode(String.self, at: arguments.count - 1))
    }

    /// What a client has got last.
    enum Last: CaseIterable {
        case nothing
        case fromAnother
        case fromItsOwn
        case forItAlone
    }

    @Test(arguments: Last.allCases, [1, 4])
    func `The client goes on elsewhere with its id, rooms and data, and gets all that it missed`(last: Last, loops: Int) async throws {
        try await Self.with(3, loops: loops) { servers in
            let guest = try await kept(at: servers[0])
            var got: [String] = []
            var offset: String?
            func get(_ text: String) async throws {
                let event = try await receive(guest.client)
                got.append(event.text)
                offset = event.offset
                #expect(event.text == text)
            }
            if last != .nothing {
                try await servers[1].io.to("room").emit("n", "one")
                try await get("one")
                try await servers[0].io.to("room").emit("n", "two")
                try await get("two")
            }
            if last == .fromAnother {
                try await servers[2].io.to("room").emit("n", "three")
                try await get("three")
            }
            if last == .forItAlone {
                for socket in await servers[0].io.sockets.sockets { try socket.emit("n", "for you") }
                try await get("for you")
            }
            // It gets no more, although its server does.
            try await guest.client.stopReading()
            // What a server has only accepted dies with it.
            try await servers[0].io.to("room").confirmed.emit("n", "lost by its own")
            try await servers[1].io.to("room").confirmed.emit("n", "lost by another")
            servers[0].faults.cutOff()
            await guest.client.cut()
            try await servers[2].io.to("elsewhere").emit("n", "not for it")
            try await servers[1].io.except("room").emit("n", "nor this")
            try await servers[2].io.to("room").emit("n", "while it was away")
            let back = try await servers[2].connect()
            #expect(try await come(back, guest.pid, offset) == guest.sid)
            try await servers[2].io.to("room").emit("n", "after")
            try await servers[1].io.to("room").emit("n", "end")
            let texts = try await back.textsUntilEnd()
            let expected: Set<String> = ["lost by its own", "lost by another", "while it was away", "after", "end"]
            #expect(expected.isSubset(of: texts))
            #expect(expected.union(got).isSuperset(of: texts))
            if let received = got.last { #expect(!texts.contains(received)) }
            try await RecoveryTests.expectState(of: back, guest.sid)
        }
    }

    @Test
    func `Without the option it is a fresh session`() async throws {
        try await Self.with(2, keepsSnapshots: false) { servers in
            let guest = try await servers[0].joined()
            try await servers[1].io.to("room").emit("n", "one")
            let offset = try await receive(guest.client).offset
            #expect(offset.count == 24)
            servers[0].faults.cutOff()
            await guest.client.cut()
            let back = try await servers[1].connect()
            #expect(try await come(back, guest.pid, offset) != guest.sid)
            #expect(servers[0].record.hasNoSnapshots)
        }
    }

    @Test
    func `A server that is only slow is waited for, and gives its session up itself`() async throws {
        try await Self.with(2) { servers in
            let guest = try await kept(at: servers[0])
            try await servers[1].io.to("room").emit("n", "one")
            let offset = try await receive(guest.client).offset
            servers[0].faults.cutOff()
            await guest.client.cut()
            try await eventually { servers[0].io.sockets.socketCount == 0 }
            try await servers[0].io.in(guest.sid).local.emit("n", "only its server knows")
            let back = try await servers[1].connect()
            async let answer = come(back, guest.pid, offset)
            // It is asked while nobody hears of it, and has to be waited for.
            try await eventually { !servers[1].record.written(.claimSession).isEmpty }
            servers[0].faults.reconnect()
            #expect(try await answer == guest.sid)
            try await servers[1].io.to("room").emit("n", "end")
            #expect(try await back.textsUntilEnd() == ["only its server knows", "end"])
            let pid = try #require(guest.pid)
            try await eventually { servers[0].record.snapshot(pid) == nil && servers[1].record.snapshot(pid) != nil }
        }
    }

    @Test
    func `Of two claims one ends up with the session, and when its new server crashes too it goes on at the next`() async throws {
        try await Self.with(3) { servers in
            let guest = try await kept(at: servers[0])
            try await servers[1].io.to("room").emit("n", "one")
            var offset = try await receive(guest.client).offset
            servers[0].faults.cutOff()
            await guest.client.cut()
            let backs = [try await servers[1].connect(), try await servers[2].connect()]
            let presented = offset
            async let first = come(backs[0], guest.pid, presented)
            async let second = come(backs[1], guest.pid, presented)
            let sids = [try await first, try await second]
            #expect(sids.contains(guest.sid))
            // The second may have taken it from the first.
            var places: [Int] = []
            for index in 1...2 where await servers[index].io.sockets.sockets.contains(where: { $0.id == guest.sid }) {
                places.append(index)
            }
            #expect(places.count == 1)
            let place = try #require(places.first)
            let pid = try #require(guest.pid)
            try await eventually { servers[place].record.snapshot(pid)?.state.rooms == [guest.sid, "room"] }
            #expect(servers[place].record.snapshot(pid)?.isMoved == true)
            try await servers[place].io.to("room").emit("n", "two")
            offset = try await receive(backs[place - 1]).offset
            servers[place].faults.cutOff()
            await backs[place - 1].cut()
            let other = 3 - place
            try await servers[other].io.to("room").emit("n", "three")
            let again = try await servers[other].connect()
            #expect(try await come(again, guest.pid, offset) == guest.sid)
            try await servers[other].io.to("room").emit("n", "end")
            let texts = try await again.textsUntilEnd()
            #expect(Set(texts).isSuperset(of: ["three", "end"]) && Set(texts).isSubset(of: ["one", "three", "end"]))
            try await RecoveryTests.expectState(of: again, guest.sid)
        }
    }

    @Test
    func `The snapshot of a session follows its rooms, and goes when it ends`() async throws {
        try await Self.with(2) { servers in
            let guest = try await kept(at: servers[0])
            let pid = try #require(guest.pid)
            try await servers[1].io.in("room").socketsJoin("another")
            try await eventually { servers[0].record.snapshot(pid)?.state.rooms == [guest.sid, "room", "another"] }
            try await servers[0].io.in("room").socketsLeave("room")
            try await eventually { servers[0].record.snapshot(pid)?.state.rooms == [guest.sid, "another"] }
            // Back at the same server, on whichever loop.
            await guest.client.cut()
            let back = try await servers[0].connect()
            #expect(try await come(back, guest.pid, nil) == guest.sid)
            try await servers[1].io.in("another").socketsJoin("a third")
            try await eventually { servers[0].record.snapshot(pid)?.state.rooms == [guest.sid, "another", "a third"] }
            try await servers[1].io.in("another").disconnectSockets()
            try await eventually { servers[0].record.hasNoSnapshots }
        }
    }

    @Test("The snapshot of a session whose data has grown too large is removed")
    func tooMuchData() async throws {
        try await Self.with(1) { servers in
            servers[0].io.onConnect { socket in
                socket.on("grow") {
                    socket.data["large"] = String(repeating: "x", count: 40_000)
                    await socket.join("another")
                }
            }
            let guest = try await kept(at: servers[0])
            let pid = try #require(guest.pid)
            _ = try await guest.client.emitWithAck("grow")
            try await eventually { servers[0].record.snapshot(pid) == nil }
        }
    }
}
