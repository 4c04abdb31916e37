// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
import SocketIOMongoTesting
import Testing

extension MongoTests {
    /// Each way in which connecting can fail has a text of its own, which begins with the cause and says what to do.
    @Suite("Connection errors")
    struct ConnectionErrors {
        private func error(of connectionString: String) async throws -> MongoError {
            var configuration = MongoClientConfiguration(connectionString: connectionString)
            configuration.serverSelectionTimeout = .seconds(1)
            let client = try MongoClient(configuration: configuration)
            let error = await #expect(throws: MongoError.self) {
                _ = try await client.hello()
                _ = try await client.database("tests").run(BSONDocument { $0.append("listCollections", Int32(1)) })
            }
            await client.close()
            return try #require(error)
        }

        /// - Parameter text: The start of the message.
        private func expect(_ connectionString: String, _ code: MongoError.Code, _ text: String, then advice: String = "") async throws {
            let error = try await error(of: connectionString)
            #expect(error.code == code, "\(error)")
            #expect(error.message.hasPrefix(text), "\(error.message)")
            #expect(advice.isEmpty || error.message.contains(advice), "\(error.message)")
        }

        @Test
        func `Nothing listens, or the name is unknown`() async throws {
            let text = "MongoDB could not be reached at 127.0.0.1:1, 127.0.0.1:2: check that mongod runs there"
            try await expect("mongodb://127.0.0.1:1,127.0.0.1:2/?replicaSet=rs0", .serverSelection, text)
            let unknown = "The host name no-such-host.invalid cannot be resolved"
            try await expect("mongodb://no-such-host.invalid/", .serverSelection, unknown, then: "DNS")
            try await expect("mongodb+srv://cluster.no-such-host.invalid/", .network, "Failed to look up SRV record", then: "DNS")
        }

        @Test
        func `The replica set has another name than the connection string says`() async throws {
            let set = try await SharedReplicaSet.three.healthy()
            let addresses = set.members.map(\.address)
            let hosts = addresses.joined(separator: ",")
            for (string, cure) in [
                ("mongodb://\(hosts)/?replicaSet=wrong", "belongs to the replica set rs0, not wrong: set replicaSet=rs0"),
                ("mongodb://127.0.0.1:1,\(hosts)/?replicaSet=wrong", "belongs to the replica set rs0, not wrong: set replicaSet=rs0"),
                ("mongodb://\(addresses[0])/?directConnection=true&replicaSet=wrong", "replica set"),
            ] {
                let error = try await error(of: string)
                #expect(error.code == .wrongDeployment, "\(error)")
                #expect(error.message.contains(cure), "\(error.message)")
                #expect(!error.message.contains("could not be reached"), "\(error.message)")
            }
        }

        @Test
        func `A standalone server, and a member of a set that is not initiated`() async throws {
            let standalone = try await MongoStandalone.start()
            let address = standalone.process.address
            let text = "\(address) is a standalone mongod, not a member of the replica set rs0"
            try await expect("mongodb://\(address)/?replicaSet=rs0", .wrongDeployment, text, then: "remove replicaSet")
            let tls = "The TLS handshake with \(address) failed"
            try await expect("mongodb://\(address)/?tls=true", .serverSelection, tls, then: "remove tls=true")
            await standalone.stop()

            let ghost = try await MongoStandalone.start(extraArguments: ["--replSet", "rs0"])
            let member = ghost.process.address
            let uninitiated = "\(member) belongs to a replica set that is not initiated: run rs.initiate()"
            try await expect("mongodb://\(member)/?replicaSet=rs0", .serverSelection, uninitiated)
            try await expect("mongodb://\(member)/", .command, "The server is neither primary nor secondary", then: "rs.initiate()")
            await ghost.stop()
        }

        @Test
        func `A wrong password, a wrong database of users, a wrong mechanism, none at all`() async throws {
            let server = try await MongoStandalone.start(user: MongoTestUser(name: "root", password: "right"))
            let address = server.process.address
            let attempts = [("wrong", "authSource=admin"), ("right", "authSource=other"), ("right", "authMechanism=PLAIN")]
            for (password, options) in attempts {
                let text = "MongoDB did not accept the credentials"
                try await expect("mongodb://root:\(password)@\(address)/?\(options)", .authentication, text, then: "authSource")
            }
            try await expect("mongodb://\(address)/", .command, "The server requires authentication: put a user name")
            await server.stop()
        }

        @Test
        func `A server that accepts connections and does not answer`() async throws {
            let server = try await MongoStandalone.start()
            try server.process.pause()
            let address = server.process.address
            let text = "No answer from \(address), although connections are accepted"
            try await expect("mongodb://\(address)/?connectTimeoutMS=300", .serverSelection, text, then: "stopped responding")
            try server.process.resume()
            await server.stop()
        }

        @Test
        func `An @ in the password is refused before the rest of it is taken for a host`() throws {
            let error = #expect(throws: MongoError.self) {
                try MongoClient(configuration: .init(connectionString: "mongodb://root:p@xyzzy@127.0.0.1/"))
            }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains("%40") == true)
            #expect(error.map { "\($0)" }?.contains("xyzzy") == false)
        }
    }
}
#endif
