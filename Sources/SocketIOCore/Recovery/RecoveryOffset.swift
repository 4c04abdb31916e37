// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// What a client presents to tell how far it came: the id of its last packet and, in a cluster that snapshots sessions, how far the
/// node that made the packet had come with the common stream.
///
/// As text it is the id, or both ids with a full stop between. Clients only echo it.
package struct RecoveryOffset: Hashable, Sendable, CustomStringConvertible {
    /// The last packet that the client got.
    package var id: MessageID
    /// A broadcast: whoever got the packet had got, before it, all that comes up to here in the order of the cluster.
    package var position: MessageID?

    package init(id: MessageID, position: MessageID? = nil) {
        self.id = id
        self.position = position
    }

    /// Parses 24 hexadecimal digits, or twice as many with a full stop between; nil for anything else.
    package init?(_ text: String) {
        guard text.utf8.count <= 49 else { return nil }
        guard let stop = text.utf8.firstIndex(of: UInt8(ascii: ".")) else {
            guard let id = MessageID(text) else { return nil }
            self.init(id: id)
            return
        }
        guard let id = MessageID(text[..<stop]), let position = MessageID(text[text.utf8.index(after: stop)...]) else { return nil }
        self.init(id: id, position: position)
    }

    /// The text.
    package var description: String { position.map { "\(id).\($0)" } ?? id.description }
}
