// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOMongoClient
import NIOCore
import SocketIOCore
import SocketIOMongoAdapter

extension FuzzTarget {
    /// Documents of the collection: the native wire format, header and payload.
    static let wireFormat = FuzzTarget(name: "wireformat") { bytes in
        guard let document = try? BSONDocument(ByteBuffer(bytes: bytes)) else { return }
        let format = NativeWireFormat(cluster: "c")
        let items = read(document, format)
        for item in items {
            switch item {
            case .message(let header, let payload): try check(format, header, payload)
            case .own(_, let origin): try rule(origin.id == "me", "what is called its own is its own")
            case .skipped: try rule(items.count == 1, "a document is skipped as a whole")
            case .opened: try rule(false, "a document opens nothing")
            case .untrusted: try rule(false, "without keys nothing is distrusted")
            }
        }
    }

    private static func read(_ document: BSONDocument, _ format: NativeWireFormat) -> [DriverItem] {
        var items: [DriverItem] = []
        format.decode(document, for: "me", into: &items)
        return items
    }

    private static func check(_ format: NativeWireFormat, _ header: ClusterHeader, _ payload: ClusterPayload) throws {
        try rule(header.origin.id != "me", "what is called another's is another's")
        try rule(header.kind.isMembership || (header.stamp?.number ?? 0) > 0, "what needs a number has one")
        guard let body = try? payload.body(for: header) else { return }
        try rule(body.kind == header.kind, "the payload is what the header says")
        guard let again = try? format.document(of: ClusterMessage(header: header, body: body), createdAt: 0),
            case .message(let copy, let copiedPayload)? = read(again, format).first
        else { return try rule(false, "what was decoded can be encoded and decoded again") }
        try rule(copy == header, "the header survives")
        try rule((try? copiedPayload.body(for: copy)) != nil, "the payload survives")
    }
}
#endif
