// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// What a client presents as its position: the id of the last packet that it received and, in a cluster that snapshots sessions, the
/// position in the common stream of the node that made that packet.
///
/// Its text is the id, or both ids with a full stop between them. Clients only echo it.
package struct RecoveryOffset: Hashable, Sendable, CustomStringConvertible {
    /// The last packet that the client got.
    package var id: MessageID
    /// A broadcast: a client that received the packet had received, before it, everything up to here in the order of the cluster.
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

    /// Parses what a client has presented.
    ///
    /// - Returns: The offset, or nil in it if the client presented none because it has received no packet; nil if the text is not an
    ///   offset.
    package static func parse(_ text: String?) -> RecoveryOffset?? {
        guard let text else { return .some(nil) }
        return RecoveryOffset(text).map { .some($0) }
    }

    /// The text.
    package var description: String { position.map { "\(id).\($0)" } ?? id.description }
}
