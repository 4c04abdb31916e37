// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import SocketIOCore

extension SendLaneStateMachine {
    /// What follows from an outcome or from the time.
    package struct Settlement {
        package var writes: [SettledWrite] = []
        /// Accepted messages that have failed.
        package var undelivered: [UndeliveredMessage] = []
        /// The number of volatile messages that have failed.
        package var dropped = 0
        /// The message that the backend refuses.
        package var refused: MessageID?
        /// Whether the whole batch was written.
        package var isWritten = false
        /// Whether the batch was given up.
        package var isAbandoned = false

        /// A message that was waiting has failed.
        mutating func fail(_ message: Outgoing, _ fate: WriteFate) {
            fail(message.audience, message.namespace, message.body, message.id, fate)
        }

        /// A message of a batch has failed.
        mutating func fail(_ audience: Outgoing.Audience, _ message: ClusterMessage, _ fate: WriteFate) {
            fail(audience, message.header.namespace, message.body, message.header.id, fate)
        }

        private mutating func fail(
            _ audience: Outgoing.Audience,
            _ namespace: String,
            _ body: ClusterBody,
            _ id: MessageID?,
            _ fate: WriteFate
        ) {
            switch audience {
            case .sender(let ticket): writes.append(SettledWrite(ticket: ticket, fate: fate))
            case .application:
                guard let error = fate.error else { return }
                undelivered.append(UndeliveredMessage(namespace: namespace, body: body, id: id, error: error))
            case .count: dropped += 1
            case .none: break
            }
        }
    }
}
