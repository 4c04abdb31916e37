// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Logging
import SocketIOCluster
import SwiftSocketIO

#if MongoDB
import SocketIOMongoAdapter
#endif

enum Parser: String, ExpressibleByArgument, CaseIterable { case json, msgpack }

enum Expiration: String, ExpressibleByArgument, CaseIterable { case ttl, capped }

enum Driver: String, ExpressibleByArgument, CaseIterable {
    case changeStream = "change-stream"
    case tailable
}

struct Options: ParsableArguments {
    @Option(help: "The address to listen on.") var host = "127.0.0.1"
    @Option(help: "The port; 0 for any that is free.") var port = 0
    @Option(help: "The number of event loops, each with a thread.") var loops = 1
    @Option(help: "The packets' format.") var parser = Parser.json
    @Flag(help: "Sessions survive short disconnections.") var recovery = false
    @Flag(help: "Mounted in a Hummingbird application instead of a server of its own.") var hummingbird = false
    @Option(help: "A PEM file with a certificate, for TLS.") var certificate: String?
    @Option(help: "The PEM file with its private key.") var key: String?
    @Flag(help: "No Socket.IO server, but the least that NIO can do for a client that connects: the limit to compare connecting with.")
    var bare = false
    @OptionGroup(title: "Cluster") var cluster: ClusterOptions

    mutating func validate() throws {
        guard (1...1024).contains(loops) else { throw ValidationError("--loops must be from 1 to 1024") }
        guard (0...65535).contains(port) else { throw ValidationError("--port must be from 0 to 65535") }
        guard (certificate == nil) == (key == nil) else { throw ValidationError("--certificate and --key belong together") }
        guard !hummingbird || (certificate == nil && !bare) else { throw ValidationError("--hummingbird goes without TLS and --bare here") }
        #if !Hummingbird
        guard !hummingbird else { throw ValidationError("--hummingbird: this build has no Hummingbird; build with that trait") }
        #endif
        #if !MongoDB
        guard cluster.mongodb == nil else {
            throw ValidationError("--mongodb: this build has no MongoDB adapter; build with the trait MongoDB")
        }
        #endif
    }

    var serverConfiguration: SocketIOConfiguration {
        var configuration = SocketIOConfiguration()
        configuration.parser = parser == .msgpack ? .messagePack : .json
        if recovery { configuration.connectionStateRecovery = ConnectionStateRecovery() }
        return configuration
    }
}

/// What connects the node to others.
struct ClusterOptions: ParsableArguments {
    @Option(help: "The connection string of a replica set or sharded cluster; without it the node is alone.") var mongodb: String?
    @Option(help: "The database.") var database = "socketio"
    @Option(help: "The collection.") var collection = "messages"
    @Option(help: "The name that nodes of one cluster share.") var cluster = "load"
    @Option(help: "How old messages are removed.") var expiration = Expiration.ttl
    @Option(help: "How messages are read; tailable needs --expiration capped.") var driver = Driver.changeStream
}

#if MongoDB
extension ClusterOptions {
    /// The adapter that the options describe.
    var adapter: any AdapterFactory {
        guard let mongodb else { return LocalAdapterFactory() }
        var configuration = MongoAdapterConfiguration(connectionString: mongodb)
        configuration.database = database
        configuration.collection = collection
        configuration.clusterName = cluster
        configuration.expiration = expiration == .capped ? .capped : .ttl
        configuration.reading = driver == .tailable ? .tailable : .changeStream
        configuration.logger.logLevel = .warning
        return .mongo(configuration)
    }
}
#else
extension ClusterOptions {
    /// No adapter but that for one process is built in.
    var adapter: any AdapterFactory { LocalAdapterFactory() }
}
#endif
