// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import NIOCore
import SocketIOCluster
import SocketIOCore
import SocketIOMongoClient
@testable import SocketIOMongoAdapter
import Testing

/// What a format can never write is known before it is accepted.
@Suite("Messages that a format cannot express")
struct RefusalTests {
    private static let limit = 1 << 20

    private static func broadcast(_ format: PacketFormat, _ value: some Encodable & Sendable) throws -> ClusterBody {
        let packet = try PacketEncoder(format: format).event("news", namespace: "/") { try $0.append(value) }
        return .broadcast(BroadcastPacket(packet), BroadcastOptions(rooms: ["room"]))
    }

    private static func code(_ format: some SelectiveWireFormat, _ body: ClusterBody) -> ClusterError.Code? {
        format.refusal(of: body, in: "/", limit: limit)?.code
    }

    @Test(arguments: PacketFormat.allCases)
    func `Node.js: a key with a NUL, wherever it is`(parser: PacketFormat) throws {
        let format = NodeJSFixture.format(parser)
        for text in ["a\u{0}b", "\u{0}"] {
            #expect(Self.code(format, try Self.broadcast(parser, ["x": [[text: 1]]])) == .unsupported)
            // As a value it is a string like others.
            #expect(Self.code(format, try Self.broadcast(parser, ["x": text])) == nil)
        }
        #expect(Self.code(format, try Self.broadcast(parser, ["\\u0000": "\\"])) == nil)
        let arguments = try PacketEncoder(format: parser).arguments { try $0.append(["\u{0}": 1]) }
        #expect(Self.code(format, .serverSideEmit(arguments)) == .unsupported)
        #expect(Self.code(format, .serverSideEmitWithAck(arguments, timeout: .seconds(1))) == .unsupported)
        #expect(Self.code(format, .addSockets(BroadcastOptions(), rooms: ["\u{0}"])) == nil)
    }

    @Test
    func `Node.js: keys of MessagePack that are neither text nor numbers`() throws {
        let format = NodeJSFixture.format(.messagePack)
        func arguments(_ bytes: [UInt8]) throws -> ClusterBody {
            .serverSideEmit(try EventArguments(array: ByteBuffer(bytes: bytes), format: .messagePack))
        }
        #expect(Self.code(format, try arguments([0x91, 0x81, 0xc3, 1])) == .unsupported)
        #expect(Self.code(format, try arguments([0x91, 0x81, 7, 1])) == nil)
    }

    @Test
    func `Node.js: what is too large as BSON only`() throws {
        let format = NodeJSFixture.format()
        #expect(Self.code(format, try Self.broadcast(.json, Array(repeating: 0, count: 140_000))) == .tooLarge)
        #expect(Self.code(format, try Self.broadcast(.json, String(repeating: "x", count: 280_000))) == nil)
    }

    @Test
    func `Rust: events between servers, and messages that are too large as a document`() throws {
        let format = SocketioxideWireFormat(hasDates: true)
        let arguments = try PacketEncoder(format: .json).arguments { try $0.append("event") }
        #expect(Self.code(format, .serverSideEmit(arguments)) == .unsupported)
        #expect(Self.code(format, .serverSideEmitWithAck(arguments, timeout: .seconds(1))) == .unsupported)
        #expect(Self.code(format, try Self.broadcast(.json, String(repeating: "x", count: 72_000))) == nil)
        for count in [110_000, 900_000] {
            #expect(Self.code(format, try Self.broadcast(.json, String(repeating: "x", count: count))) == .tooLarge)
        }
        #expect(Self.code(format, try Self.broadcast(.json, String(repeating: "ü", count: 30_000))) == .tooLarge)
    }

    @Test
    func `Rust: a check changes nothing in the format`() throws {
        let format = SocketioxideWireFormat(hasDates: true)
        let node = SocketioxideEncodingTests.node
        let header = ClusterHeader(
            id: MessageID(seconds: 1, process: 1, counter: 1),
            kind: .heartbeat,
            namespace: "/",
            origin: NodeIdentity(id: node, epoch: 17)
        )
        let message = ClusterMessage(header: header, body: .heartbeat(ClusterHeartbeat(beat: 1)))
        let document = try #require(try format.encode(message, createdAt: 0).first)
        _ = format.refusal(of: try Self.broadcast(.json, String(repeating: "x", count: 72_000)), in: "/", limit: Self.limit)
        var items: [DriverItem] = []
        format.decode(document, for: node, into: &items)
        guard case .own(_, let origin)? = items.first else {
            Issue.record("not its own")
            return
        }
        #expect(origin.epoch == 17)
    }

    @Test(arguments: [(MongoAdapterConfiguration.WireFormat.native, false), (.nodeJS, true), (.socketioxide, true)])
    func `Nodes of foreign formats are told, those of the native one need no check`(
        format: MongoAdapterConfiguration.WireFormat,
        isChecked: Bool
    ) {
        var configuration = MongoAdapterConfiguration(connectionString: "mongodb://127.0.0.1:1/")
        configuration.wireFormat = format
        #expect((MongoAdapter(configuration).node.driver.messageCheck != nil) == isChecked)
    }

    // MARK: Emitters

    @Test
    func `Only the id of an emitter is that of an emitter`() throws {
        let filter = NodeJSFixture.format().documentsOfNodes(since: ObjectID(time: 0, uniquePart: 0))
        // A Node.js server may be called emitter-service-1.
        #expect(filter["uid"]?.document?["$ne"]?.string == "emitter")
        for format in [MongoAdapterConfiguration.WireFormat.native, .nodeJS] {
            var configuration = MongoAdapterConfiguration(connectionString: "mongodb://127.0.0.1:1/")
            configuration.wireFormat = format
            configuration.nodeID = "emitter-service-1"
            let error = #expect(throws: MongoAdapterError.self) { try configuration.validate() }
            #expect(error?.code == .invalidConfiguration && error?.message.contains("nodeID") == true)
            configuration.nodeID = "the-emitter"
            #expect(throws: Never.self) { try configuration.validate() }
        }
    }
}
#endif
