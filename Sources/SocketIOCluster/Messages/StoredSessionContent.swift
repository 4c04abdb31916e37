// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import SocketIOCore

/// The payload of a ``StoredSession`` that is a snapshot.
package struct SessionSnapshot: Sendable {
    /// The node that has the session.
    package var owner: NodeIdentity
    /// The state of the session.
    package var state: SessionState
    /// The node's position in the stream when the client connected; nil if it is not known.
    package var start: MessageID?
    /// Whether other nodes had the session before.
    package var isMoved: Bool

    package init(owner: NodeIdentity, state: SessionState, start: MessageID?, isMoved: Bool) {
        self.owner = owner
        self.state = state
        self.start = start
        self.isMoved = isMoved
    }
}

/// The payload of a ``StoredSession`` that its node has handed over when it left.
package struct StoredSessionContent: Sendable {
    /// The node that stored it, in the epoch that its `draining` announced.
    package var owner: NodeIdentity
    /// The time between the disconnection of its client and the storing.
    package var age: TimeAmount
    /// The last packet that the client is known to have received; nil if it has received none.
    package var base: MessageID?
    /// The session; `missed` are the packets after `base`.
    package var session: ClaimedSession

    package init(owner: NodeIdentity, age: TimeAmount, base: MessageID?, session: ClaimedSession) {
        self.owner = owner
        self.age = age
        self.base = base
        self.session = session
    }

    /// The session for a client that presents this offset; nil if the offset is not covered.
    package func session(after offset: MessageID?) -> ClaimedSession? {
        if offset == base { return session }
        guard let offset, let index = session.missed.lastIndex(where: { $0.offset == offset }) else { return nil }
        var result = session
        result.missed.removeFirst(index + 1)
        return result
    }
}
