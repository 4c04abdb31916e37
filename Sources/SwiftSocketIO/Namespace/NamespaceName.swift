// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// What a namespace may be called.
enum NamespaceName {
    /// Bytes of UTF-8, the leading slash included.
    static let limit = 1_024

    /// The name with its leading slash.
    static func normalised(_ name: String) -> String { name.hasPrefix("/") ? name : "/" + name }

    /// Why nobody can join a namespace of this name; nil if it is a good one.
    static func problem(of name: String) -> SocketIOError? {
        if name.utf8.count > limit {
            return SocketIOError(.invalidNamespace, "a namespace's name has \(name.utf8.count) bytes; use at most \(limit)")
        }
        if name.utf8.contains(UInt8(ascii: ",")) {
            return SocketIOError(.invalidNamespace, "'\(name)' contains a comma, which ends the name in a packet; choose another name")
        }
        return nil
    }
}
