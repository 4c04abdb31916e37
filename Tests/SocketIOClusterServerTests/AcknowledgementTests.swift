// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCluster
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import SwiftSocketIO
import Testing

@Suite("Acknowledgements between servers", .timeLimit(.minutes(1)))
struct AcknowledgementTests {
    private func answer(_ guest: Guest, _ value: Int) async throws {
        try await guest.client.acknowledge(try #require(try await guest.client.receiveEvent().id), value)
    }

    @Test(arguments: [1, 4])
    func `Acknowledgements come from all servers as they arrive; who is gone is not waited for`(loops: Int) async throws {
        try await withServers(3, loops: loops) { servers in
            var guests: [Guest] = []
            for number in 0..<6 { guests.append(try await servers[number % 3].joined(rooms: ["room"])) }
            _ = try await servers[1].joined()
            let acknowledgements = try await servers[0].io.to("room").timeout(.seconds(10)).emitWithAck("ready?", as: Int.self)
            var iterator = acknowledgements.makeAsyncIterator()
            for (number, guest) in guests.enumerated() {
                if number == 4 {
                    _ = try await guest.client.receiveEvent()
                    await guest.client.cut()
                    continue
                }
                try await answer(guest, number)
                #expect(try await iterator.next() == number)
            }
            #expect(try await iterator.next() == nil)
            let summary = acknowledgements.raw.summary
            #expect(summary.expected == 6 && summary.answered == 5 && !summary.timedOut && summary.missingNodes.isEmpty)
        }
    }

    @Test
    func `Nobody is asked: the answer is empty at once`() async throws {
        try await withServers { servers in
            let answers = try await servers[0].io.to("nobody").timeout(.seconds(30)).emitWithAck("x", as: Int.self)
            #expect(try await answers.collect().isEmpty)
        }
    }

    @Test
    func `The caller's timeout ends it on all servers, with what has come`() async throws {
        try await withServers { servers in
            let quick = try await servers[1].joined()
            let slow = try await servers[1].joined()
            let answers = try await servers[0].io.timeout(.seconds(3)).emitWithAck("x", as: Int.self)
            try await answer(quick, 1)
            let error = await #expect(throws: IncompleteResponseError<[Int]>.self) { try await answers.collect() }
            #expect(error?.partial == [1])
            #expect(error?.missingNodes == [])
            #expect(answers.raw.summary.timedOut)
            // A late answer is harmless.
            try await answer(slow, 2)
            try await servers[1].io.emit("msg", "end")
            #expect(try await slow.client.textsUntilEnd() == ["end"])
        }
    }

    @Test
    func `A server that dies ends its part with its id, long before the timeout`() async throws {
        try await withServers(3, cluster: .forDeaths) { servers in
            let alive = try await servers[1].joined()
            let doomed = try await servers[2].joined()
            let start = ContinuousClock.now
            let answers = try await servers[0].io.timeout(.seconds(30)).emitWithAck("x", as: Int.self)
            _ = try await doomed.client.receiveEvent()
            servers[2].faults.cutOff()
            try await answer(alive, 1)
            let (responses, summary) = try await answers.collectAvailable()
            #expect(responses == [1])
            #expect(summary.missingNodes == ["node2"])
            #expect(!summary.timedOut)
            #expect(ContinuousClock.now - start < .seconds(20))
        }
    }

    @Test
    func `A server that leaves ends its part at once`() async throws {
        try await withServers(3) { servers in
            let leaving = try await servers[2].joined()
            let answers = try await servers[0].io.timeout(.seconds(30)).emitWithAck("x", as: Int.self)
            _ = try await leaving.client.receiveEvent()
            // Until then it could only be named as missing.
            try await eventually { !servers[2].record.written(.acknowledgementCount).isEmpty }
            await servers[2].io.close()
            let (responses, summary) = try await answers.collectAvailable()
            #expect(responses.isEmpty)
            #expect(summary.expected == 1 && !summary.timedOut)
        }
    }
}
