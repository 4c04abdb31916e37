public import NIOCore

/// A session that a node has stored, to be taken over by the node to which its client comes back.
public struct StoredSession: Sendable {
    /// The namespace.
    public var namespace: String
    /// The private session id. Whoever knows it has the session: it must not be logged.
    public var pid: String
    /// The session in the native encoding, whatever the format of the messages.
    public var payload: ByteBuffer

    /// Creates a session.
    public init(namespace: String, pid: String, payload: ByteBuffer) {
        self.namespace = namespace
        self.pid = pid
        self.payload = payload
    }
}

/// What is in the payload of a ``StoredSession``.
package struct StoredSessionContent: Sendable {
    /// The node that stored it, in the life that its `draining` announced.
    package var owner: NodeIdentity
    /// How long its client had been away when it was stored.
    package var age: TimeAmount
    /// The last packet that the client is known to have got; nil if it got none.
    package var base: MessageID?
    /// The session; `missed` are the packets after `base`.
    package var session: ClaimedSession

    package init(owner: NodeIdentity, age: TimeAmount, base: MessageID?, session: ClaimedSession) {
        self.owner = owner
        self.age = age
        self.base = base
        self.session = session
    }

    /// The session for a client that has come so far; nil if what it has missed cannot be told.
    package func session(after offset: MessageID?) -> ClaimedSession? {
        if offset == base { return session }
        guard let offset, let index = session.missed.lastIndex(where: { $0.offset == offset }) else { return nil }
        var result = session
        result.missed.removeFirst(index + 1)
        return result
    }
}
