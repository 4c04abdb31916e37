// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// A private session id as clients present it: random characters, a full stop, and the id of the node that made it. Nodes of another
/// implementation make random characters only.
struct ClusterSessionID {
    let pid: String
    /// The node that made the session; nil if it is one of another implementation.
    let maker: NodeID?

    /// nil if no node of a cluster can have made the id: no other node is asked for such a session.
    init?(_ pid: String) {
        guard SessionToken.isPlausible(pid) else { return nil }
        self.pid = pid
        guard let stop = pid.utf8.firstIndex(of: UInt8(ascii: ".")) else {
            guard SessionToken.isRandomPart(pid.utf8[...], length: 20) else { return nil }
            self.maker = nil
            return
        }
        guard SessionToken.isRandomPart(pid.utf8[..<stop], length: 15) else { return nil }
        let maker = pid.utf8[pid.utf8.index(after: stop)...]
        guard (1...NodeIdentity.idLimit).contains(maker.count) else { return nil }
        self.maker = String(maker)
    }

    /// Makes the id of a new session.
    static func make(_ random: String, node: NodeID) -> String { "\(random).\(node)" }
}
