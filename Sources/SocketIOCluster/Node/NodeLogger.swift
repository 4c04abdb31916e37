// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import Logging
import Synchronization

/// The logger of a node: its own, or else that of the server that it belongs to.
package final class NodeLogger: Sendable {
    /// The logger of a node without a server.
    package static var standard: Logger { Logger(label: "socketio.cluster") }

    private let isOwn: Bool
    private let logger: Mutex<Logger>

    /// - Parameter own: The node's own logger. Without one, a logger labelled `socketio.cluster` is used until there is a server.
    package init(own: Logger?) {
        isOwn = own != nil
        logger = Mutex(own ?? Self.standard)
    }

    /// The logger to use now.
    package var current: Logger { logger.withLock { $0 } }

    /// Uses the server's logger, unless the node has one of its own.
    package func use(_ logger: Logger) {
        if !isOwn { self.logger.withLock { $0 = logger } }
    }
}
