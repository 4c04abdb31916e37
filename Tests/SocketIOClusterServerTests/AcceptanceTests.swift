// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCluster
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import SwiftSocketIO
import Testing

/// Handlers as the documentation shows them, while nothing can be written for the other servers.
@Suite("Servers whose database does not answer", .timeLimit(.minutes(1)))
struct ServerAcceptanceTests {
    private static func addChat(to io: SocketIOServer) {
        io.onConnect { socket in
            await socket.join("room")
            socket.on("say") { (number: Int) in
                try await socket.to("room").emit("said", number)
                return number
            }
            socket.on("move") { (number: Int) in try await socket.to("room").volatile.emit("moved", number) }
            socket.on("sure") { (number: Int) in try await socket.to("room").confirmed.emit("said", number) }
        }
    }

    private static func numbers(_ client: TestClient, _ count: Int) async throws -> [Int] {
        var numbers: [Int] = []
        while numbers.count < count { numbers.append(try await client.receiveEvent().arguments.decode(Int.self, at: 0)) }
        return numbers
    }

    @Test
    func `A serial handler that emits does not wait; what was accepted reaches the other server later`() async throws {
        try await withServers(setUp: { io in Self.addChat(to: io) }) { servers in
            let (sender, here) = (try await servers[0].joined(), try await servers[0].joined())
            let there = try await servers[1].joined()
            servers[0].faults.cutOff()
            for number in 0..<600 { try await sender.client.emit("say", number) }
            #expect(try await Self.numbers(here.client, 600) == Array(0..<600))
            servers[0].faults.reconnect()
            #expect(try await Self.numbers(there.client, 600) == Array(0..<600))
        }
    }

    @Test
    func `Volatile events wait for nothing, even if the lane is full`() async throws {
        var cluster = ClusterConfiguration.forTests
        cluster.maximumQueuedMessages = 10
        try await withServers(cluster: cluster, setUp: { io in Self.addChat(to: io) }) { servers in
            let (sender, here) = (try await servers[0].joined(), try await servers[0].joined())
            let there = try await servers[1].joined()
            servers[0].faults.cutOff()
            for number in 0..<200 { try await sender.client.emit("move", number) }
            // The last one says that all have been handled. It has to wait for room.
            async let last = sender.client.emitWithAck("say", 200)
            #expect(try await Self.numbers(here.client, 1).count == 1)
            servers[0].faults.reconnect()
            _ = try await last
            var numbers: [Int] = []
            while numbers.last != 200 { numbers += try await Self.numbers(there.client, 1) }
            #expect(numbers.count < 100 && numbers == numbers.sorted())
        }
    }

    @Test
    func `A failure after the acceptance reaches onError with the event and the selection`() async throws {
        let failures = Reports<HandlerFailure>()
        try await withServers(cluster: .forDeaths, setUp: { io in io.onError(failures.report) }) { servers in
            servers[0].faults.cutOff()
            try await servers[0].io.of("/chat").to("a", "b").except("c").emit("news", 1)
            let failure = try #require(await failures.next())
            #expect(failure.event == "news" && failure.socket == nil)
            #expect((failure.error as? ClusterError)?.code == .notSent)
            let undelivered = try #require(failure.undelivered)
            #expect(undelivered.kind == .emit && undelivered.namespace == "/chat")
            #expect(undelivered.options.rooms == ["a", "b"] && undelivered.options.except == ["c"])
            try await servers[0].io.serverSideEmit("tell", 1)
            let second = try #require(await failures.next())
            #expect(second.undelivered?.kind == .serverSideEmit && second.event == "tell")
            servers[0].faults.reconnect()
        }
    }

    @Test(arguments: [true, false])
    func `Confirmed operations throw if they may not have been received`(isDefault: Bool) async throws {
        var configuration = SocketIOConfiguration()
        configuration.confirmsBroadcasts = isDefault
        try await withServers(configuration: configuration, cluster: .forDeaths) { servers in
            let io = servers[0].io
            let all = isDefault ? io.to([]) : io.confirmed
            try await all.emit("news", 1)
            servers[0].faults.cutOff()
            let operations: [@Sendable () async throws -> Void] = [
                { try await all.emit("news", 2) },
                { try await all.to("a").socketsJoin("b") },
                { try await all.socketsLeave("b") },
                { try await all.disconnectSockets() },
                { try await all.serverSideEmit("tell") },
            ]
            await withDiscardingTaskGroup { group in
                for operation in operations {
                    group.addTask {
                        let error = await #expect(throws: ClusterError.self) { try await operation() }
                        #expect(error?.code == .notSent)
                    }
                }
            }
            servers[0].faults.reconnect()
        }
    }

    @Test
    func `What cannot be written before a server is closed is reported`() async throws {
        let failures = Reports<HandlerFailure>()
        var cluster = ClusterConfiguration.forTests
        cluster.unreachableCloseTimeout = .seconds(3)
        cluster.closeTimeout = .seconds(3)
        try await withServers(cluster: cluster, setUp: { io in io.onError(failures.report) }) { servers in
            servers[0].faults.cutOff()
            try await servers[0].io.of("/chat").to("a").emit("news", 1)
            await servers[0].io.close()
            let failure = try #require(await failures.next())
            #expect(failure.event == "news" && failure.undelivered?.namespace == "/chat")
        }
    }
}
