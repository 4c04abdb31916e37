// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
@testable import SocketIOMongoTesting
import SocketIOTesting
import Testing

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

extension MongoTests {
    @Suite("Harness")
    struct Harness {
        @Test
        func `Nothing is left when the pipe to the supervisor ends, which is what happens when a test process dies`() async throws {
            let parent = try makeTemporaryFolder()
            let folder = "\(parent)/member"
            try makeFolder(folder)
            var process: SupervisedProcess? = try await SupervisedProcess(["/bin/sleep", "600"], log: "\(folder)/log", folder: folder)
            let id = try #require(process?.processID)
            #expect(kill(id, 0) == 0)
            try process?.send("STOP")
            process = nil
            try await eventually { kill(id, 0) != 0 && access(parent, F_OK) != 0 }
        }

        @Test
        func `A child holds no file of this process open, however many there are`() async throws {
            var ends: [CInt] = [0, 0]
            #expect(pipe(&ends) == 0)
            let high = fcntl(ends[1], F_DUPFD, 2_000)
            try #require(high >= 2_000, "the limit of open files is too low for this test")
            let parent = try makeTemporaryFolder()
            let process = try await SupervisedProcess(["/bin/sleep", "600"], log: "/dev/null", folder: "\(parent)/member")
            close(high)
            close(ends[1])
            _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
            var byte: UInt8 = 0
            #expect(read(ends[0], &byte, 1) == 0, "the pipe's other end is open somewhere")
            close(ends[0])
            try await process.end("KILL")
        }

        @Test
        func `A replica set leaves no process and no file`() async throws {
            var configuration = MongoReplicaSetConfiguration()
            configuration.members = 1
            let set = try await MongoReplicaSet.start(configuration)
            let member = set.members[0]
            let id = try #require(member.processID)
            #expect(kill(pid_t(id), 0) == 0)
            await set.stop()
            #expect(kill(pid_t(id), 0) != 0)
            #expect(access(member.folder, F_OK) != 0)
            #expect(!member.isRunning)
        }

        @Test
        func `A set that is let go leaves no file, not even of members that were killed`() async throws {
            var configuration = MongoReplicaSetConfiguration()
            configuration.members = 1
            let folder: String
            do {
                let set = try await MongoReplicaSet.start(configuration)
                folder = set.members[0].folder
                try await set.members[0].kill()
                #expect(access(folder, F_OK) == 0)
            }
            try await eventually { access(folder, F_OK) != 0 }
        }

        @Test
        func `A member that was killed comes back with its data`() async throws {
            try await withCollection { set, collection async throws in
                _ = try await collection.insert(numbered(0..<10))
                let primary = try await set.primary()
                let port = primary.port
                try await primary.kill()
                let next = try await set.primary(otherThan: primary)
                #expect(next !== primary)
                try await primary.restart()
                #expect(primary.port == port)
                try await set.waitUntilAllFollow()
                try await primary.withClient { client async throws in
                    var options = MongoFindOptions()
                    options.readPreference = .nearest
                    #expect(try await client.database("tests").collection(collection.name).find(options: options).count == 10)
                }
            }
        }

        @Test
        func `A paused primary is replaced, and follows when it goes on`() async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let primary = try await set.primary()
            try primary.pause()
            let next = try await set.primary(otherThan: primary)
            #expect(next !== primary)
            try primary.resume()
            try await set.waitUntilAllFollow()
        }
    }
}

#endif
