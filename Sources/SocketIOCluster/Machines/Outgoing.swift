// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
package import NIOCore
package import SocketIOCore
import SocketIOText

/// A message to be written. Its header is made when its batch is formed.
package struct Outgoing: Sendable {
    /// The namespace; empty for the node as a whole.
    package var namespace: String
    /// Its only recipient; nil if it is for all nodes.
    package var target: NodeID?
    /// The request that it makes or answers.
    package var request: ClusterRequestID?
    /// Its content.
    package var body: ClusterBody
    /// The message's id; made with its batch if nil.
    package var id: MessageID?
    /// By which the sender learns its fate; nil if no sender waits.
    package var ticket: UInt64?
    /// What its sender waits for.
    package var certainty: Certainty
    /// When it is given up.
    package var deadline: NIODeadline

    package init(
        namespace: String,
        target: NodeID? = nil,
        request: ClusterRequestID? = nil,
        body: ClusterBody,
        id: MessageID? = nil,
        ticket: UInt64? = nil,
        certainty: Certainty = .confirmed,
        deadline: NIODeadline
    ) {
        self.namespace = namespace
        self.target = target
        self.request = request
        self.body = body
        self.id = id
        self.ticket = ticket
        self.certainty = certainty
        self.deadline = deadline
    }

    /// What the sender of a message waits for. Without a ticket, no sender waits for anything.
    package enum Certainty: Sendable {
        /// That the message has its place in its lane. What fails afterwards is reported.
        case accepted
        /// The fate of the message. Without a ticket, its failure has no consequences.
        case confirmed
        /// Nothing: the message has its place in its lane, or is dropped. A failure is only counted.
        case volatile
    }

    /// Who learns that a message fails.
    enum Audience {
        case sender(UInt64)
        case application
        case count
        case none
    }

    /// Who learns if it fails now.
    var audience: Audience {
        switch (ticket, certainty) {
        case (let ticket?, _): .sender(ticket)
        case (nil, .accepted): .application
        case (nil, .volatile): .count
        case (nil, .confirmed): .none
        }
    }

    /// It has its place: its sender goes on, unless it waits for the fate.
    ///
    /// - Returns: What the sender learns.
    mutating func accept() -> SettledWrite? {
        guard let waiting = ticket, certainty != .confirmed else { return nil }
        ticket = nil
        return SettledWrite(ticket: waiting, fate: .accepted)
    }
}

/// A message that was accepted and has failed.
package struct UndeliveredMessage: Sendable {
    package var namespace: String
    package var body: ClusterBody
    package var id: MessageID?
    package var error: ClusterError

    /// It as the application knows it; nil if the application has no part in it.
    var operation: UndeliveredOperation? {
        func make(
            _ kind: UndeliveredOperation.Kind,
            _ options: BroadcastOptions = .init(),
            event: String? = nil
        ) -> UndeliveredOperation {
            UndeliveredOperation(kind: kind, namespace: namespace, event: event, options: options, error: error)
        }
        switch body {
        case .broadcast(let packet, let options):
            return make(.emit, options, event: try? packet.encoded.elements().decode(String.self, at: 0))
        case .serverSideEmit(let arguments): return make(.serverSideEmit, event: try? arguments.decode(String.self, at: 0))
        case .addSockets(let options, _): return make(.socketsJoin, options)
        case .removeSockets(let options, _): return make(.socketsLeave, options)
        case .disconnectSockets(let options, _): return make(.disconnectSockets, options)
        default: return nil
        }
    }
}

/// The fate of a message.
package enum WriteFate: Sendable {
    /// It has its place in its lane, or is volatile; more is not said to its sender.
    case accepted
    /// It is written; every node that is alive gets it.
    case sent
    /// It was not written and never will be.
    case notSent(ClusterError)
    /// It may have been written.
    case unknown(ClusterError)

    /// Why it may not have been written; nil if nothing failed.
    package var error: ClusterError? {
        switch self {
        case .accepted, .sent: nil
        case .notSent(let error), .unknown(let error): error
        }
    }
}

/// The ticket of a message, and its fate.
package struct SettledWrite: Sendable {
    package var ticket: UInt64
    package var fate: WriteFate

    package init(ticket: UInt64, fate: WriteFate) {
        self.ticket = ticket
        self.fate = fate
    }
}

/// The outcome of one attempt to write a batch, as reported by the driver.
public enum BatchOutcome: Sendable {
    /// All messages are written, now or by an earlier attempt, and cannot be lost any more.
    case written
    /// The messages before this index are written; the one at the index can never be written, and none after it was.
    case refused(index: Int, error: any Error)
    /// The outcome is unknown. The same batch is retried.
    case unknown(any Error)
    /// Nothing was written by this attempt. The same batch is retried.
    case notWritten(any Error)
}

extension ClusterBody {
    /// About how many bytes the message takes.
    package var estimatedByteCount: Int {
        let header = 256
        switch self {
        case .broadcast(let packet, let options), .broadcastWithAck(let packet, let options):
            return header + packet.encoded.byteCount + options.estimatedByteCount
        case .disconnectSockets(let options, _), .rooms(let options), .fetchSockets(let options):
            return header + options.estimatedByteCount
        case .addSockets(let options, let rooms), .removeSockets(let options, let rooms):
            return header + options.estimatedByteCount + rooms.byteCount
        case .serverSideEmit(let arguments), .serverSideEmitWithAck(let arguments, _), .acknowledgement(let arguments),
            .serverSideEmitAnswer(let arguments):
            return header + arguments.byteCount
        case .roomsAnswer(let rooms): return header + rooms.byteCount
        case .fetchSocketsAnswer(let sockets, _): return sockets.reduce(header) { $0 + $1.estimatedByteCount }
        case .sessionAnswer(let session): return header + (session?.estimatedByteCount ?? 0)
        case .errorAnswer(let text): return header + text.utf8.count
        case .heartbeat(let heartbeat), .initialHeartbeat(let heartbeat): return header + heartbeat.positions.count * 48
        case .claimSession, .draining, .leave, .acknowledgementCount, .acknowledgementsEnd: return header
        }
    }
}

extension ClaimedSession {
    fileprivate var estimatedByteCount: Int {
        missed.reduce(128 + state.rooms.byteCount + state.data.estimatedByteCount) { $0 + $1.encoded.byteCount + 32 } + known.count * 14
            + positions.count * 64
    }
}
