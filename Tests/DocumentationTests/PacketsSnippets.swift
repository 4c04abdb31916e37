// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import SocketIOCore

enum PacketsSnippets {
    static func writing() throws {
        let encoder = PacketEncoder(format: .json)
        let packet = try encoder.event("score", namespace: "/game") { writer in
            try writer.append("home")
            try writer.append(3)
        }
        print(String(buffer: packet.message))  // 2/game,["score","home",3]
    }

    static func reading() throws {
        var decoder = PacketDecoderStateMachine(format: .json)
        let packet = try decoder.receive(text: ByteBuffer(string: #"2/game,["score","home",3]"#))
        if case .event(let name, let arguments, let id)? = packet?.content {
            let side = try arguments.decode(String.self, at: 0)
            let goals = try arguments.decode(Int.self, at: 1)
            print(name, side, goals, id ?? "no acknowledgement wanted")
        }
    }

    static func passingOn(_ arguments: EventArguments) throws {
        func forward(_ arguments: EventArguments, encoder: PacketEncoder) throws -> EncodedPacket {
            try encoder.event("forwarded", namespace: "/") { writer in try writer.append(contentsOf: arguments) }
        }
        print(try forward(arguments, encoder: PacketEncoder(format: arguments.format)).byteCount)
    }
}
