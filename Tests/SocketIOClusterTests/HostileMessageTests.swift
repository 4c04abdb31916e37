// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import Logging
import NIOCore
import NIOPosix
import SocketIOCluster
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import Synchronization
import Testing

/// What a writer to the backend can make of the packets in messages.
@Suite("Hostile messages")
struct HostileMessageTests {
    /// A node for one parser, with a socket that keeps what it is given.
    private final class Node: Sendable {
        let node: ClusterNode
        let adapter: any Adapter
        let socket: FakeSocket
        let events = TestNode.Log()

        init(_ id: String, _ cluster: InMemoryCluster, _ format: PacketFormat, recovery: RecoveryLimits? = nil) {
            var options = ClusterNode.Options(id: id, configuration: TestNode.configuration())
            options.logger.logLevel = .critical
            let events = events
            options.onEvent = { events.append("\($0)") }
            node = ClusterNode(driver: cluster.makeDriver(), options: options)
            let loops = [MultiThreadedEventLoopGroup.singleton.next()]
            let local = CoreLocalAdapter(eventLoops: loops, format: format, recovery: recovery)
            adapter = node.makeAdapter(AdapterContext(namespace: "/", local: local) { _, _ in })
            socket = FakeSocket("socket of \(id)", on: loops[0])
        }

        func start() async throws {
            try await node.start()
            try await adapter.start()
            try await socket.eventLoop.submit { [adapter, socket] in _ = adapter.local.add(socket) }.get()
        }
    }

    private static let hostile: [[UInt8]] = [
        [0xff], [0x8f], [0x80], [0xde, 0xff, 0xff], [0xdf, 0xff, 0xff, 0xff, 0xff], Array(#"2["disconnect"]"#.utf8), Array("2[".utf8),
        Array(#"27["numbered"]"#.utf8), Array(#"2/other,["e"]"#.utf8), Array(#"0{"sid":"x"}"#.utf8),
        Array(#"51-["e",{"_placeholder":true,"num":0}]"#.utf8),
    ]

    /// Node `a` says what a hostile writer would; node `b` has the client.
    private func withNodes(_ format: PacketFormat, recovery: RecoveryLimits? = nil, _ body: (Node, Node) async throws -> Void) async throws
    {
        let cluster = InMemoryCluster()
        let nodes = [Node("a", cluster, format, recovery: recovery), Node("b", cluster, format, recovery: recovery)]
        for node in nodes { try await node.start() }
        for node in nodes { try await eventually { try await node.adapter.serverCount() == 2 } }
        let result: Result<Void, any Error>
        do { result = .success(try await body(nodes[0], nodes[1])) } catch { result = .failure(error) }
        for node in nodes { await node.node.close() }
        try result.get()
    }

    private func event(_ name: String, _ format: PacketFormat) throws -> BroadcastPacket {
        BroadcastPacket(try PacketEncoder(format: format).event(name, namespace: "/") { _ in })
    }

    @Test(.timeLimit(.minutes(1)), arguments: PacketFormat.allCases, [nil, RecoveryLimits()] as [RecoveryLimits?])
    func `a broadcast that is no event reaches no client, and the next one does`(format: PacketFormat, recovery: RecoveryLimits?)
        async throws
    {
        try await withNodes(format, recovery: recovery) { a, b in
            let options = BroadcastOptions(rooms: [b.socket.id])
            for bytes in Self.hostile {
                for isBinary in [true, false] {
                    let packet = EncodedPacket(message: ByteBuffer(bytes: bytes), isBinary: isBinary)
                    try await a.adapter.broadcast(
                        BroadcastPacket(packet, offset: MessageID(seconds: 1, process: 2, counter: 3)),
                        to: options
                    )
                }
            }
            try await a.adapter.broadcast(event("sound", format), to: options)
            try await eventually { !b.socket.received.isEmpty }
            #expect(b.socket.received == ["sound"])
            #expect(b.events.all.filter { $0.contains("skipped") }.count == 2 * Self.hostile.count)
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: PacketFormat.allCases)
    func `whoever asks for acknowledgements of what is no event gets an error answer`(format: PacketFormat) async throws {
        try await withNodes(format) { a, b in
            var options = BroadcastOptions(rooms: [b.socket.id])
            options.flags.timeout = .seconds(20)
            for bytes in Self.hostile {
                let packet = BroadcastPacket(EncodedPacket(message: ByteBuffer(bytes: bytes), isBinary: format == .messagePack))
                let stream = try await a.adapter.broadcastWithAck(packet, to: options)
                for await _ in stream { Issue.record("nobody was asked") }
                #expect(stream.summary.missingNodes == ["b"])
            }
            #expect(b.socket.received.isEmpty)
            let stream = try await a.adapter.broadcastWithAck(event("sound", format), to: options)
            var answers = 0
            for await _ in stream { answers += 1 }
            #expect(answers == 1)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `an empty packet is a place in the stream and for no client`() async throws {
        try await withNodes(.json, recovery: RecoveryLimits()) { a, b in
            let empty = EncodedPacket(message: ByteBuffer(), isBinary: false)
            try await a.adapter.broadcast(
                BroadcastPacket(empty, offset: MessageID(seconds: 1, process: 2, counter: 3)),
                to: BroadcastOptions()
            )
            try await a.adapter.broadcast(event("sound", .json), to: BroadcastOptions())
            try await eventually { !b.socket.received.isEmpty }
            #expect(b.socket.received.count == 1)
            #expect(!b.events.all.contains { $0.contains("skipped") })
        }
    }
}
