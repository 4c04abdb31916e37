// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB

/// The configuration of a ``MongoClient``: how it connects, and its limits.
///
/// Options in the connection string take precedence over the properties here.
public struct MongoClientConfiguration: Sendable {
    /// `mongodb://…` or `mongodb+srv://…` with all its options: TLS, authentication, compressors, read preference, `retryWrites`…
    public var connectionString: String

    /// Shown in the server's log and in `currentOp`; at most 128 bytes. Default `nil`: none.
    public var applicationName: String?

    /// How long an operation waits for a suitable server before it throws ``MongoError/Code/serverSelection``
    /// (`serverSelectionTimeoutMS`). Default 5 s. Bounds: above 0.
    public var serverSelectionTimeout = Duration.seconds(5)

    /// How long a connection may take to be made (`connectTimeoutMS`); also how long a monitor waits for a silent server.
    /// Default 5 s. Bounds: above 0.
    public var connectTimeout = Duration.seconds(5)

    /// How long a command waits for its answer before the connection is closed and the command fails with
    /// ``MongoError/Code/network`` (`socketTimeoutMS`). Default 10 s.
    /// Bounds: above 0.
    public var socketTimeout = Duration.seconds(10)

    /// The same for the connections of cursors and change streams, which are separate from those of commands: reopening a change
    /// stream far back in the oplog may take the server long. `socketTimeoutMS` does not apply here. Default 60 s.
    /// Bounds: above the largest `maxAwaitTime`.
    public var cursorSocketTimeout = Duration.seconds(60)

    /// How often the monitors look at each server (`heartbeatFrequencyMS`); changes that a server notices itself arrive at once.
    /// Default 5 s. Bounds: at least 0.5 s.
    public var heartbeatFrequency = Duration.seconds(5)

    /// The number of threads that run commands, and thereby of concurrent commands; never more than `maxPoolSize`.
    /// Default 4. Bounds: 1…128.
    public var commandThreads = 4

    /// The maximum number of commands that wait for a thread; additional ones fail with ``MongoError/Code/overloaded``. Default 4096.
    /// Bounds: at least 1.
    public var maximumWaitingCommands = 4_096

    /// How long ``MongoClient/close()`` waits for running commands and open cursors before it returns without them; their threads
    /// end by themselves within the socket timeouts. Default 5 s.
    public var shutdownTimeout = Duration.seconds(5)

    /// Makes a configuration with the defaults.
    public init(connectionString: String) {
        self.connectionString = connectionString
    }
}

#endif
