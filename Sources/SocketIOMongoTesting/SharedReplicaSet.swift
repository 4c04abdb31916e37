// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB

/// One replica set for all tests of a process: starting one takes seconds. The harness removes it when the process ends.
///
/// ```swift
/// enum Database { static let set = SharedReplicaSet() }
///
/// @Test func something() async throws {
///     let set = try await Database.set.healthy()
/// }
/// ```
/// Tests that break it must not run beside others that use it.
public actor SharedReplicaSet {
    private let configuration: MongoReplicaSetConfiguration
    private var starting: Task<MongoReplicaSet, any Error>?

    /// Describes a set, which is started when it is first asked for.
    ///
    /// - Parameter configuration: What it looks like. Default: three members.
    public init(_ configuration: MongoReplicaSetConfiguration = .init()) { self.configuration = configuration }

    /// The set, with every member up again, whatever an earlier test has done to it.
    ///
    /// - Throws: ``MongoHarnessError`` if it does not start, or its members do not follow the primary in time.
    public func healthy() async throws -> MongoReplicaSet {
        let set = try await started()
        for member in set.members {
            try member.resume()
            try await member.restart()
        }
        try await set.waitUntilAllFollow()
        return set
    }

    private func started() async throws -> MongoReplicaSet {
        let configuration = self.configuration
        let task = starting ?? Task { try await MongoReplicaSet.start(configuration) }
        starting = task
        return try await task.value
    }
}

/// Those of this package's own tests.
extension SharedReplicaSet {
    package static let three = SharedReplicaSet()
    package static let tinyOplog: SharedReplicaSet = {
        var configuration = MongoReplicaSetConfiguration()
        configuration.members = 1
        configuration.oplogMegabytes = 1
        return SharedReplicaSet(configuration)
    }()
}

#endif
