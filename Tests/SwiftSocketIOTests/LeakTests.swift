// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCore
import SocketIOTesting
import Synchronization
import Testing

@testable import SwiftSocketIO

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Counts its living instances.
private final class Witness: Sendable {
    static let living = Atomic<Int>(0)
    init() { Self.living.wrappingAdd(1, ordering: .relaxed) }
    deinit { Self.living.wrappingSubtract(1, ordering: .relaxed) }
}

/// Raises the number of files that the process may open as far as it is allowed.
private func raiseDescriptorLimit() -> Int {
    var limit = rlimit()
    #if canImport(Glibc)
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
    let resource = RLIMIT_NOFILE
    #endif
    getrlimit(resource, &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(resource, &limit)
    getrlimit(resource, &limit)
    return Int(clamping: limit.rlim_cur)
}

@Suite(.timeLimit(.minutes(10)), .serialized) struct LeakTests {
    @Test func `ten thousand connections leave nothing behind`() async throws {
        let descriptors = raiseDescriptorLimit()
        let batch = min(2_500, descriptors / 4)
        if batch < 2_500 { print("only \(descriptors) descriptors are allowed: connecting \(batch) clients at a time") }
        try await withTestServer(eventLoops: 2) { io in
            io.of("/other").onConnect { _ in }
            io.onConnect { socket in
                let witness = Witness()
                await socket.join("room \(socket.id)", "everybody")
                socket.on("x") { (_: String) in _ = (socket, witness) }
                socket.onAny { _ in _ = (socket, witness) }
                socket.use { _ in _ = (socket, witness) }
                socket.onDisconnecting { _ in _ = (socket, witness) }
                socket.addTask { _ = try? await socket.emitWithAck("question") }
            }
        } _: { server in
            var done = 0
            while done < 10_000 {
                let clients = try await connect(min(batch, 10_000 - done), to: server)
                done += clients.count
                #expect(server.io.clientsCount == clients.count)
                await withTaskGroup { group in for client in clients { group.addTask { await client.cut() } } }
                try await eventually { server.io.clientsCount == 0 && Witness.living.load(ordering: .relaxed) == 0 }
            }
            #expect(done == 10_000)
            #expect(try await server.io.rooms().isEmpty)
            #expect(server.io.sockets.socketCount == 0)
            #expect(server.io.of("/other").socketCount == 0)
        }
    }

    private func connect(_ count: Int, to server: TestServer) async throws -> [TestClient] {
        try await withThrowingTaskGroup(of: TestClient.self) { group in
            var clients: [TestClient] = []
            for index in 0..<count {
                if index >= 64, let client = try await group.next() { clients.append(client) }
                group.addTask {
                    let client = try await server.connect()
                    try await client.join()
                    _ = try await client.receiveEvent()
                    try await client.join("/other")
                    return client
                }
            }
            for try await client in group { clients.append(client) }
            return clients
        }
    }

    @Test func `two thousand clients that do not read stay within their bound`() async throws {
        let count = min(2_000, raiseDescriptorLimit() / 4)
        if count < 2_000 { print("not enough descriptors for 2 000 clients: testing with \(count)") }
        var configuration = SocketIOConfiguration()
        let bound = 128 << 10
        configuration.engine.limits.sendBufferBytes = bound
        try await withTestServer(configuration: configuration, eventLoops: 2) { io in
            // Each gets bytes of its own, so that nothing is shared.
            io.onConnect { socket in
                socket.on("fill") { (bytes: Int) in try socket.emit("filling", String(repeating: "x", count: bytes)) }
            }
        } _: { server in
            var clients: [TestClient] = []
            for _ in 0..<count {
                let client = try await server.connect()
                try await client.join()
                clients.append(client)
            }
            for client in clients { try await client.stopReading() }
            let before = residentBytes()
            for _ in 0..<60 {
                for client in clients where client.isOpen { try? await client.emit("fill", 64 << 10) }
            }
            try await eventually { server.io.clientsCount == 0 }
            let grown = residentBytes() - before
            // What the kernel buffers is not the process's; twice the bound leaves room for the allocator.
            #expect(grown < count * bound * 2, "\(grown >> 20) MiB for \(count) clients")
        }
    }

    private func residentBytes() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, 256, file) != nil else { return 0 }
        let fields = line.prefix { $0 != 0 }.split(separator: CChar(UInt8(ascii: " ")))
        let pages = fields.count > 1 ? Int(String(decoding: fields[1].map { UInt8(bitPattern: $0) }, as: UTF8.self)) ?? 0 : 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
