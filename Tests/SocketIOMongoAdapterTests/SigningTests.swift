// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOMongoClient
import NIOCore
import SocketIOCore
@testable import SocketIOMongoAdapter
import Testing

@Suite("Signed documents")
struct SigningTests {
    private static let key = SigningKey(0..<32)
    private static let newKey = SigningKey(100..<164)
    private static let origin = NodeIdentity(id: "n1", epoch: 77)

    private static func format(_ keys: SigningKey..., acceptsUnsigned: Bool = false) -> NativeWireFormat {
        NativeWireFormat(cluster: "blue", signer: Signer(keys: keys, acceptsUnsigned: acceptsUnsigned) { 8 })
    }

    private static func message(_ number: UInt64, target: NodeID? = nil, _ body: ClusterBody? = nil) -> ClusterMessage {
        let body = body ?? .removeSockets(BroadcastOptions(rooms: ["a"]), rooms: ["b \(number)"])
        let id = MessageID(seconds: 7, process: 7, counter: number)
        let request = ClusterRequestID(high: 3, low: number)
        let stamp = body.kind.isMembership ? nil : NumberStamp(lane: 2, number: number, void: number > 5 ? [3...4] : [])
        let header = ClusterHeader(
            id: id,
            kind: body.kind,
            namespace: body.kind.isMembership ? "" : "/chat",
            origin: origin,
            target: target,
            request: request,
            stamp: stamp
        )
        return ClusterMessage(header: header, body: body)
    }

    private static func read(_ document: BSONDocument, with format: NativeWireFormat, as node: NodeID = "n2") -> (read: Int, untrusted: Int)
    {
        var items: [DriverItem] = []
        format.decode(document, for: node, into: &items)
        var result = (read: 0, untrusted: 0)
        for item in items {
            switch item {
            case .message, .own: result.read += 1
            case .untrusted: result.untrusted += 1
            default: Issue.record("\(item)")
            }
        }
        return result
    }

    /// A document with one message, one with several, one about membership.
    private static func documents(_ format: NativeWireFormat) -> [(document: BSONDocument, messages: Int)] {
        let batches = [[message(9, target: "n2")], [message(1), message(6), message(7)], [message(1, .leave)]]
        return batches.flatMap { batch in
            format.encode(batch, createdAt: 1, limit: 1 << 20).documents.map { ($0, batch.count) }
        }
    }

    private static func changed(_ document: BSONDocument, _ name: String, _ write: (inout BSONWriter) -> Void) -> BSONDocument {
        BSONDocument { copy in
            var reader = BSONReader(document)
            while let element = try? reader.next() {
                if element.hasKey(name) { write(&copy) } else { copy.append(element.key, element) }
            }
        }
    }

    @Test func `What was signed with one of the keys is read, what was not is not`() {
        for (document, count) in Self.documents(Self.format(Self.key)) {
            #expect(Self.read(document, with: Self.format(Self.key)) == (count, 0))
            #expect(Self.read(document, with: Self.format(Self.newKey, Self.key)) == (count, 0))
            #expect(Self.read(document, with: Self.format(Self.newKey)) == (0, 1))
            #expect(Self.read(document, with: Self.format(Self.newKey, acceptsUnsigned: true)) == (0, 1))
            // A cluster without keys does not mind.
            #expect(Self.read(document, with: NativeWireFormat(cluster: "blue")) == (count, 0))
        }
        for (document, count) in Self.documents(NativeWireFormat(cluster: "blue")) {
            #expect(Self.read(document, with: Self.format(Self.key)) == (0, 1))
            #expect(Self.read(document, with: Self.format(Self.key, acceptsUnsigned: true)) == (count, 0))
        }
    }

    @Test func `Whatever routes a message is signed with it`() {
        let format = Self.format(Self.key)
        let changes: [(String, (inout BSONWriter) -> Void)] = [
            ("_id", { $0.append("_id", ObjectID()) }), ("kind", { $0.append("kind", Int32(3)) }),
            ("nsp", { $0.append("nsp", "/other") }), ("origin", { $0.append("origin", "n3") }),
            ("epoch", { $0.append("epoch", Int64(78)) }), ("target", { $0.appendNull("target") }),
            ("request", { $0.append("request", binary: ByteBuffer(repeating: 1, count: 16)) }),
            ("request", { _ in }), ("lane", { $0.append("lane", Int32(1)) }), ("number", { $0.append("number", Int64(10)) }),
            ("void", { _ in }), ("data", { $0.append("data", binary: ByteBuffer(bytes: [0x92, 0x94, 0x90, 0x90, 0, 0xc0, 0x90])) }),
            ("sig", { $0.append("sig", binary: ByteBuffer(repeating: 0, count: 32)) }),
            ("sig", { $0.append("sig", binary: ByteBuffer(repeating: 0, count: 31)) }), ("sig", { _ in }),
        ]
        let document = Self.documents(format)[0].document
        for (name, change) in changes {
            #expect(Self.read(Self.changed(document, name, change), with: format) == (0, 1), "\(name)")
        }
        let other = NativeWireFormat(cluster: "red", signer: Signer(keys: [Self.key]) { 8 })
        #expect(Self.read(document, with: other) == (0, 1))
        // Neither is trusted, and neither is signed.
        let later = Self.changed(document, "createdAt") { $0.append("createdAt", dateMilliseconds: 9) }
        #expect(Self.read(later, with: format) == (1, 0))
    }

    @Test func `What is older than numbers are remembered is not read again`() {
        for (document, count) in Self.documents(Self.format(Self.key)) {
            func read(at seconds: Int64) -> (read: Int, untrusted: Int) {
                Self.read(document, with: NativeWireFormat(cluster: "blue", signer: Signer(keys: [Self.key]) { seconds }))
            }
            #expect(read(at: 7 + 600) == (count, 0))
            #expect(read(at: 7 + 601) == (0, 1))
        }
    }

    @Test func `Several messages in one document are signed as a whole`() {
        let format = Self.format(Self.key)
        let document = Self.documents(format)[1].document
        let ids = document["ids"]?.binary?.bytes ?? ByteBuffer()
        let changes: [(String, (inout BSONWriter) -> Void)] = [
            ("ids", { $0.append("ids", binary: ByteBuffer(bytes: Array(ids.readableBytesView.dropFirst(12)))) }),
            ("target", { $0.append("target", "n2") }), ("lane", { $0.append("lane", Int32(0)) }),
            ("origin", { $0.append("origin", "n9") }), ("data", { $0.append("data", binary: ByteBuffer(bytes: [0x90])) }),
        ]
        for (name, change) in changes {
            #expect(Self.read(Self.changed(document, name, change), with: format) == (0, 1), "\(name)")
        }
    }

    @Test func `The layout of what is signed stays as it is documented`() {
        // The signature of these bytes by another implementation (Python's hmac).
        let content = SignedContent(
            Self.message(9, target: "n2").header,
            kind: 5,
            version: 1,
            cluster: "blue",
            data: ByteBuffer(string: "payload")
        )
        let signature = Signer(keys: [Self.key])?.sign(content)
        let digits = signature.map { $0.readableBytesView.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
        #expect(digits == "38c0f779f20433589f9f71cb85d3ac0c4e0db322c0922d2ee036b24f32903fd4")
    }

    @Test func `A session is bound to its client, its node and its time`() {
        guard let signer = Signer(keys: [Self.key]) else { return }
        func content(_ pid: String, until: Int64 = 5, owner: NodeIdentity? = Self.origin, nsp: String = "/") -> SignedContent {
            SignedContent(session: ("blue", nsp, pid), until: until, owner: owner, data: ByteBuffer(string: "session"))
        }
        let signature = signer.sign(content("p"))
        #expect(signer.refusal(of: content("p"), signature: signature) == nil)
        let others = [content("q"), content("p", until: 6), content("p", owner: nil), content("p", nsp: "/a")]
        for other in others { #expect(signer.refusal(of: other, signature: signature) != nil) }
    }

    @Test func `Keys are checked, and refused where nobody else would understand them`() {
        var configuration = MongoAdapterConfiguration(connectionString: "mongodb://localhost")
        configuration.signingKeys = [Self.key]
        #expect(throws: Never.self) { try configuration.validate() }
        configuration.signingKeys = [SigningKey(0..<31)]
        #expect(throws: MongoAdapterError.self) { try configuration.validate() }
        configuration.signingKeys = Array(repeating: Self.key, count: 9)
        #expect(throws: MongoAdapterError.self) { try configuration.validate() }
        configuration.signingKeys = []
        configuration.acceptsUnsigned = true
        #expect(throws: MongoAdapterError.self) { try configuration.validate() }
        configuration.acceptsUnsigned = false
        configuration.signingKeys = [Self.key]
        for format in [MongoAdapterConfiguration.WireFormat.nodeJS, .socketioxide] {
            configuration.wireFormat = format
            let error = #expect(throws: MongoAdapterError.self) { try configuration.validate() }
            #expect(error?.message.contains("signingKeys") ?? false)
        }
        #expect(SigningKey(hexadecimal: " 00fF\n")?.bytes == [0, 255])
        #expect(SigningKey(hexadecimal: "0") == nil && SigningKey(hexadecimal: "zz") == nil && SigningKey(hexadecimal: "00 11") == nil)
        #expect("\(Self.key)" == "a key of 32 bytes")
    }

    @Test func `Names that are too long are refused before they are signed or kept`() {
        let format = NativeWireFormat(cluster: "blue")
        let document = Self.documents(format)[0].document
        let long = String(repeating: "x", count: 100_000)
        for (name, change) in [
            ("origin", { (copy: inout BSONWriter) in copy.append("origin", long) }), ("nsp", { $0.append("nsp", long) }),
        ] {
            var items: [DriverItem] = []
            format.decode(Self.changed(document, name, change), for: "n2", into: &items)
            #expect(items.count == 1)
            if case .skipped(let reason)? = items.first { #expect(reason.utf8.count < 200) } else { Issue.record("\(name) is read") }
        }
    }
}
#endif
