// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import Foundation
import SocketIOMongoClient
@testable import SocketIOMongoTesting
import Testing

private let openssl = ["/usr/bin/openssl", "/usr/local/bin/openssl", "/opt/homebrew/bin/openssl"].first {
    FileManager.default.isExecutableFile(atPath: $0)
}

extension MongoTests {
    @Suite("TLS", .enabled(if: openssl != nil, "no openssl here to make a certificate with"))
    struct TLS {
        @Test
        func `The options of the connection string decide whom to trust`() async throws {
            let folder = try makeTemporaryFolder()
            let certificate = try Self.makeCertificate(in: folder)
            let server = try await MongoStandalone.start(
                extraArguments: [
                    "--tlsMode", "requireTLS", "--tlsCertificateKeyFile", certificate, "--tlsCAFile", certificate,
                    "--tlsAllowConnectionsWithoutCertificates",
                ]
            )
            let trusting = "mongodb://\(server.process.address)/?tls=true&tlsCAFile=\(certificate)"
            try await withClient(.init(connectionString: trusting)) { client async throws in
                let collection = client.database("tests").collection("c")
                #expect(try await collection.insert(numbered(0..<3)).isComplete)
                #expect(try await collection.find().count == 3)
            }
            let address = server.process.address
            for (other, text) in [
                ("mongodb://\(address)/?tls=true", "The TLS certificate of \(address) is not trusted (self-signed certificate): name"),
                ("mongodb://localhost:\(server.process.port)/?tls=true&tlsCAFile=\(certificate)", "The TLS certificate of localhost:"),
                ("mongodb://\(address)/?tls=true&tlsCAFile=/nonexistent", "TLS cannot be set up: check that the files of tlsCAFile"),
                ("mongodb://\(address)/", "No answer from \(address), although connections are accepted"),
            ] {
                var configuration = MongoClientConfiguration(connectionString: other)
                configuration.serverSelectionTimeout = .milliseconds(500)
                try await withClient(configuration) { client async throws in
                    let error = await #expect(throws: MongoError.self) { try await client.ping() }
                    #expect(error?.code == .serverSelection)
                    #expect(error?.message.hasPrefix(text) == true, "\(error?.message ?? "")")
                }
            }
            await server.stop()
            try await removeFolder(folder)
        }

        /// A certificate for 127.0.0.1 that is its own authority, and its key, in one file.
        private static func makeCertificate(in folder: String) throws -> String {
            let process = Process()
            process.executableURL = URL(filePath: try #require(openssl))
            process.arguments = [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                "-keyout", "\(folder)/key.pem", "-out", "\(folder)/certificate.pem",
            ]
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            try #require(process.terminationStatus == 0)
            let both = try ["key", "certificate"].map { try String(contentsOfFile: "\(folder)/\($0).pem", encoding: .utf8) }
            try both.joined().write(toFile: "\(folder)/both.pem", atomically: true, encoding: .utf8)
            return "\(folder)/both.pem"
        }
    }
}

#endif
