// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOMongoClient
import NIOCore
import SocketIOCore
import SocketIOMongoAdapter

extension FuzzTarget {
    /// Documents of Rust nodes.
    static let socketioxide = FuzzTarget(name: "socketioxide") { bytes in
        guard let document = try? BSONDocument(ByteBuffer(bytes: bytes)) else { return }
        let node = "JwHwE7LsRm-G3Ana"
        for item in items(of: document, for: node) {
            switch item {
            case .message(let header, let payload): try check(header, payload, for: node)
            case .own(_, let origin): try rule(origin.id == node, "what is called its own is its own")
            case .opened, .skipped, .untrusted: break
            }
        }
    }

    private static func items(of document: BSONDocument, for node: NodeID) -> [DriverItem] {
        var items: [DriverItem] = []
        SocketioxideWireFormat(hasDates: true).decode(document, for: node, into: &items)
        return items
    }

    private static func check(_ header: ClusterHeader, _ payload: ClusterPayload, for node: NodeID) throws {
        try rule(header.origin.id != node, "what is called another's is another's")
        try rule(!header.kind.isAnswer || header.request != nil, "an answer has a request")
        guard let body = try? payload.body(for: header) else { return }
        try rule(body.kind == header.kind, "the payload is what the header says")
        let message = ClusterMessage(header: header, body: body)
        guard let again = try? SocketioxideWireFormat(hasDates: true).encode(message, createdAt: 0).first,
            case .message(let copy, let copiedPayload)? = items(of: again, for: node).first
        else { return try rule(false, "what was decoded can be encoded and decoded again") }
        try rule(copy == header, "the header survives")
        try rule((try? copiedPayload.body(for: copy)) != nil, "the payload survives")
    }
}
#endif
