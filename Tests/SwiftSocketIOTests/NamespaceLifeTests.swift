// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOTestSupport
import SocketIOTesting
import Testing

@testable import SocketIOCore
@testable import SwiftSocketIO

@Suite(.timeLimit(.minutes(1))) struct NamespaceLifeTests {
    @Test func `a child waits until its predecessor is closed`() async throws {
        var configuration = SocketIOConfiguration()
        configuration.cleanupEmptyChildNamespaces = true
        configuration.limits.childNamespaces = 1
        let life = Reports<String>()
        let release = Reports<Void>()
        let adapter = StubAdapterFactory(
            onMake: { context in
                if context.namespace != "/" { life.report("made") }
            },
            onAdapterStart: { namespace in
                if namespace != "/" { life.report("started") }
            },
            onAdapterClose: { namespace in
                guard namespace != "/" else { return }
                life.report("closing")
                _ = await release.next()
                life.report("closed")
            }
        )
        try await withTestServer(configuration: configuration, adapter: adapter, eventLoops: 1) { io in
            io.of(/\/tenant-[0-9]+/).onConnect { _ in }
        } _: { server in
            let client = try await server.connect()
            try await client.join("/tenant-1")
            try await client.send(text: "41/tenant-1,")
            for expected in ["made", "started", "closing"] { #expect(await life.next() == expected) }
            // What is being closed counts.
            try await client.requestJoin("/tenant-2")
            #expect(try await client.receive() == .text("44/tenant-2,{\"message\":\"Too many namespaces\"}"))
            try await client.requestJoin("/tenant-1")
            let (other, _, _) = try await server.joined()
            try await other.send(text: "40/nothing,")
            _ = try await other.receive()
            release.report(())
            _ = try await client.receivePacket()
            for expected in ["closed", "made", "started"] { #expect(await life.next() == expected) }
            #expect(server.io.of("/tenant-1").socketCount == 1)
            release.report(())
        }
    }

    @Test func `names that nobody could ask for are refused`() async throws {
        for name in ["/a,b", "/" + String(repeating: "x", count: 1_024)] {
            let io = SocketIOServer()
            _ = io.of(name)
            await #expect { try await io.start() } throws: { ($0 as? SocketIOError)?.code == .invalidNamespace }
            await io.close()
        }
        let errors = Reports<SocketIOError?>()
        try await withTestServer(eventLoops: 1) { io in
            io.onError { errors.report($0.error as? SocketIOError) }
        } _: { server in
            let late = server.io.of("/c,d")
            #expect(await errors.next()??.code == .invalidNamespace)
            await #expect { try await late.emit("x") } throws: { ($0 as? SocketIOError)?.code == .invalidNamespace }
            #expect(server.io.of("") === server.io.sockets)
        }
    }

    @Test func `a dynamic namespace has a good name too`() async throws {
        var configuration = SocketIOConfiguration()
        configuration.parser = .messagePack
        try await withTestServer(configuration: configuration, eventLoops: 1) { io in
            _ = io.of { _, _ in true }
        } _: { server in
            let client = try await server.connect()
            try await client.join("/good")
            try await client.requestJoin("/a,b")
            guard case .connectError = try await client.receivePacket().content else {
                Issue.record("let in")
                return
            }
        }
    }

    @Test func `a closed server says so`() async throws {
        let io = SocketIOServer()
        try await io.start()
        await io.close()
        await #expect { try await io.emit("x") } throws: { ($0 as? SocketIOError)?.code == .serverClosed }
        await #expect { try await io.of("/new").fetchSockets() } throws: { ($0 as? SocketIOError)?.code == .serverClosed }
        await #expect { try await io.start() } throws: { ($0 as? SocketIOError)?.code == .serverClosed }
        #expect(io.namespaces.all.isEmpty)
    }

    private struct Failure: Error {}

    @Test func `handlers of server side events are bounded`() async throws {
        var configuration = SocketIOConfiguration()
        configuration.limits.serverSideEvents = 3
        let context = Shared<AdapterContext?>(nil)
        let (running, release) = (Shared(0), Shared(false))
        let errors = Reports<SocketIOError?>()
        let adapter = StubAdapterFactory(onMake: { context.value = $0 })
        try await withTestServer(configuration: configuration, adapter: adapter, eventLoops: 1) { io in
            io.onError { errors.report($0.error as? SocketIOError) }
            io.on("work") { () async throws -> Int in
                running.value += 1
                try await eventually { release.value }
                running.value -= 1
                return 7
            }
            io.on("other") { () async throws -> Int in throw Failure() }
            io.on("other") { () async -> String in "second" }
        } _: { server in
            let receive = try #require(context.value).onServerSideEmit
            func event(_ name: String) throws -> EventArguments { try server.io.encoder.arguments { try $0.append(name) } }
            let answers = Reports<EventArguments>()
            for _ in 0..<10 { receive(try event("work")) { answers.report($0) } }
            try await eventually { running.value == 3 }
            #expect(await errors.next()??.code == .tooManyServerSideEvents)
            release.value = true
            for _ in 0..<3 { #expect(try await answers.next()?.decode(Int.self, at: 0) == 7) }
            try await eventually { running.value == 0 }
            // Reported once, and served again; the first handler that does not fail answers.
            let answer = Shared<String?>(nil)
            try await eventually {
                receive(try event("other")) { answer.value = try? $0.decode(String.self, at: 0) }
                return answer.value == "second"
            }
            #expect(await errors.next()??.code == nil)
        }
    }

    @Test func `handlers of server-side events are bounded by bytes, too`() async throws {
        var configuration = SocketIOConfiguration()
        configuration.limits.serverSideEventBytes = 10_000
        let context = Shared<AdapterContext?>(nil)
        let (started, release) = (Shared(0), Shared(false))
        let errors = Reports<SocketIOError?>()
        try await withTestServer(configuration: configuration, adapter: StubAdapterFactory(onMake: { context.value = $0 }), eventLoops: 1) {
            io in
            io.onError { errors.report($0.error as? SocketIOError) }
            io.on("work") { (text: String) async throws in
                started.value += 1
                try await eventually { release.value }
            }
        } _: { server in
            let receive = try #require(context.value).onServerSideEmit
            func event(_ size: Int) throws -> EventArguments {
                try server.io.encoder.arguments {
                    try $0.append("work")
                    try $0.append(String(repeating: "x", count: size))
                }
            }
            for _ in 0..<10 { receive(try event(3_000), nil) }
            #expect(await errors.next()??.code == .tooManyServerSideEvents)
            try await eventually { started.value == 3 }
            release.value = true
            // One that is larger than the limit is handled when it is alone.
            try await eventually {
                receive(try event(20_000), nil)
                return started.value > 3
            }
        }
    }

    @Test func `a small server-side event does not keep the document that it came in`() throws {
        var document = ByteBuffer(repeating: 0x20, count: 1 << 20)
        document.setString("[1,\"a\",[2]]", at: 1_000)
        let arguments = try EventArguments(array: try #require(document.getSlice(at: 1_000, length: 11)), format: .json)
        let compact = arguments.compacted()
        #expect(compact.bytes.storageCapacity < 4_096 && compact.count == 3 && compact.byteCount == arguments.byteCount)
        #expect(try compact.decode(String.self, at: 1) == "a" && compact.decode([Int].self, at: 2) == [2])
        #expect(try compact.dropFirst().compacted().decode(String.self, at: 0) == "a")
    }
}
