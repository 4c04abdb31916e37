// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// The keys of log metadata.
///
/// There is none for the id of an Engine.IO session: a client that knows it can take over the session.
package enum LogKey {
    /// A size.
    package static let bytes = "bytes"
    /// What went wrong.
    package static let error = "error"
    /// The name of an event.
    package static let event = "event"
    /// An address to listen on.
    package static let host = "host"
    /// The limit that was reached.
    package static let limit = "limit"
    /// The name of a namespace.
    package static let namespace = "nsp"
    /// Parts that were left out.
    package static let omitted = "omitted"
    /// A port to listen on.
    package static let port = "port"
    /// The public id of a socket.
    package static let socket = "sid"
    /// How many lines of the same kind were not written before this one.
    package static let suppressed = "suppressed"
}
