// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// A WebSocket handshake as nearly all clients send it: in one piece, and with nothing in it that needs an HTTP parser to be understood.
///
/// Nothing is refused here. Every doubtful request, with a folded line, a repeated field or a byte that is not printable, is left to the
/// HTTP pipeline with its checks and answers.
struct PlainHandshake {
    /// Where the client's key is.
    private(set) var key = 0..<0
    private(set) var host: Range<Int>?
    private(set) var origin: Range<Int>?
    /// The offered subprotocols, all of them tokens.
    private(set) var subprotocols: Range<Int>?
    private var asksForWebSocket = false
    private var asksForUpgrade = false
    private var hasVersion = false

    /// Reads a request.
    ///
    /// - Parameters:
    ///   - bytes: All that has been read.
    ///   - path: The engine's path.
    ///   - maximumFields: How many header fields it may have.
    ///   - lines: Gets the request as ``EngineHandshake`` keeps it, after what it has.
    init?(_ bytes: UnsafeRawBufferPointer, path: [UInt8], maximumFields: Int, lines: inout [UInt8]) {
        guard bytes.count > path.count + 16, bytes.isCRLF(at: bytes.count - 2) else { return nil }
        guard var position = Self.requestLine(bytes, path: path, lines: &lines) else { return nil }
        var fields = 0
        while !bytes.isCRLF(at: position) {
            fields += 1
            guard fields <= maximumFields, let end = readField(bytes, from: position, lines: &lines) else { return nil }
            position = end
        }
        // Something may follow that belongs to the WebSocket, or not.
        guard position == bytes.count - 2, asksForWebSocket, asksForUpgrade, hasVersion, !key.isEmpty, host != nil else { return nil }
    }

    // MARK: The request line

    /// - Returns: Where the header fields begin; nil if this is not a handshake for this server.
    private static func requestLine(_ bytes: UnsafeRawBufferPointer, path: [UInt8], lines: inout [UInt8]) -> Int? {
        guard bytes.has("GET ", at: 0), let end = bytes.endOfTarget(from: 4) else { return nil }
        let query = 4 + path.count + 1
        guard end > query, bytes[query - 1] == UInt8(ascii: "?") else { return nil }
        for index in path.indices where bytes[4 + index] != path[index] { return nil }
        guard bytes.has(" HTTP/1.1\r\n", at: end), asksForSession(bytes, query..<end) else { return nil }
        lines.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[..<end]))
        lines.append(UInt8(ascii: "\n"))
        return end + 11
    }

    /// Whether the parameters are those of a new session over WebSocket, each written once and without escapes.
    private static func asksForSession(_ bytes: UnsafeRawBufferPointer, _ query: Range<Int>) -> Bool {
        var (transports, versions) = (0, 0)
        var start = query.lowerBound
        while start < query.upperBound {
            var (end, nameEnd) = (start, -1)
            while end < query.upperBound, bytes[end] != UInt8(ascii: "&") {
                switch bytes[end] {
                case UInt8(ascii: "="): if nameEnd < 0 { nameEnd = end }
                case UInt8(ascii: "#"): return false
                case UInt8(ascii: "%"), UInt8(ascii: "+"): if nameEnd < 0 { return false }
                default: break
                }
                end += 1
            }
            let name = start..<(nameEnd < 0 ? end : nameEnd)
            if bytes.equals("transport", name) {
                transports += 1
                guard bytes.equals("transport=websocket", start..<end) else { return false }
            } else if bytes.equals("EIO", name) {
                versions += 1
                guard bytes.equals("EIO=4", start..<end) else { return false }
            } else if bytes.equals("sid", name) || bytes.equals("j", name) {
                return false
            }
            start = end + 1
        }
        return transports == 1 && versions == 1
    }

    // MARK: Header fields

    /// - Returns: Where the next line begins; nil if this one is not plain.
    private mutating func readField(_ bytes: UnsafeRawBufferPointer, from start: Int, lines: inout [UInt8]) -> Int? {
        var position = start
        while position < bytes.count, bytes[position].isPlainInName { position += 1 }
        let name = start..<position
        guard !name.isEmpty, position < bytes.count, bytes[position] == UInt8(ascii: ":") else { return nil }
        position += 1
        if position < bytes.count, bytes[position] == UInt8(ascii: " ") { position += 1 }
        let valueStart = position
        while position < bytes.count, bytes[position] >= 0x20, bytes[position] < 0x7f { position += 1 }
        let value = valueStart..<position
        guard bytes.isCRLF(at: position), bytes.isTrimmed(value), note(bytes, name, value) else { return nil }
        if let code = HeaderNames.code(of: UnsafeRawBufferPointer(rebasing: bytes[name])) {
            lines.append(code)
        } else {
            lines.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[name]))
            lines.append(UInt8(ascii: ":"))
        }
        lines.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[value]))
        lines.append(UInt8(ascii: "\n"))
        return position + 2
    }

    /// - Returns: Whether the field is understood; all those are that mean nothing for a handshake.
    private mutating func note(_ bytes: UnsafeRawBufferPointer, _ name: Range<Int>, _ value: Range<Int>) -> Bool {
        switch name.count {
        case 4 where bytes.equalsLowercased("host", name):
            guard host == nil, bytes[value].allSatisfy(\.mayStandInHost) else { return false }
            host = value
        case 6 where bytes.equalsLowercased("origin", name):
            guard origin == nil else { return false }
            origin = value
        case 7 where bytes.equalsLowercased("upgrade", name):
            guard !asksForWebSocket, bytes.equalsLowercased("websocket", value) else { return false }
            asksForWebSocket = true
        case 10 where bytes.equalsLowercased("connection", name):
            guard !asksForUpgrade, bytes.equalsLowercased("upgrade", value) || bytes.equalsLowercased("keep-alive, upgrade", value) else {
                return false
            }
            asksForUpgrade = true
        case 17 where bytes.equalsLowercased("sec-websocket-key", name):
            guard key.isEmpty, WebSocketHandshake.isKey(bytes[value]) else { return false }
            key = value
        case 21 where bytes.equalsLowercased("sec-websocket-version", name):
            guard !hasVersion, bytes.equals("13", value) else { return false }
            hasVersion = true
        case 22 where bytes.equalsLowercased("sec-websocket-protocol", name):
            guard subprotocols == nil, bytes[value].allSatisfy(\.mayStandInTokens) else { return false }
            subprotocols = value
        // A body, or an answer before it.
        case 6 where bytes.equalsLowercased("expect", name), 14 where bytes.equalsLowercased("content-length", name),
            17 where bytes.equalsLowercased("transfer-encoding", name):
            return false
        default: break
        }
        return true
    }
}

extension UInt8 {
    /// Whether names of header fields are made of this; a few more bytes are allowed that are not in use.
    fileprivate var isPlainInName: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

extension UInt8 {
    /// Whether lists of tokens are made of this, a few of which are not valid for all that: they have spaces within a token.
    fileprivate var mayStandInTokens: Bool { isTokenByte || self == UInt8(ascii: ",") || self == UInt8(ascii: " ") }
}

extension UnsafeRawBufferPointer {
    fileprivate func isCRLF(at position: Int) -> Bool {
        position >= 0 && position + 1 < count && self[position] == 0x0d && self[position + 1] == 0x0a
    }

    /// Where the printable bytes from `start` on end with a space.
    fileprivate func endOfTarget(from start: Int) -> Int? {
        var position = start
        while position < count, self[position] > 0x20, self[position] < 0x7f { position += 1 }
        return position < count && self[position] == 0x20 ? position : nil
    }

    fileprivate func isTrimmed(_ range: Range<Int>) -> Bool {
        range.isEmpty || (self[range.lowerBound] != 0x20 && self[range.upperBound - 1] != 0x20)
    }

    fileprivate func has(_ text: StaticString, at position: Int) -> Bool {
        position + text.utf8CodeUnitCount <= count && equals(text, position..<(position + text.utf8CodeUnitCount))
    }

    fileprivate func equals(_ text: StaticString, _ range: Range<Int>) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        for index in 0..<range.count where self[range.lowerBound + index] != text.utf8Start[index] { return false }
        return true
    }

    /// Whether this is `text`, which is in lower case, but for the case of ASCII letters.
    fileprivate func equalsLowercased(_ text: StaticString, _ range: Range<Int>) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        for index in 0..<range.count {
            let (byte, wanted) = (self[range.lowerBound + index], text.utf8Start[index])
            guard byte == wanted || (byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") && byte | 0x20 == wanted) else { return false }
        }
        return true
    }
}
