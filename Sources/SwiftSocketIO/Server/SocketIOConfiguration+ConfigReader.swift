// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import Configuration
import EngineIO
import SocketIOCore
import SocketIOText

extension SocketIOConfiguration {
    /// Reads the options from environment variables, files or the reader's other providers. Options without a value keep their default.
    ///
    /// | key | option |
    /// | --- | --- |
    /// | `path` | ``EngineIO/EngineConfiguration/path`` |
    /// | `transports` | ``EngineIO/EngineConfiguration/transports``, a list of `polling` and `websocket` |
    /// | `allowUpgrades` | ``EngineIO/EngineConfiguration/allowUpgrades`` |
    /// | `upgradeTimeout`, `pingInterval`, `pingTimeout` | the option of that name, in milliseconds as in Socket.IO |
    /// | `maxHttpBufferSize` | ``EngineIO/EngineConfiguration/maxHTTPBufferSize``, in bytes |
    /// | `cors.origins`, `cors.credentials` | ``EngineIO/EngineConfiguration/cors``; the origins are a list, or `*` |
    /// | `trustedProxies.addresses` | ``EngineIO/EngineConfiguration/trustedProxies``, a list of addresses and networks |
    /// | `trustedProxies.addressField` | `X-Forwarded-For` (the default) or `Forwarded` |
    /// | `connectTimeout` | ``connectTimeout``, in milliseconds |
    /// | `parser` | ``parser``: `json` or `msgpack` |
    /// | `cleanupEmptyChildNamespaces` | ``cleanupEmptyChildNamespaces`` |
    /// | `connectionStateRecovery.maxDisconnectionDuration` | turns ``connectionStateRecovery`` on; in milliseconds |
    /// | `connectionStateRecovery.skipMiddlewares` | ``ConnectionStateRecovery/skipMiddlewares`` |
    /// | `connectionStateRecovery.buffer.packets`, `buffer.bytes` | ``ConnectionStateRecovery/buffer`` |
    /// | `connectionStateRecovery.sessions`, `bytes`, `claimsPerClient` | the member of ``ConnectionStateRecovery`` of that name |
    /// | `acknowledgementTimeout` | ``acknowledgementTimeout``, in milliseconds; 0 for no timeout |
    /// | `broadcastAcknowledgementTimeout` | ``broadcastAcknowledgementTimeout``, in milliseconds |
    /// | `confirmsBroadcasts`, `handlersBlock` | the option of that name |
    /// | `drainDuration`, `closeTimeout` | the option of that name, in milliseconds |
    /// | `limits.attachments`, `limits.packetValues`, … | the member of ``Limits`` of that name; sizes in bytes |
    /// | `limits.rooms.perSocket`, `limits.rooms.nameBytes`, `limits.rooms.perOperation` | ``Limits/rooms`` |
    /// | `limits.eventQueue.events`, `bytes`, `hardEvents`, `hardBytes` | ``Limits/eventQueue`` |
    /// | `serveClient` | ``serveClient`` |
    ///
    /// - Parameter config: The reader, scoped to the server's keys: `config.scoped(to: "socketio")`.
    /// - Throws: ``SocketIOError`` with `invalidConfiguration` for a value that is not one of those above.
    public init(config: ConfigReader) throws {
        self.init()
        try readEngine(config)
        connectTimeout = config.duration("connectTimeout", default: connectTimeout)
        drainDuration = config.duration("drainDuration", default: drainDuration)
        closeTimeout = config.duration("closeTimeout", default: closeTimeout)
        limits.read(config.scoped(to: "limits"))
        cleanupEmptyChildNamespaces = config.bool(forKey: "cleanupEmptyChildNamespaces", default: cleanupEmptyChildNamespaces)
        serveClient = config.string(forKey: "serveClient") ?? serveClient
        if let name = config.string(forKey: "parser") { parser = try Self.parser(name) }
        if let milliseconds = config.int(forKey: "connectionStateRecovery.maxDisconnectionDuration") {
            connectionStateRecovery = ConnectionStateRecovery(
                maxDisconnectionDuration: .milliseconds(milliseconds),
                skipMiddlewares: config.bool(forKey: "connectionStateRecovery.skipMiddlewares", default: true)
            )
            connectionStateRecovery?.read(config.scoped(to: "connectionStateRecovery"))
        }
        readHandling(config)
    }

    /// What concerns handlers and how long they wait.
    private mutating func readHandling(_ config: ConfigReader) {
        if let milliseconds = config.int(forKey: "acknowledgementTimeout") {
            acknowledgementTimeout = milliseconds == 0 ? nil : .milliseconds(milliseconds)
        }
        broadcastAcknowledgementTimeout = config.duration("broadcastAcknowledgementTimeout", default: broadcastAcknowledgementTimeout)
        confirmsBroadcasts = config.bool(forKey: "confirmsBroadcasts", default: confirmsBroadcasts)
        handlersBlock = config.bool(forKey: "handlersBlock", default: handlersBlock)
    }

    private mutating func readEngine(_ config: ConfigReader) throws {
        engine.path = config.string(forKey: "path", default: engine.path)
        engine.allowUpgrades = config.bool(forKey: "allowUpgrades", default: engine.allowUpgrades)
        engine.upgradeTimeout = config.duration("upgradeTimeout", default: engine.upgradeTimeout)
        engine.pingInterval = config.duration("pingInterval", default: engine.pingInterval)
        engine.pingTimeout = config.duration("pingTimeout", default: engine.pingTimeout)
        engine.maxHTTPBufferSize = config.int(forKey: "maxHttpBufferSize", default: engine.maxHTTPBufferSize)
        if let names = config.stringArray(forKey: "transports") { engine.transports = try names.map(Self.transport) }
        if let origins = config.stringArray(forKey: "cors.origins") {
            var cors = EngineCORS(origins: origins == ["*"] ? .any : .exactly(origins))
            cors.credentials = config.bool(forKey: "cors.credentials", default: false)
            engine.cors = cors
        }
        if let addresses = config.stringArray(forKey: "trustedProxies.addresses") {
            let field = try Self.addressField(config.string(forKey: "trustedProxies.addressField", default: "X-Forwarded-For"))
            do throws(EngineConfigurationError) {
                engine.trustedProxies = try TrustedProxies(addresses, addressField: field)
            } catch {
                throw SocketIOError(.invalidConfiguration, error.description)
            }
        }
    }

    private static func addressField(_ name: String) throws -> TrustedProxies.AddressField {
        switch name.lowercased() {
        case "x-forwarded-for": .xForwardedFor
        case "forwarded": .forwarded
        default:
            throw SocketIOError(
                .invalidConfiguration,
                "trustedProxies.addressField is '\(name)'; it must be X-Forwarded-For or Forwarded"
            )
        }
    }

    private static func parser(_ name: String) throws -> PacketFormat {
        switch name {
        case "json": .json
        case "msgpack": .messagePack
        default: throw SocketIOError(.invalidConfiguration, "parser is '\(name)'; it must be json or msgpack")
        }
    }

    private static func transport(_ name: String) throws -> EngineConfiguration.Transport {
        guard let transport = EngineConfiguration.Transport(rawValue: name) else {
            throw SocketIOError(.invalidConfiguration, "transports names '\(name)'; it must be polling or websocket")
        }
        return transport
    }
}

extension ConfigReader {
    /// Replaces a number, if there is a value for the key.
    fileprivate func read(_ number: inout Int, _ key: ConfigKey) { number = int(forKey: key, default: number) }

    fileprivate func duration(_ key: ConfigKey, default standard: Duration) -> Duration {
        int(forKey: key).map { .milliseconds($0) } ?? standard
    }
}

extension ConnectionStateRecovery {
    fileprivate mutating func read(_ config: ConfigReader) {
        config.read(&buffer.packets, "buffer.packets")
        config.read(&buffer.bytes, "buffer.bytes")
        config.read(&sessions, "sessions")
        config.read(&bytes, "bytes")
        config.read(&claimsPerClient, "claimsPerClient")
    }
}

extension SocketIOConfiguration.Limits {
    fileprivate mutating func read(_ config: ConfigReader) {
        config.read(&attachments, "attachments")
        config.read(&packetValues, "packetValues")
        config.read(&eventNameBytes, "eventNameBytes")
        config.read(&namespacesPerClient, "namespacesPerClient")
        config.read(&childNamespaces, "childNamespaces")
        config.read(&childNamespacesPerClient, "childNamespacesPerClient")
        config.read(&authBytes, "authBytes")
        config.read(&authBytesPerClient, "authBytesPerClient")
        config.read(&rooms.perSocket, "rooms.perSocket")
        config.read(&rooms.nameBytes, "rooms.nameBytes")
        config.read(&rooms.perOperation, "rooms.perOperation")
        config.read(&descriptionBytes, "descriptionBytes")
        config.read(&serverSideEvents, "serverSideEvents")
        config.read(&serverSideEventBytes, "serverSideEventBytes")
        config.read(&eventQueue.events, "eventQueue.events")
        config.read(&eventQueue.bytes, "eventQueue.bytes")
        config.read(&eventQueue.hardEvents, "eventQueue.hardEvents")
        config.read(&eventQueue.hardBytes, "eventQueue.hardBytes")
        config.read(&pendingAcknowledgements, "pendingAcknowledgements")
    }
}
