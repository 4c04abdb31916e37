// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// The proof with which a client resumes a session: its private id, and the offset of the last packet that it got.
package enum SessionToken {
    /// Bytes. The longest of ours is a private id in a cluster: 15 random characters, a full stop and a node's id of up to 256 bytes.
    package static let limit = 320

    /// Whether an adapter may have made it. The ids of nodes may have any characters.
    package static func isPlausible(_ text: String) -> Bool {
        let bytes = text.utf8
        return !bytes.isEmpty && bytes.count <= limit
    }

    /// Whether it is the random part of a private id: 15 characters here, 20 in Node.js.
    package static func isRandomPart(_ bytes: Substring.UTF8View, length: Int) -> Bool {
        bytes.count == length
            && bytes.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
