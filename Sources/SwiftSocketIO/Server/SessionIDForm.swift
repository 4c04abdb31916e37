// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOConcurrency
import SocketIOText

/// The form of the private session ids of a namespace. An id of another form is invalid, and no node is asked for it.
enum SessionIDForm: Hashable, Sendable {
    /// Random characters only.
    case random
    /// Random characters, a full stop, and the id of the node that generated it; or the id of a Node.js server, with which a cluster may share
    /// its sessions.
    case randomAndNode
    /// An id in the form of an adapter of the application.
    case other

    private static let randomLength = 15
    /// The length of an id of Node.js, which has random characters only.
    private static let nodeJSLength = 20
    /// The longest id of a node.
    private static let nodeLimit = 128
    /// The longest id and offset of another adapter.
    private static let otherLimit = 256

    init(_ makeSessionID: (String) -> String) {
        let random = RandomID.make(length: Self.randomLength)
        let id = makeSessionID(random)
        self = id == random ? .random : id.hasPrefix(random + ".") ? .randomAndNode : .other
    }

    func matches(_ id: String) -> Bool {
        let bytes = id.utf8
        switch self {
        case .random: return bytes.count == Self.randomLength && bytes.allSatisfy(Self.isRandom)
        case .randomAndNode:
            if bytes.count == Self.nodeJSLength, bytes.allSatisfy(Self.isRandom) { return true }
            let node = bytes.dropFirst(Self.randomLength + 1)
            return bytes.count <= Self.randomLength + 1 + Self.nodeLimit && !node.isEmpty
                && bytes.prefix(Self.randomLength).allSatisfy(Self.isRandom)
                && bytes.dropFirst(Self.randomLength).first == UInt8(ascii: ".") && node.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        case .other: return bytes.count <= Self.otherLimit && bytes.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        }
    }

    /// Whether text can be an offset, which an adapter parses.
    static func isOffset(_ text: String) -> Bool { text.utf8.count <= otherLimit && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } }

    private static func isRandom(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
