// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import Logging
import SocketIOCluster
public import SocketIOMongoAdapter
import SocketIOText

extension SocketIOEmitter {
    /// Creates an emitter into the cluster of a MongoDB deployment, with the defaults of `MongoAdapterConfiguration`.
    ///
    /// - Parameters:
    ///   - connectionString: `mongodb://…` or `mongodb+srv://…` with all its options; its path may name the database.
    ///   - options: The options.
    /// - Throws: As ``mongo(_:options:)-(MongoAdapterConfiguration,_)``.
    public static func mongo(_ connectionString: String, options: Options = Options()) async throws -> SocketIOEmitter {
        var configuration = MongoAdapterConfiguration(connectionString: connectionString)
        configuration.cluster.writeTimeout = options.writeTimeout
        configuration.logger = options.logger
        return try await mongo(configuration, options: options)
    }

    /// Creates an emitter into the cluster of a MongoDB deployment. The collection is set up if it does not exist. If no node has written
    /// to it lately, a warning is logged: most often, one of the values that must be those of the nodes is not.
    ///
    /// - Parameters:
    ///   - configuration: Database, collection, cluster name, wire format and expiration must be those of the nodes. The settings for
    ///     reading, heartbeats and requests have no effect. Its `cluster.writeTimeout` is used instead of that of the options.
    ///   - options: The options.
    /// - Throws: `MongoAdapterError`: `invalidConfiguration`; `unreachable` or `authentication` within the server selection timeout;
    ///   `unauthorized`; `collectionMismatch`; `failed`.
    public static func mongo(
        _ configuration: MongoAdapterConfiguration,
        options: Options = Options()
    ) async throws -> SocketIOEmitter {
        let name = configuration.collection
        return try await mongo(configuration, options: options) {
            options.logger.warning("\(silence)", metadata: [LogKey.collection: "\(name)"])
        }
    }

    /// What to do if no node has written to the collection.
    package static var silence: String {
        "no server has written to the collection lately: check that servers are running, and that database, collection, cluster name and "
            + "wire format are theirs"
    }

    /// Creates an emitter.
    ///
    /// - Parameter onSilence: Called at the start if no node has written to the collection lately.
    package static func mongo(
        _ configuration: MongoAdapterConfiguration,
        options: Options,
        onSilence: @escaping @Sendable () -> Void
    ) async throws -> SocketIOEmitter {
        let backend = MongoEmitterBackend(
            configuration,
            parser: options.parser,
            recovers: options.connectionStateRecovery,
            onSilence: onSilence
        )
        return try await SocketIOEmitter(
            driver: backend.driver,
            configuration: backend.configuration,
            identity: backend.identity,
            options: options
        )
    }
}
#endif
