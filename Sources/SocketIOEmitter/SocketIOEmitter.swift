// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import Logging
public import SocketIOCluster
import SocketIOConcurrency
public import SocketIOCore
import SocketIOText

/// The emitter library: emits to the clients of a cluster from a process that is not a server, such as a job or a function. The command
/// line tool over it is `socketio-emit`.
///
/// ```swift
/// let io = try await SocketIOEmitter.mongo("mongodb://db1,db2,db3/?replicaSet=rs0")
/// try await io.to("lobby").emit("news", "The doors are open.")
/// await io.close()
/// ```
///
/// It is not a node: it is not counted, nodes do not wait for it, and it receives no answers. It holds one connection for its messages
/// until ``close()``. Keep one emitter for as long as there is something to emit; messages that several tasks emit at the same time are
/// written together.
public final class SocketIOEmitter: Sendable {
    /// The options of an emitter.
    public struct Options: Sendable {
        /// The parser of the servers. All servers and their clients must use the same one. Default: ``SocketIOCore/PacketFormat/json``.
        public var parser = PacketFormat.json
        /// Whether connection state recovery is enabled in the servers. Broadcasts then carry the offset with which disconnected clients
        /// can receive them later. Default: false.
        public var connectionStateRecovery = false
        /// How long a message may wait to be written before `emit` throws. Default: 30 s, longer than an election.
        public var writeTimeout = Duration.seconds(30)
        /// The emitter's logger. Default: one labelled `socketio.emitter`.
        public var logger = Logger(label: "socketio.emitter")

        /// The defaults.
        public init() {}
    }

    let sender: ClusterSender
    let options: Options

    /// Creates an emitter over any backend and prepares it, for example over a bus in memory for tests:
    ///
    /// ```swift
    /// let io = try await SocketIOEmitter(driver: cluster.makeDriver())
    /// ```
    ///
    /// - Parameters:
    ///   - driver: Writes the messages. It is closed with the emitter.
    ///   - options: The options.
    /// - Throws: The error of the driver, with advice in its message.
    public convenience init(driver: any Driver, options: Options = Options()) async throws {
        var configuration = ClusterConfiguration()
        configuration.writeTimeout = options.writeTimeout
        let identity = NodeIdentity(
            id: "emitter-" + RandomID.make(),
            epoch: ClusterNode.makeEpoch()
        )
        try await self.init(driver: driver, configuration: configuration, identity: identity, options: options)
    }

    init(driver: any Driver, configuration: ClusterConfiguration, identity: NodeIdentity, options: Options) async throws {
        self.options = options
        self.sender = ClusterSender(driver: driver, configuration: configuration, identity: identity, logger: options.logger)
        try await sender.start()
    }

    /// Waits until everything is written, at most for the write timeout, and ends the connection and its threads.
    public func close() async { await sender.close() }

    /// The sockets of a namespace. A missing leading slash is added.
    public func of(_ namespace: String) -> EmitterOperator {
        EmitterOperator(emitter: self, namespace: NamespaceName.normalised(namespace))
    }
}
