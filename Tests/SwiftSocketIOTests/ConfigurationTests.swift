// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Configuration
import SwiftSocketIO
import Testing

@Suite struct ConfigurationTests {
    @Test func `limits are read by the names of the options`() throws {
        let provider = InMemoryProvider(values: [
            "socketio.limits.authBytes": 1_000, "socketio.limits.rooms.perSocket": 7, "socketio.limits.eventQueue.hardEvents": 9_000,
            "socketio.pingInterval": 5_000,
        ])
        let configuration = try SocketIOConfiguration(config: ConfigReader(provider: provider).scoped(to: "socketio"))
        var expected = SocketIOConfiguration.Limits()
        expected.authBytes = 1_000
        expected.rooms.perSocket = 7
        expected.eventQueue.hardEvents = 9_000
        #expect(configuration.limits == expected)
        #expect(configuration.engine.pingInterval == .seconds(5))
    }

    @Test func `a limit that cannot work is named`() throws {
        try SocketIOConfiguration().validate()
        let changes: [(String, (inout SocketIOConfiguration) -> Void)] = [
            ("limits.packetValues", { $0.limits.packetValues = 0 }),
            ("limits.authBytesPerClient", { $0.limits.authBytesPerClient = 1 }),
            ("limits.rooms", { $0.limits.rooms.nameBytes = 0 }),
            ("limits.eventQueue", { $0.limits.eventQueue.hardBytes = 0 }),
            ("closeTimeout", { $0.closeTimeout = .zero }),
        ]
        for (name, change) in changes {
            var configuration = SocketIOConfiguration()
            change(&configuration)
            #expect {
                try configuration.validate()
            } throws: { error in
                (error as? SocketIOError)?.code == .invalidConfiguration && "\(error)".contains(name)
            }
        }
    }
}
