// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import ArgumentParser
import SocketIOCluster
import SocketIOMongoAdapter

/// How the server takes part in a cluster.
struct MongoOptions: ParsableArguments {
    @Option(help: "The connection string of a MongoDB deployment; without one the server is alone.") var mongodb: String?
    @Option(help: "The collection.") var collection = "socketio"
    @Option(help: "ttl or capped.") var expiration = "ttl"
    @Option(help: "change-stream or tailable.") var driver = "change-stream"
    @Option(help: "native, nodejs or socketioxide.") var wireFormat = "native"
    @Option(help: "The id of this node.") var node: String?
    @Option(help: "Hexadecimal digits of a key with which documents are signed.") var signingKey: String?
    @Flag(help: "Keep copies of sessions in case this node crashes.") var snapshots = false

    var adapter: MongoAdapter? {
        get throws {
            guard let mongodb else { return nil }
            var configuration = MongoAdapterConfiguration(connectionString: mongodb)
            configuration.collection = collection
            configuration.nodeID = node
            configuration.cluster.snapshotsSessions = snapshots
            if let signingKey {
                guard let key = SigningKey(hexadecimal: signingKey) else { throw ValidationError("--signing-key takes hexadecimal digits") }
                configuration.signingKeys = [key]
            }
            configuration.cluster.heartbeatInterval = .seconds(1)
            configuration.cluster.heartbeatTimeout = .seconds(3)
            configuration.cluster.requestTimeout = .seconds(20)
            switch expiration {
            case "ttl": configuration.expiration = .ttl
            case "capped": configuration.expiration = .capped
            default: throw ValidationError("--expiration is ttl or capped")
            }
            switch driver {
            case "change-stream": configuration.reading = .changeStream
            case "tailable": configuration.reading = .tailable
            default: throw ValidationError("--driver is change-stream or tailable")
            }
            switch wireFormat {
            case "native": configuration.wireFormat = .native
            case "nodejs": configuration.wireFormat = .nodeJS
            case "socketioxide": configuration.wireFormat = .socketioxide
            default: throw ValidationError("--wire-format is native, nodejs or socketioxide")
            }
            return MongoAdapter(configuration)
        }
    }
}
#endif
