// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import Foundation
import SocketIOCluster
import SocketIOMongoClient
import SwiftSocketIO
import SocketIOMongoAdapter
import SocketIOMongoTesting

#if Hummingbird
import Hummingbird
#endif

enum MongoSnippets {
    static func overview() {
        let io = SocketIOServer(adapter: .mongo("mongodb://db1,db2,db3/?replicaSet=rs0"))
        _ = io
    }

    static func setUp() async throws {
        var configuration = MongoAdapterConfiguration(connectionString: "mongodb://db1,db2,db3/app?replicaSet=rs0")
        configuration.collection = "socketio"
        configuration.clusterName = "production"
        let mongo = MongoAdapter(configuration)

        let io = SocketIOServer(adapter: mongo)
        try await io.run(port: 3000)
    }

    static func replicaSet() async throws {
        let set = try await MongoReplicaSet.start()
        print(set.connectionString, "is ready; press Return to stop it")
        _ = readLine()
        await set.stop()
    }

    private struct NoKey: Error {}

    static func signed(_ configuration: inout MongoAdapterConfiguration) throws {
        let text = try String(contentsOfFile: "/run/secrets/socketio-key", encoding: .utf8)
        guard let key = SigningKey(hexadecimal: text) else { throw NoKey() }
        configuration.signingKeys = [key]
    }

    static func sharedClient(uri: String) throws -> MongoAdapter {
        let client = try MongoClient(configuration: .init(connectionString: uri))
        let mongo = MongoAdapter(.init(.client(client)))
        return mongo
    }

    static func copies(uri: String) -> SocketIOServer {
        var configuration = MongoAdapterConfiguration(connectionString: uri)
        configuration.cluster.snapshotsSessions = true
        let io = SocketIOServer(adapter: .mongo(configuration))
        return io
    }

    static func nodeJS(uri: String) -> SocketIOServer {
        var configuration = MongoAdapterConfiguration(connectionString: uri)
        configuration.collection = "socket.io-adapter-events"
        configuration.wireFormat = .nodeJS
        let io = SocketIOServer(adapter: .mongo(configuration))
        return io
    }

    static func socketioxide(uri: String) -> SocketIOServer {
        var configuration = MongoAdapterConfiguration.socketioxide(connectionString: uri)
        configuration.database = "app"
        let io = SocketIOServer(adapter: .mongo(configuration))
        return io
    }

    static func pacing(_ configuration: inout MongoAdapterConfiguration) {
        configuration.cluster.pacing = .init(batchMessages: 256, messagesPerSecond: 10_000)
    }

    #if Hummingbird
    static func health(of mongo: MongoAdapter) -> Router<BasicRequestContext> {
        let router = Router()
        router.get("/ready") { _, _ in
            mongo.health.takesPart ? HTTPResponse.Status.ok : .serviceUnavailable
        }
        return router
    }
    #endif

    static func client() async throws {
        let client = try MongoClient(configuration: .init(connectionString: "mongodb://localhost/?replicaSet=rs0"))
        let messages = client.database("chat").collection("messages")

        let stream = try await messages.watch()
        let result = try await messages.insert([
            BSONDocument {
                $0.append("_id", ObjectID())
                $0.append("text", "hello")
            }
        ])
        for try await batch in stream {
            for event in batch.documents {
                print(event["fullDocument"]?.document?["text"]?.string ?? "")
            }
        }
        await client.close()
        _ = result
    }
}
#endif
