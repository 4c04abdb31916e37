// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOMongoClient
import NIOCore
import SocketIOCore
import SocketIOMongoAdapter

extension FuzzTarget {
    /// Documents in the wire format of Node.js: envelope, values, and what is written of them again.
    static let nodeJS = FuzzTarget(name: "nodejs") { bytes in
        guard let document = try? BSONDocument(ByteBuffer(bytes: bytes)) else { return }
        for parser in PacketFormat.allCases { try check(document, parser, recovers: bytes.count.isMultiple(of: 2)) }
    }

    private static func check(_ document: BSONDocument, _ parser: PacketFormat, recovers: Bool) throws {
        guard let message = try read(document, parser, recovers: recovers) else { return }
        let format = NodeJSWireFormat(addsCreatedAt: false, life: 0)
        format.serve(parser, recovers: recovers)
        // What cannot be written was never written by a node of this package: too large, a key with a NUL.
        guard let documents = try? format.encode(message, createdAt: 0), let again = documents.first else { return }
        try rule((try? BSONDocument(validating: again.bytes)) != nil, "what is written is valid")
        let copy = try read(again, parser, recovers: recovers)
        try rule(copy?.header.kind == message.header.kind, "what was written can be read")
        try rule(copy?.header.request == message.header.request, "the request survives")
    }

    private static func read(_ document: BSONDocument, _ parser: PacketFormat, recovers: Bool) throws -> ClusterMessage? {
        let format = NodeJSWireFormat(addsCreatedAt: false, life: 7)
        format.serve(parser, recovers: recovers)
        var items: [DriverItem] = []
        format.decode(document, for: "me", into: &items)
        try rule(items.count <= 1, "a document is one message")
        guard case .message(let header, let payload) = items.first else { return nil }
        try rule(header.origin.id != "me", "what is called another's is another's")
        guard let body = try? payload.body(for: header) else { return nil }
        try rule(body.kind == header.kind, "the content is what the header says")
        return ClusterMessage(header: header, body: body)
    }
}
#endif
