// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SwiftSocketIO

#if MongoDB
import SocketIOMongoAdapter
#endif

#if Hummingbird
import Hummingbird
import SocketIOHummingbird
#endif

enum ReadmeSnippets {
    static func quickStart() async throws {
        let io = SocketIOServer()
        io.onConnect { socket in
            await socket.join("lobby")
            socket.on("message") { (text: String) in  // arguments are Codable, any number of them
                try await socket.to("lobby").emit("message", text)
            }
            socket.on("sum") { (a: Double, b: Double) in a + b }  // the result is the acknowledgement
        }
        try await io.run(port: 3000)
    }

    static func broadcast(io: SocketIOServer, headline: String) async throws {
        try await io.to("lobby").except("muted").emit("news", headline)
    }

    static func ask(io: SocketIOServer) async throws {
        for try await ready in try await io.to("lobby").timeout(.seconds(2)).emitWithAck("ready?", as: Bool.self) {
            print(ready)
        }
    }

    static func fetch(io: SocketIOServer) async throws {
        for socket in try await io.in("lobby").fetchSockets() {
            print(socket.id, socket.data["nick", as: String.self] ?? "?")
        }
        try await io.in("lobby").socketsJoin("game")
    }

    struct Login: Decodable { var token: String }

    static func refuse(io: SocketIOServer) {
        io.use { socket in
            guard let login = try socket.auth(as: Login?.self), login.token == "secret" else {
                throw ConnectError("not authorized", data: ["reason": "log in first"])
            }
        }
    }

    static func recover() -> SocketIOConfiguration {
        var configuration = SocketIOConfiguration()
        configuration.connectionStateRecovery = ConnectionStateRecovery()
        return configuration
    }

    #if MongoDB
    static func cluster() async throws {
        let cluster = SocketIOServer(adapter: .mongo("mongodb://db1,db2,db3/?replicaSet=rs0"))
        try await cluster.serverSideEmit("reload", "settings")  // to the other processes themselves
    }

    static func mix() -> SocketIOServer {
        var adapter = MongoAdapterConfiguration(connectionString: "mongodb://db1,db2,db3/app?replicaSet=rs0")
        adapter.collection = "socket.io-adapter-events"
        adapter.wireFormat = .nodeJS
        let mixed = SocketIOServer(adapter: .mongo(adapter))
        return mixed
    }
    #endif

    #if Hummingbird
    static func mount(io: SocketIOServer) async throws {
        let router = Router()
        var app = Application(router: router, server: .socketIO(io))
        app.addServices(io)
        try await app.runService()
    }
    #endif
}
