// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// The rules for the names of namespaces.
package enum NamespaceName {
    /// The longest name, in bytes of UTF-8, the leading slash included.
    package static let limit = 1_024

    /// Whether a name is short enough.
    package static func isShort(_ name: String) -> Bool { name.utf8.count <= limit }

    /// The name with its leading slash.
    package static func normalised(_ name: String) -> String { name.hasPrefix("/") ? name : "/" + name }

    /// Why no client can join a namespace of this name, and what to do about it; nil if clients can.
    package static func problem(of name: String) -> String? {
        if !isShort(name) { return "a namespace's name has \(name.utf8.count) bytes; use at most \(limit)" }
        if name.utf8.contains(UInt8(ascii: ",")) {
            return "'\(name)' contains a comma, which ends the name in a packet; choose another name"
        }
        return nil
    }
}
