// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// What travels between the chat and its clients.

struct Credentials: Decodable { let nick: String }
struct Draft: Decodable { let id: String, room: String, text: String }
struct PrivateDraft: Decodable { let id: String, to: String, text: String }
struct Receipt: Decodable { let id: String, from: String }

struct Member: Codable, Sendable { let id: String, nick: String, node: String }
struct Message: Codable, Sendable {
    let id: String
    var room: String?
    var to: Member?
    let from: Member
    let text: String
    /// Milliseconds since 1970.
    let at: Int64
}
struct Welcome: Encodable { let you: Member, rooms: [String] }
struct Joined: Encodable { let members: [Member], messages: [Message] }
struct Presence: Encodable {
    let room: String
    let member: Member
    var back = false
}
struct Renamed: Encodable { let member: Member, was: String }
struct Typing: Encodable { let room: String, member: Member, on: Bool }
struct Delivered: Encodable { let id: String, by: Member }
struct Accepted: Encodable { let at: Int64 }

/// What a node knows, for one that has just started.
struct Past: Codable, Sendable {
    struct Room: Codable { let name: String, messages: [Message] }
    let rooms: [Room]
}

/// A request that is not granted, with a sentence to show.
struct Refusal: Error, Encodable { let error: String }

/// What clients may send.
enum Limits {
    /// Rooms that one person is in.
    static let rooms = 64

    static func nick(_ text: String) throws(Refusal) -> String {
        try trimmed(text, upTo: 24, or: "A nickname has 1 to 24 characters.")
    }

    static func room(_ text: String) throws(Refusal) -> String {
        try trimmed(text, upTo: 32, or: "A room's name has 1 to 32 characters.")
    }

    static func check(_ draft: Draft) throws(Refusal) { try check(id: draft.id, text: draft.text) }
    static func check(_ draft: PrivateDraft) throws(Refusal) { try check(id: draft.id, text: draft.text) }

    private static func check(id: String, text: String) throws(Refusal) {
        guard 1...64 ~= id.utf8.count else { throw Refusal(error: "A message needs an id of 1 to 64 characters.") }
        _ = try trimmed(text, upTo: 2000, or: "A message has 1 to 2000 characters.")
    }

    /// One visible character may have any number of parts, so bytes are counted too.
    private static func trimmed(_ text: String, upTo limit: Int, or refusal: String) throws(Refusal) -> String {
        guard text.utf8.count <= 8 * limit else { throw Refusal(error: refusal) }
        let trimmed = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard 1...limit ~= trimmed.count else { throw Refusal(error: refusal) }
        return trimmed
    }
}
