// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import SocketIOTesting
import SwiftSocketIO

enum HandlingEventsSnippets {
    static func typed(io: SocketIOServer) {
        struct Move: Codable, Sendable {
            var piece: String
            var to: [Int]
        }

        io.onConnect { socket in
            socket.on("hello") { print("hello from \(socket.id)") }
            socket.on("name") { (name: String) in socket.data["name"] = name }
            socket.on("move") { (move: Move, at: Double) in print(move.piece, move.to, at) }
            socket.on("photo") { (name: String, bytes: ByteBuffer) in print(name, bytes.readableBytes) }
            socket.on("maybe") { (text: String, tag: String?) in print(text, tag ?? "untagged") }
            socket.on("anything") { (value: SocketIOValue) in print(value["user"] ?? "nobody") }
        }
    }

    struct Arithmetic: Sendable {
        func register(on socket: Socket) {
            socket.on("divide", divide)
            socket.on("report", .concurrent, report)
        }

        func divide(_ a: Double, by b: Double) throws -> Double {
            guard b != 0 else { throw AckError("division by zero") }
            return a / b
        }

        func report(_ socket: Socket, _ month: String) async throws -> String { "\(month) for \(socket.id)" }
    }

    static func values(socket: Socket) throws {
        socket.on("profile") { (id: Int) -> SocketIOValue in
            ["id": .int(Int64(id)), "name": "Ada", "tags": ["admin", "staff"], "manager": nil]
        }
        try socket.emit("state", ["online": true, "since": 1990, "name": "Ada"] as SocketIOValue)
    }

    static func bytes(socket: Socket, file: FileHandle) {
        socket.on("store") { (event: SocketEvent) in
            for index in 0..<event.arguments.count {
                guard let argument = event.arguments[index] else { continue }
                try file.write(contentsOf: argument.data)
            }
        }
    }

    struct Database: Sendable {
        func save(_ text: String) async throws -> Int { text.count }
        func find(_ id: Int) async throws -> String? { nil }
    }

    static func results(socket: Socket, database: Database) {
        socket.on("sum") { (a: Double, b: Double) in a + b }
        socket.on("save") { (text: String) in try await database.save(text) }
        socket.on("log") { (text: String) in print(text) }
        socket.on("range") { (values: [Int]) in Ack(values.min(), values.max()) }
    }

    static func refusing(socket: Socket, database: Database) {
        struct Refusal: Encodable, Sendable { var reason: String }

        socket.on("find") { (id: Int) in
            guard let text = try await database.find(id) else { throw AckError(Refusal(reason: "not found")) }
            return text
        }
    }

    static func types(socket: Socket) {
        socket.on("load") { (id: Int) async throws -> String in
            guard id > 0 else { throw AckError("no such id") }
            try await Task.sleep(for: .milliseconds(10))
            return "item \(id)"
        }
    }

    static func raw(socket: Socket) {
        socket.on("echo") { (event: SocketEvent) in
            print(event.arguments.count, "arguments,", event.arguments.byteCount, "bytes")
            try event.acknowledgement?.send(Ack(raw: event.arguments))
        }
        socket.on("relay") { (event: SocketEvent) async throws in
            try await socket.broadcast.emit("relayed", raw: event.arguments)
        }
    }

    struct Board: SocketController {
        func register(on socket: Socket) { socket.on("draw", draw) }

        func draw(_ socket: Socket, _ event: SocketEvent) async throws {
            try await socket.broadcast.emit("draw", raw: event.arguments)
        }
    }

    static func removing(socket: Socket) {
        let id = socket.on("step") { (n: Int) in print(n) }
        socket.once("ready") { print("ready, and never again") }
        socket.off(id)
        socket.off("step")
    }

    static func catchAll(io: SocketIOServer, socket: Socket) {
        socket.onAny { event in print("got", event.name) }
        socket.onAnyOutgoing { event in print("sent", event.name) }
        socket.use { event in
            if event.name.hasPrefix("admin:") { throw AckError("forbidden") }
        }
        io.onError { failure in print(failure.event ?? "connection", failure.socket?.id ?? "-", failure.error) }
    }

    static func careful(socket: Socket) {
        socket.on("page") { (number: Int, size: Int) in
            guard 0..<10_000 ~= number, 1...100 ~= size else { throw AckError("no such page") }
            return "items \(number * size) to \(number * size + size)"
        }
        socket.on("pick") { (cards: [String], index: Int) in
            guard cards.indices.contains(index) else { throw AckError("no such card") }
            return cards[index]
        }
    }

    static func concurrent(socket: Socket) {
        socket.on("report", .concurrent) { (month: String) async throws -> String in
            try await Task.sleep(for: .seconds(5))
            return "the report of \(month)"
        }
    }

    static func tasks(io: SocketIOServer) {
        io.onConnect { socket in
            socket.addTask {
                while true {
                    try socket.volatile.emit("time", "\(ContinuousClock.now)")
                    try await Task.sleep(for: .seconds(1))
                }
            }
            socket.onDisconnecting { end in print(socket.id, "leaves", end.rooms) }
            socket.onDisconnect { end in print(socket.id, "is gone:", end.reason) }
        }
    }

    static func blocking() -> SocketIOConfiguration {
        var configuration = SocketIOConfiguration()
        configuration.handlersBlock = true
        return configuration
    }
}
