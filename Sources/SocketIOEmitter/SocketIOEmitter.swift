// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import Logging
public import SocketIOCluster
public import SocketIOCore
import SocketIOText

/// Emits to the clients of a cluster from a process that is no server: a job, a command, a function.
///
/// ```swift
/// let io = try await SocketIOEmitter.mongo("mongodb://db1,db2,db3/?replicaSet=rs0")
/// try await io.to("lobby").emit("news", "The doors are open.")
/// await io.close()
/// ```
///
/// It is not a node: nobody counts it, nobody waits for it, and it gets no answers. It holds one connection for its messages, and nothing
/// of it is left after ``close()``. Keep one for as long as there is something to emit; what several tasks emit at the same time is
/// written together.
public final class SocketIOEmitter: Sendable {
    /// What an emitter can be given besides its driver.
    public struct Options: Sendable {
        /// The parser of the servers. All of them, and their clients, use the same. Default: ``SocketIOCore/PacketFormat/json``.
        public var parser = PacketFormat.json
        /// Whether the servers have connection state recovery on. Broadcasts then carry the offset that lets clients which were cut off
        /// get them later. Default: false.
        public var connectionStateRecovery = false
        /// How long a message may wait to be written before `emit` throws. Default: 30 s, longer than an election.
        public var writeTimeout = Duration.seconds(30)
        /// Where the emitter logs. Default: a logger labelled `socketio.emitter`.
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
    ///   - driver: Carries the messages. It is closed with the emitter.
    ///   - options: What else is to be known.
    /// - Throws: What the driver throws, with advice in its message.
    public convenience init(driver: any Driver, options: Options = Options()) async throws {
        var configuration = ClusterConfiguration()
        configuration.writeTimeout = options.writeTimeout
        let identity = NodeIdentity(
            id: "emitter-" + String(UInt64.random(in: .min ... .max), radix: 16),
            epoch: UInt64.random(in: 1...UInt64(Int64.max) - 1_000_000)
        )
        try await self.init(driver: driver, configuration: configuration, identity: identity, options: options)
    }

    init(driver: any Driver, configuration: ClusterConfiguration, identity: NodeIdentity, options: Options) async throws {
        self.options = options
        self.sender = ClusterSender(driver: driver, configuration: configuration, identity: identity, logger: options.logger)
        try await sender.start()
    }

    /// Waits until everything is written, at most for the write deadline, and ends the connection and its threads.
    public func close() async { await sender.close() }

    /// The sockets of a namespace. A missing leading slash is added.
    public func of(_ namespace: String) -> EmitterOperator {
        EmitterOperator(emitter: self, namespace: namespace.hasPrefix("/") ? namespace : "/" + namespace)
    }
}
