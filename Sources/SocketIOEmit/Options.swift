// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import NIOCore
import SocketIOCore
import SocketIOEmitter

/// The sockets that a command applies to.
struct SelectionOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "The namespace.") var namespace = "/"
    @Option(name: .shortAndLong, help: "Select sockets in this room; may be repeated. Default: all sockets.") var room: [String] = []
    @Option(name: .shortAndLong, help: "Exclude sockets in this room; may be repeated.") var except: [String] = []

    func target(of emitter: SocketIOEmitter) -> EmitterOperator { emitter.of(namespace).to(room).except(except) }
}

/// `json` or `msgpack`.
struct Parser: ExpressibleByArgument {
    var format = PacketFormat.json

    init() {}

    init?(argument: String) {
        switch argument {
        case "json": format = .json
        case "msgpack": format = .messagePack
        default: return nil
        }
    }

    var defaultValueDescription: String { "json" }
}

/// The arguments of an event, as given on the command line.
struct JSONArguments {
    private let values: [SocketIOValue]

    init(_ texts: [String]) throws {
        values = try texts.map { text in
            do {
                return try EncodedValue(format: .json, bytes: ByteBuffer(string: text)).decode(SocketIOValue.self)
            } catch {
                throw ValidationError("\(text) is not a JSON value. A string needs quotes of its own: '\"\(text)\"'")
            }
        }
    }

    func encoded(for parser: PacketFormat) throws -> EventArguments {
        try PacketEncoder(format: parser).arguments { writer in
            for value in values { try writer.append(value) }
        }
    }
}
