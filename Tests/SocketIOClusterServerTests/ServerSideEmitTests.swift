// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import SwiftSocketIO
import Testing

@Suite("Events between servers", .timeLimit(.minutes(1)))
struct ServerSideEmitTests {
    @Test
    func `All other servers get an event, in order, and the sender does not`() async throws {
        let received = [Reports<String>(), Reports<String>(), Reports<String>()]
        try await withServers(3) { servers in
            for (server, received) in zip(servers, received) { server.io.on("reload") { (what: String) in received.report(what) } }
            for number in 0..<10 { try await servers[0].io.serverSideEmit("reload", "\(number)") }
            for index in [1, 2] { for number in 0..<10 { #expect(await received[index].next() == "\(number)") } }
            try await servers[1].io.serverSideEmit("reload", "from 1")
            #expect(await received[0].next() == "from 1")
            #expect(await received[2].next() == "from 1")
        }
    }

    @Test
    func `Each of the others answers once`() async throws {
        try await withServers(3, setUp: { io in _ = io.of("/chat") }) { servers in
            for (index, server) in servers.enumerated() {
                server.io.on("count") { (factor: Int) in index * factor }
                server.io.of("/chat").on("count") { "chat \(index)" }
            }
            #expect(try await servers[0].io.serverSideEmitWithAck("count", 10, as: Int.self).sorted() == [10, 20])
            #expect(try await servers[2].io.of("/chat").serverSideEmitWithAck("count", as: String.self).sorted() == ["chat 0", "chat 1"])
            let answer = try await servers[1].io.serverSideEmitWithAvailableAcks("count", 1, as: Int.self)
            #expect(answer.responses.sorted() == [0, 2])
            #expect(answer.missingNodes.isEmpty)
        }
    }

    @Test
    func `A server without a handler is missing when the time is over; what arrived is there`() async throws {
        try await withServers(3) { servers in
            for index in 0..<2 { servers[index].io.on("count") { index } }
            let brief = servers[0].io.timeout(.seconds(2))
            let error = await #expect(throws: IncompleteResponseError<[Int]>.self) {
                try await brief.serverSideEmitWithAck("count", as: Int.self)
            }
            #expect(error?.partial == [1])
            #expect(error?.missingNodes == ["node2"])
            let (responses, missingNodes) = try await brief.serverSideEmitWithAvailableAcks("count", as: Int.self)
            #expect(responses == [1] && missingNodes == ["node2"])
        }
    }
}
