// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOMessagePack

enum MessagePackSnippets {
    static func coders() throws {
        struct Score: Codable {
            var team: String
            var goals: Int
            var replay: ByteBuffer
        }

        let bytes = try MessagePackEncoder().encode(Score(team: "home", goals: 3, replay: ByteBuffer(bytes: [1, 2, 3])))
        let score = try MessagePackDecoder().decode(Score.self, from: bytes)
        print(score)
    }

    static func values() throws {
        let message: MessagePackValue = ["team": "home", "goals": 3]
        let written = try message.encoded()
        let read = try MessagePackValue(decoding: written)
        print(read["goals"] ?? "no goals")
    }

    static func withoutATree() throws {
        var writer = MessagePackWriter()
        try writer.writeMapHeader(count: 1)
        try writer.write("goals")
        writer.write(3)

        var reader = MessagePackReader(writer.buffer)
        for _ in 0..<(try reader.readMapHeader()) {
            let key = try reader.readString()
            if key == "goals" { print(try reader.readInteger(as: Int.self)) } else { try reader.skip() }
        }
        try reader.expectEnd()
    }
}
