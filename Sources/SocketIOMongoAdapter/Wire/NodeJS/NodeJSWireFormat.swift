// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
package import SocketIOCluster
package import SocketIOMongoClient
import NIOCore
package import SocketIOCore
import SocketIOText
import Synchronization

/// The format of `@socket.io/mongo-adapter` 0.4 and `@socket.io/mongo-emitter` 0.2.
///
/// | field | type | meaning |
/// | --- | --- | --- |
/// | `_id` | ObjectId | the message's id, and the offset of a packet |
/// | `type` | int32 | ``NodeJSDocumentType`` |
/// | `data` | document | what it says; not in heartbeats |
/// | `uid` | string | who wrote it |
/// | `nsp` | string | the namespace |
/// | `createdAt` | date | when it was written; only with a TTL |
///
/// Nodes of this package tell each other by their `uid`, which ends with `~` and 16 hexadecimal digits, and by their request ids, which
/// have 32 digits instead of 16. What only they understand is in documents of a type that Node.js ignores: what they answer each other,
/// that a node drains or leaves, and claims of sessions. So among them nothing is lost of what they can say.
package final class NodeJSWireFormat: SelectiveWireFormat {
    struct State {
        var parser = PacketFormat.json
        var recovers = false
        var recent = RecentDocuments()
        var disorder: IDDisorder
        /// Gets the private ids of sessions that foreign nodes have, and their namespaces.
        var onForeignSession: @Sendable (_ pid: String, _ namespace: String) -> Void = { _, _ in }
    }

    /// The `uid` of emitters, which are not nodes.
    static let emitter = EmitterID.prefix
    /// The first epoch of the node, which distinguishes it from earlier processes with the same id; 0 to look like Node.js.
    let life: UInt64
    /// Whether documents have the field for the TTL index.
    let addsCreatedAt: Bool
    /// Whether documents look like those of `@socket.io/mongo-emitter`, which has another order and fewer flags.
    let isEmitter: Bool
    let state: Mutex<State>

    /// - Parameters:
    ///   - addsCreatedAt: Whether documents have the field for the TTL index, as with the option `addCreatedAtField` of Node.js.
    ///   - life: The first epoch of the node, which distinguishes it from earlier processes with the same id; 0 to look like Node.js.
    ///   - isEmitter: Whether documents look like those of `@socket.io/mongo-emitter`.
    ///   - writeTimeout: How long a message may wait to be written.
    package init(addsCreatedAt: Bool, life: UInt64, isEmitter: Bool = false, writeTimeout: Duration = .zero) {
        self.state = Mutex(State(disorder: IDDisorder(writeTimeout: writeTimeout.components.seconds)))
        self.addsCreatedAt = addsCreatedAt
        self.isEmitter = isEmitter
        self.life = life
    }

    package var traits: WireFormatTraits {
        var traits = WireFormatTraits(name: "nodeJS")
        traits.expiryIndex = "createdAt_1"
        traits.announcesNamespaces = true
        // Node.js counts answers: a second one from a node would be counted as that of another node.
        traits.socketsPerAnswer = .max
        traits.keepsSessions = true
        if !isEmitter, state.withLock(\.recovers) { traits.sessionIndex = NodeJSSessionDocument.indexedField }
        return traits
    }

    package func serve(_ parser: PacketFormat, recovers: Bool) {
        state.withLock { state in
            state.parser = parser
            state.recovers = recovers
        }
    }

    /// Reports sessions that nodes of other implementations have, so that this process discards its own copies.
    package func onForeignSession(_ handler: @escaping @Sendable (_ pid: String, _ namespace: String) -> Void) {
        state.withLock { $0.onForeignSession = handler }
    }

    // MARK: Nodes

    /// The id of a node of this process.
    func uid(of node: NodeID) -> String { life == 0 ? node : "\(node)~\(Hex.digits(life))" }

    /// The writer of a document.
    static func identity(uid: String) -> NodeIdentity {
        // Not foreign, so that it does not count as a node.
        if uid == emitter { return NodeIdentity(id: uid, epoch: 1) }
        let parts = uid.utf8.suffix(17)
        guard parts.count == 17, uid.utf8.count > 17, parts.first == UInt8(ascii: "~"), let life = Hex.number(parts.dropFirst()), life != 0
        else { return NodeIdentity(id: uid, epoch: 0) }
        // By bytes: the mark could be one character with what stands before it.
        return NodeIdentity(id: String(decoding: uid.utf8.dropLast(17), as: UTF8.self), epoch: life)
    }

    // MARK: Filter

    package func documentsOfNodes(since id: ObjectID) -> BSONDocument {
        BSONDocument { filter in
            filter.appendDocument("_id") { $0.append("$gte", id) }
            // The ids of Node.js servers may begin with it.
            filter.appendDocument("uid") { $0.append("$ne", Self.emitter) }
        }
    }

    package func changeStreamStages(for node: NodeID) -> [BSONDocument] {
        // Only documents between nodes of this package have a target.
        DocumentFilter(node: node, target: "data.target", origin: ("uid", uid(of: node)), fields: ["_id", "type", "uid", "nsp"])
            .changeStreamStages()
    }
}

/// The envelope of a document.
enum NodeJSDocumentType: Int32 {
    case initialHeartbeat = 1
    case heartbeat = 2
    case broadcast = 3
    case socketsJoin = 4
    case socketsLeave = 5
    case disconnectSockets = 6
    case fetchSockets = 7
    case fetchSocketsResponse = 8
    case serverSideEmit = 9
    case serverSideEmitResponse = 10
    case broadcastClientCount = 11
    case broadcastAcknowledgement = 12
    case session = 13
    /// A message between nodes of this package, which others ignore.
    case native = 64
}

/// Numbers as hexadecimal digits of fixed width, in lower case.
enum Hex {
    static func digits(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// The number of exactly 16 digits.
    static func number(_ digits: some Collection<UInt8>) -> UInt64? {
        guard digits.count == 16 else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }
}

/// The request ids of the format. Those of Node.js have 16 digits; those of this package have 32, so that answers find the request whose
/// id has 16 bytes, and another letter if sockets are fetched only to learn their rooms.
struct NodeJSRequestID: Hashable {
    var id: ClusterRequestID
    var wantsRooms = false

    init(_ id: ClusterRequestID, wantsRooms: Bool = false) {
        self.id = id
        self.wantsRooms = wantsRooms
    }

    /// nil if no known node makes such ids.
    init?(_ text: String) {
        var digits = Substring(text).utf8
        wantsRooms = digits.count == 33 && digits.last == UInt8(ascii: "r")
        if wantsRooms { digits.removeLast() }
        guard let high = Hex.number(digits.prefix(16)) else { return nil }
        switch digits.count {
        case 16: id = ClusterRequestID(high: high, low: 0)
        case 32:
            guard let low = Hex.number(digits.dropFirst(16)) else { return nil }
            id = ClusterRequestID(high: high, low: low)
        default: return nil
        }
    }

    var text: String { Hex.digits(id.high) + (id.isForeign ? "" : Hex.digits(id.low)) + (wantsRooms ? "r" : "") }
}

extension ClusterRequestID {
    /// Whether a Node.js server made the request.
    var isForeign: Bool { low == 0 }
}

#endif
