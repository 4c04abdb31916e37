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

    @Test func `trusted proxies are read and checked`() throws {
        func read(_ values: [AbsoluteConfigKey: ConfigValue]) throws -> TrustedProxies {
            try SocketIOConfiguration(config: ConfigReader(provider: InMemoryProvider(values: values))).engine.trustedProxies
        }
        #expect(try read([:]) == .none)
        let addresses = ConfigValue(.stringArray(["10.0.0.0/8", "::1"]), isSecret: false)
        #expect(try read(["trustedProxies.addresses": addresses]) == TrustedProxies(["10.0.0.0/8", "::1"]))
        let forwarded = try read(["trustedProxies.addresses": addresses, "trustedProxies.addressField": "Forwarded"])
        #expect(try forwarded == TrustedProxies(["10.0.0.0/8", "::1"], addressField: .forwarded))
        let invalid = ConfigValue(.stringArray(["10.0.0.1/8"]), isSecret: false)
        for values: [AbsoluteConfigKey: ConfigValue] in [
            ["trustedProxies.addresses": invalid],
            ["trustedProxies.addresses": addresses, "trustedProxies.addressField": "X-Real-IP"],
        ] {
            #expect {
                try read(values)
            } throws: { error in
                (error as? SocketIOError)?.code == .invalidConfiguration && "\(error)".contains("trustedProxies")
            }
        }
    }

    @Test func `waiting and recovery are read by the names of the options`() throws {
        let provider = InMemoryProvider(values: [
            "acknowledgementTimeout": 5_000, "broadcastAcknowledgementTimeout": 7_000, "confirmsBroadcasts": true, "handlersBlock": true,
            "connectionStateRecovery.maxDisconnectionDuration": 9_000, "connectionStateRecovery.buffer.packets": 11,
            "connectionStateRecovery.buffer.bytes": 12, "connectionStateRecovery.sessions": 13, "connectionStateRecovery.bytes": 14,
            "connectionStateRecovery.claimsPerClient": 15,
        ])
        let configuration = try SocketIOConfiguration(config: ConfigReader(provider: provider))
        #expect(configuration.acknowledgementTimeout == .seconds(5) && configuration.broadcastAcknowledgementTimeout == .seconds(7))
        #expect(configuration.confirmsBroadcasts && configuration.handlersBlock)
        let recovery = try #require(configuration.connectionStateRecovery)
        #expect(recovery.maxDisconnectionDuration == .seconds(9) && recovery.buffer == .init(packets: 11, bytes: 12))
        #expect(recovery.sessions == 13 && recovery.bytes == 14 && recovery.claimsPerClient == 15)
        let endless = InMemoryProvider(values: ["acknowledgementTimeout": 0])
        #expect(SocketIOConfiguration().acknowledgementTimeout == .seconds(60))
        #expect(try SocketIOConfiguration(config: ConfigReader(provider: endless)).acknowledgementTimeout == nil)
    }

    @Test func `a limit that cannot work is named`() throws {
        try SocketIOConfiguration().validate()
        let changes: [(String, (inout SocketIOConfiguration) -> Void)] = [
            ("limits.packetValues", { $0.limits.packetValues = 0 }),
            ("limits.authBytesPerClient", { $0.limits.authBytesPerClient = 1 }),
            ("limits.rooms", { $0.limits.rooms.nameBytes = 0 }),
            ("limits.eventQueue", { $0.limits.eventQueue.hardBytes = 0 }),
            ("closeTimeout", { $0.closeTimeout = .zero }),
            ("acknowledgementTimeout", { $0.acknowledgementTimeout = .zero }),
            ("broadcastAcknowledgementTimeout", { $0.broadcastAcknowledgementTimeout = .zero }),
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
