// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// The keys of log metadata, of all modules.
///
/// There is none for the id of an Engine.IO session: a client that knows it can take over the session.
package enum LogKey {
    /// The network address of a client.
    package static let address = "address"
    /// A size.
    package static let bytes = "bytes"
    /// A database and a collection.
    package static let collection = "collection"
    /// Details.
    package static let context = "context"
    /// How many messages or sessions a line is about.
    package static let count = "count"
    /// What went wrong.
    package static let error = "error"
    /// The name of an event.
    package static let event = "event"
    /// Rooms whose members are left out.
    package static let except = "except"
    /// What it should have been.
    package static let expected = "expected"
    /// The header field `Forwarded` of a request.
    package static let forwarded = "forwarded"
    /// The health of a node.
    package static let health = "health"
    /// A name or address of this machine: the one to listen on, or that of a request.
    package static let host = "host"
    /// A lane of a cluster.
    package static let lane = "lane"
    /// A library whose log line this is.
    package static let library = "library"
    /// The limit that was reached.
    package static let limit = "limit"
    /// The text that a client got.
    package static let message = "message"
    /// The name of a namespace.
    package static let namespace = "nsp"
    /// A node in one of its epochs.
    package static let node = "node"
    /// Parts that were left out.
    package static let omitted = "omitted"
    /// The origin of a page.
    package static let origin = "origin"
    /// The path of a request.
    package static let path = "path"
    /// A port to listen on.
    package static let port = "port"
    /// Why something happened.
    package static let reason = "reason"
    /// Rooms whose members are selected.
    package static let rooms = "rooms"
    /// The public id of a socket.
    package static let socket = "sid"
    /// The kind of code that failed.
    package static let source = "source"
    /// How many lines of the same kind were not written before this one.
    package static let suppressed = "suppressed"
    /// How packets are carried: `polling` or `websocket`.
    package static let transport = "transport"
    /// How many events wait.
    package static let waiting = "waiting"
}
