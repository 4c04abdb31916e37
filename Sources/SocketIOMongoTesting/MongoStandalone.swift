// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
/// A standalone `mongod` on this machine that a test may break: no replica set, hence no change streams.
public final class MongoStandalone: Sendable {
    /// The process.
    public let process: MongoProcess
    private let folder: String
    private let janitor: SupervisedProcess
    private let user: MongoTestUser?

    /// The connection string for clients, with the credentials if there are any.
    public var connectionString: String {
        self.connectionString(user: user)
    }

    /// The connection string for clients that connect as another user.
    public func connectionString(user: MongoTestUser?) -> String {
        guard let user else { return "mongodb://\(process.address)/" }
        return "mongodb://\(user.name):\(user.password)@\(process.address)/?authSource=admin"
    }

    /// Starts it.
    /// - Parameters:
    ///   - user: Makes it ask for a password: this user is created with all privileges. Default `nil`: no authentication.
    ///   - extraArguments: More arguments for `mongod`. Default: none.
    public static func start(user: MongoTestUser? = nil, extraArguments: [String] = []) async throws -> MongoStandalone {
        let folder = try makeTemporaryFolder()
        let janitor = try await SupervisedProcess.janitor(of: folder)
        do {
            let arguments = Self.commonArguments + extraArguments + (user == nil ? [] : ["--auth"])
            let process = try await MongoProcess.start(in: folder, name: "standalone", arguments: arguments)
            if let user {
                _ = try await process.withClient { try await $0.database("admin").run(user.createCommand) }
            }
            return MongoStandalone(process: process, folder: folder, janitor: janitor, user: user)
        } catch {
            try? await removeFolder(folder)
            throw error
        }
    }

    /// Ends it and removes its files.
    public func stop() async {
        try? await process.kill()
        try? await removeFolder(folder)
        _ = try? await janitor.end("KILL")
    }

    private init(process: MongoProcess, folder: String, janitor: SupervisedProcess, user: MongoTestUser?) {
        self.janitor = janitor
        self.process = process
        self.folder = folder
        self.user = user
    }

    /// Little memory, no diagnostics on disk, fail points allowed.
    static let commonArguments = [
        "--bind_ip", "127.0.0.1", "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25",
        "--setParameter", "diagnosticDataCollectionEnabled=false",
        "--setParameter", "enableTestCommands=1",
    ]
}

#endif
