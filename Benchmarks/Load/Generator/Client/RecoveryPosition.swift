// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// The position that a client sends to receive the events that it missed (connection state recovery).
struct RecoveryPosition {
    private(set) var pid: [UInt8] = []
    private(set) var offset: [UInt8] = []
    /// Whether the server has kept the session of the last connection.
    private(set) var wasRecovered = false

    /// The object that the client sends when it connects; nil if it has no session yet.
    var auth: String? {
        guard !pid.isEmpty else { return nil }
        return #"{"pid":"\#(String(decoding: pid, as: UTF8.self))","offset":"\#(String(decoding: offset, as: UTF8.self))"}"#
    }

    /// Reads the server's answer, `{"sid":"…","pid":"…"}`. A session that was recovered keeps its private id.
    mutating func connected(_ body: UnsafeBufferPointer<UInt8>) {
        let text = String(decoding: body, as: UTF8.self)
        guard let key = text.firstRange(of: #""pid":""#) else { return pid = [] }
        let new = Array(text[key.upperBound...].utf8.prefix { $0 != UInt8(ascii: "\"") })
        wasRecovered = new == pid
        pid = new
        if !wasRecovered { offset = [] }
    }

    /// Keeps the last argument of an event, which is its offset.
    mutating func received(_ body: UnsafeBufferPointer<UInt8>) {
        guard let end = body.lastIndex(of: UInt8(ascii: "\"")),
            let begin = body[..<end].lastIndex(of: UInt8(ascii: "\""))
        else { return }
        offset = Array(body[(begin + 1)..<end])
    }
}
