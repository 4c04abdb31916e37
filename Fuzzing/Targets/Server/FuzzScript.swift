// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore
import SocketIOCluster
package import SocketIOCore
import Synchronization

#if MongoDB
import SocketIOMongoClient
import SocketIOMongoAdapter
#endif

/// What happens to a server that is fuzzed: a byte for the parser, then for each event a byte for its kind, two for its length, and its bytes.
package struct FuzzScript {
    /// What happens.
    package enum Kind: UInt8, CaseIterable {
        /// The hostile client sends a text.
        case text
        /// The hostile client sends bytes.
        case binary
        /// Another node sends a message: a byte for its kind, one for its header, and the payload in the native encoding.
        case message
        /// A document in the native format.
        case native
        /// A document of a Node.js server.
        case nodeJS
        /// A document of a Rust server.
        case socketioxide
        /// The application does something, by the first byte.
        case action
        /// The hostile client comes back, with this offset.
        case reconnect
        /// The hostile client answers what it was asked last, with these bytes as the arguments.
        case reply
    }

    /// The bits of the second byte of a message.
    package struct HeaderBits: OptionSet {
        package var rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        /// It answers the node's last request.
        package static let answers = HeaderBits(rawValue: 1)
        /// It is for the node only.
        package static let targeted = HeaderBits(rawValue: 2)
        /// It is for no namespace.
        package static let nowhere = HeaderBits(rawValue: 4)
        /// It has a request of its own.
        package static let asks = HeaderBits(rawValue: 8)
        /// Its number is far ahead.
        package static let ahead = HeaderBits(rawValue: 16)
    }

    package private(set) var bytes: ByteBuffer

    package init(_ format: PacketFormat) { bytes = ByteBuffer(bytes: [format.rawValue]) }

    package mutating func append(_ kind: Kind, _ content: ByteBuffer) {
        guard let length = UInt16(exactly: content.readableBytes) else { return }
        bytes.writeInteger(kind.rawValue)
        bytes.writeInteger(length)
        bytes.writeImmutableBuffer(content)
    }
}

extension FuzzTarget {
    /// A server with clients in memory that is a node of a cluster, and what comes after decoding: packets of a client that means harm, and
    /// documents and messages of all kinds.
    package static let server = FuzzTarget(
        name: "server",
        prepare: { _ = try await FuzzServers.shared.all },
        rest: { for server in (try? await FuzzServers.shared.all) ?? [] { await server.rest() } },
        run: playScript
    )

    @Sendable
    private static func playScript(_ bytes: UnsafeRawBufferPointer) throws {
        var script = ByteBuffer(bytes: bytes)
        guard let first = script.readInteger(as: UInt8.self) else { return }
        let server = try FuzzServers.shared.server(first.isMultiple(of: 2) ? .json : .messagePack)
        server.beginScript()
        try server.connect()
        while let kind = script.readInteger(as: UInt8.self), let length = script.readInteger(as: UInt16.self) {
            guard let content = script.readSlice(length: min(Int(length), script.readableBytes)) else { break }
            try play(FuzzScript.Kind.allCases[Int(kind) % FuzzScript.Kind.allCases.count], content, on: server)
        }
        try server.check()
    }

    /// What has happened at least once to the server for a parser.
    package static func placesReached(_ format: PacketFormat) throws -> Set<String> { try FuzzServers.shared.server(format).reached }

    private static func play(_ kind: FuzzScript.Kind, _ content: ByteBuffer, on server: FuzzServer) throws {
        switch kind {
        case .text, .binary: try server.step { $0.hostile?.send(.init(isBinary: kind == .binary, bytes: content)) }
        case .message: try deliver(message(content, for: server).map { [$0] } ?? [], to: server)
        case .native, .nodeJS, .socketioxide: try deliver(items(kind, content, for: server), to: server)
        case .action: try act(content, server)
        case .reply: try server.reply(content)
        case .reconnect: try server.reconnect(offset: String(buffer: content))
        }
    }

    private static func deliver(_ items: [DriverItem], to server: FuzzServer) throws {
        guard !items.isEmpty else { return }
        try server.step { _ in for item in items { server.driver.deliver(item) } }
    }

    private static func act(_ content: ByteBuffer, _ server: FuzzServer) throws {
        let events = ["servers", "askServers", "askAll", "fetch", "ask"]
        let first = content.readableBytesView.first ?? 0
        let format = server.format
        try server.step { try $0.emit(events[Int(first) % events.count], format) { _ in } }
    }

    private static func message(_ content: ByteBuffer, for server: FuzzServer) -> DriverItem? {
        var content = content
        guard let raw = content.readInteger(as: UInt8.self), let bits = content.readInteger(as: UInt8.self) else { return nil }
        let flags = FuzzScript.HeaderBits(rawValue: bits)
        let kinds = ClusterMessageKind.allCases
        let kind = ClusterMessageKind(rawValue: raw) ?? kinds[Int(raw) % kinds.count]
        let header = ClusterHeader(
            id: server.nextID(),
            kind: kind,
            namespace: flags.contains(.nowhere) ? "" : "/",
            origin: server.strangersLife,
            target: flags.contains(.targeted) ? FuzzServer.node : nil,
            request: flags.contains(.answers) ? server.driver.lastRequest : flags.contains(.asks) ? .init(high: 1, low: 2) : nil,
            stamp: kind.isMembership ? nil : .init(lane: 0, number: server.nextNumber(ahead: flags.contains(.ahead)))
        )
        return .message(header, .encoded(content))
    }

    private static func items(_ kind: FuzzScript.Kind, _ content: ByteBuffer, for server: FuzzServer) -> [DriverItem] {
        var items: [DriverItem] = []
        #if MongoDB
        guard let document = try? BSONDocument(content) else { return [] }
        switch kind {
        case .native: NativeWireFormat(cluster: "c").decode(document, for: FuzzServer.node, into: &items)
        case .nodeJS:
            let format = NodeJSWireFormat(addsCreatedAt: false, life: 7)
            format.serve(server.format, recovers: true)
            format.decode(document, for: FuzzServer.node, into: &items)
        default: SocketioxideWireFormat(hasDates: true).decode(document, for: FuzzServer.node, into: &items)
        }
        #endif
        return items
    }
}

/// The servers that are fuzzed, one for each parser. They live as long as the process.
actor FuzzServers {
    static let shared = FuzzServers()
    private var made: Task<[FuzzServer], any Error>?
    private nonisolated let ready = Mutex<[FuzzServer]>([])

    var all: [FuzzServer] {
        get async throws {
            let task = made ?? Task { try await [FuzzServer(.json), FuzzServer(.messagePack)] }
            made = task
            let servers = try await task.value
            ready.withLock { $0 = servers }
            return servers
        }
    }

    nonisolated func server(_ format: PacketFormat) throws -> FuzzServer {
        guard let server = ready.withLock({ $0.first { $0.format == format } }) else {
            throw BrokenRule(description: "call `prepare` first")
        }
        return server
    }
}
