// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOCore
import SocketIOText

/// The parts of `socketioxide`'s payloads: MessagePack as `rmp_serde` writes it, structures as arrays of their fields.
enum SocketioxidePayload {
    /// The types of requests.
    enum RequestType: UInt8 {
        case broadcast = 0
        case broadcastWithAck = 1
        case disconnectSockets = 2
        case allRooms = 3
        case addSockets = 4
        case delSockets = 5
        case fetchSockets = 6
        case heartbeat = 20
        case initHeartbeat = 21

        init?(_ kind: ClusterMessageKind) {
            switch kind {
            case .broadcast: self = .broadcast
            case .broadcastWithAck: self = .broadcastWithAck
            case .disconnectSockets: self = .disconnectSockets
            case .rooms: self = .allRooms
            case .addSockets: self = .addSockets
            case .removeSockets: self = .delSockets
            case .fetchSockets: self = .fetchSockets
            case .heartbeat: self = .heartbeat
            case .initialHeartbeat: self = .initHeartbeat
            default: return nil
            }
        }

        var kind: ClusterMessageKind {
            switch self {
            case .broadcast: .broadcast
            case .broadcastWithAck: .broadcastWithAck
            case .disconnectSockets: .disconnectSockets
            case .allRooms: .rooms
            case .addSockets: .addSockets
            case .delSockets: .removeSockets
            case .fetchSockets: .fetchSockets
            case .heartbeat: .heartbeat
            case .initHeartbeat: .initialHeartbeat
            }
        }
    }

    /// The types of answers.
    enum ResponseType: UInt8 {
        case broadcastAck = 0
        case broadcastAckCount = 1
        case allRooms = 2
        case fetchSockets = 3
    }

    /// The flags of a selection.
    struct Flags: OptionSet {
        var rawValue: UInt8
        static let local = Flags(rawValue: 1)
        static let broadcast = Flags(rawValue: 2)
        static let volatile = Flags(rawValue: 4)
    }

    /// A client has not answered in time.
    static let timeout = "Timeout"

    /// The error for a message that this format cannot express.
    static func unsupported(_ what: String) -> ClusterError {
        ClusterError(.unsupported, "the socketioxide wire format cannot express \(what); no other node gets it")
    }
}
#endif
