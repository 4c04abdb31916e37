// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
/// The configuration of a replica set for tests.
public struct MongoReplicaSetConfiguration: Sendable {
    /// How many members. Default 3. Bounds: 1…7.
    public var members = 3

    /// How long the others wait for a silent primary before they elect a new one. Default 2 s.
    public var electionTimeout = Duration.seconds(2)

    /// How often members look at each other. Default 0.5 s.
    public var heartbeatInterval = Duration.milliseconds(500)

    /// How often a primary without writes writes an empty oplog entry, which is what moves the resume tokens of quiet streams.
    /// Whole seconds. Default 1 s.
    public var noopInterval = Duration.seconds(1)

    /// Size of the oplog in mebibytes. Default 64. With 1 and checkpoints each second, which the harness then sets, history is lost
    /// after some 100 MiB of writes: see ``MongoReplicaSet/rollOplog(timeout:)``.
    public var oplogMegabytes = 64

    /// Makes the set ask for a password: this user is created with all privileges. Default `nil`: no authentication.
    public var user: MongoTestUser?

    /// More arguments for every `mongod`. Default: none.
    public var extraArguments: [String] = []

    /// Makes a configuration with the defaults.
    public init() {}
}

/// A user of a deployment for tests.
public struct MongoTestUser: Sendable {
    /// User name; letters and digits.
    public var name: String
    /// Password; letters and digits.
    public var password: String

    /// Describes a user.
    public init(name: String, password: String) {
        self.name = name
        self.password = password
    }
}

/// A replica set of `mongod` processes on this machine that a test may break.
///
/// ```swift
/// let set = try await MongoReplicaSet.start()
/// let client = try MongoClient(configuration: .init(connectionString: set.connectionString))
/// try await set.primary().kill()
/// …
/// await set.stop()
/// ```
/// Nothing outlives the test: processes and files are removed by ``stop()``, when the set is released, and when the test's process ends
/// for whatever reason.
public final class MongoReplicaSet: Sendable {
    /// The name in the connection string.
    public let name = "rs0"
    /// The members in the order of their ids.
    public var members: [MongoProcess] { access.all }

    let access: ReplicaSetMembers
    private let configuration: MongoReplicaSetConfiguration
    private let folder: String
    private let janitor: SupervisedProcess

    /// The connection string for clients, with the credentials if there are any.
    public var connectionString: String {
        self.connectionString(user: configuration.user)
    }

    /// The connection string for clients that connect as another user.
    public func connectionString(user: MongoTestUser?) -> String {
        let credentials = user.map { "\($0.name):\($0.password)@" } ?? ""
        let hosts = members.map(\.address).joined(separator: ",")
        return "mongodb://\(credentials)\(hosts)/?replicaSet=\(name)\(user == nil ? "" : "&authSource=admin")"
    }

    /// Starts the members, initiates the set and waits until there is a primary and every other member follows it.
    public static func start(_ configuration: MongoReplicaSetConfiguration = .init()) async throws -> MongoReplicaSet {
        let folder = try makeTemporaryFolder()
        let janitor = try await SupervisedProcess.janitor(of: folder)
        let keyFile = try Self.writeKeyFile(configuration, in: folder)
        var members: [MongoProcess] = []
        do {
            for index in 0..<Swift.min(Swift.max(configuration.members, 1), 7) {
                let arguments = configuration.arguments + ["--replSet", "rs0"] + keyFile
                members.append(try await .start(in: folder, name: "member\(index)", arguments: arguments))
            }
            let set = MongoReplicaSet(configuration: configuration, folder: folder, janitor: janitor, members: members)
            try await set.initiate()
            return set
        } catch {
            await Self.stop(members, folder: folder)
            throw error
        }
    }

    /// Ends all members and removes their files.
    public func stop() async {
        await Self.stop(members, folder: folder)
        _ = try? await janitor.end("KILL")
    }

    private init(configuration: MongoReplicaSetConfiguration, folder: String, janitor: SupervisedProcess, members: [MongoProcess]) {
        self.janitor = janitor
        self.configuration = configuration
        self.folder = folder
        self.access = ReplicaSetMembers(members, user: configuration.user)
    }

    private static func stop(_ members: [MongoProcess], folder: String) async {
        for member in members {
            try? await member.kill()
        }
        try? await removeFolder(folder)
    }

    private static func writeKeyFile(_ configuration: MongoReplicaSetConfiguration, in folder: String) throws -> [String] {
        guard configuration.user != nil else { return [] }
        let path = "\(folder)/key"
        try writeFile(path, (0..<64).map { _ in String(UInt8.random(in: 0...15), radix: 16) }.joined(), mode: 0o400)
        return ["--keyFile", path]
    }

    private func initiate() async throws {
        let command = BSONDocument { command in
            command.appendDocument("replSetInitiate") { set in
                set.append("_id", name)
                set.appendArray("members") { array in
                    for (index, member) in members.enumerated() {
                        array.appendDocument { entry in
                            entry.append("_id", Int32(index))
                            entry.append("host", member.address)
                        }
                    }
                }
                set.appendDocument("settings") { settings in
                    settings.append("electionTimeoutMillis", configuration.electionTimeout.wholeMilliseconds)
                    settings.append("heartbeatIntervalMillis", configuration.heartbeatInterval.wholeMilliseconds)
                }
            }
        }
        _ = try await members[0].withClient { try await $0.database("admin").run(command) }
        let primary = try await self.primary()
        if let user = configuration.user {
            // As long as there is no user, a connection from this machine may create the first one.
            _ = try await primary.withClient { try await $0.database("admin").run(user.createCommand) }
        }
        try await waitUntilAllFollow()
    }
}

extension MongoReplicaSetConfiguration {
    var arguments: [String] {
        let noopInterval = Swift.max(1, self.noopInterval.components.seconds)
        let checkpoints = oplogMegabytes < 16 ? ["--syncdelay", "1"] : []
        return MongoStandalone.commonArguments + [
            "--oplogSize", "\(Swift.max(1, oplogMegabytes))",
            "--setParameter", "periodicNoopIntervalSecs=\(noopInterval)",
        ] + checkpoints + extraArguments
    }
}

extension MongoTestUser {
    var createCommand: BSONDocument {
        BSONDocument { command in
            command.append("createUser", name)
            command.append("pwd", password)
            command.appendArray("roles") { $0.append("root") }
        }
    }
}

extension Duration {
    var wholeMilliseconds: Int64 {
        components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
    }
}

#endif
