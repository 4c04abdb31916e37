// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// The keys of the metadata that this module logs.
enum ClusterLogKey {
    /// A node in one of its epochs.
    static let node = "socketio.node"
    /// A lane.
    static let lane = "socketio.lane"
    /// A namespace.
    static let namespace = "socketio.namespace"
    /// An error.
    static let error = "error"
    /// Why something happened.
    static let reason = "reason"
    /// How many messages or sessions it concerns.
    static let count = "count"
    /// The health of the node.
    static let health = "health"
    /// How many lines were left out before this one.
    static let suppressed = "suppressed"
}
