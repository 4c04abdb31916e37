// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import Configuration
import EngineIO
import SocketIOCore
import SocketIOText

extension SocketIOConfiguration {
    /// Reads the options from environment variables, files or whatever the reader's providers are. What is missing keeps its default.
    ///
    /// | key | option |
    /// | --- | --- |
    /// | `path` | ``EngineIO/EngineConfiguration/path`` |
    /// | `transports` | ``EngineIO/EngineConfiguration/transports``, a list of `polling` and `websocket` |
    /// | `allowUpgrades` | ``EngineIO/EngineConfiguration/allowUpgrades`` |
    /// | `upgradeTimeout`, `pingInterval`, `pingTimeout` | the option of that name, in milliseconds as in Socket.IO |
    /// | `maxHttpBufferSize` | ``EngineIO/EngineConfiguration/maxHTTPBufferSize``, in bytes |
    /// | `cors.origins`, `cors.credentials` | ``EngineIO/EngineConfiguration/cors``; the origins are a list, or `*` |
    /// | `connectTimeout` | ``connectTimeout``, in milliseconds |
    /// | `maxEventNameLength` | ``maxEventNameLength``, in bytes |
    /// | `parser` | ``parser``: `json` or `msgpack` |
    /// | `cleanupEmptyChildNamespaces` | ``cleanupEmptyChildNamespaces`` |
    /// | `connectionStateRecovery.maxDisconnectionDuration` | turns ``connectionStateRecovery`` on; in milliseconds |
    /// | `connectionStateRecovery.skipMiddlewares` | ``ConnectionStateRecovery/skipMiddlewares`` |
    /// | `drainDuration`, `closeTimeout` | the option of that name, in milliseconds |
    /// | `maxNamespacesPerClient`, `maxChildNamespaces`, `maxChildNamespacesPerClient` | the option of that name |
    /// | `maxAuthSize`, `maxAuthSizePerClient`, `maxDescriptionSize`, `maxServerSideEventBytes` | the option of that name, in bytes |
    /// | `maxServerSideEvents` | ``maxServerSideEvents`` |
    /// | `rooms.perSocket`, `rooms.nameBytes`, `rooms.perOperation` | ``rooms`` |
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
        readLimits(config)
        cleanupEmptyChildNamespaces = config.bool(forKey: "cleanupEmptyChildNamespaces", default: cleanupEmptyChildNamespaces)
        maxEventNameLength = config.int(forKey: "maxEventNameLength", default: maxEventNameLength)
        serveClient = config.string(forKey: "serveClient") ?? serveClient
        if let name = config.string(forKey: "parser") { parser = try Self.parser(name) }
        if let milliseconds = config.int(forKey: "connectionStateRecovery.maxDisconnectionDuration") {
            connectionStateRecovery = ConnectionStateRecovery(
                maxDisconnectionDuration: .milliseconds(milliseconds),
                skipMiddlewares: config.bool(forKey: "connectionStateRecovery.skipMiddlewares", default: true)
            )
        }
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
    }

    private mutating func readLimits(_ config: ConfigReader) {
        maxNamespacesPerClient = config.int(forKey: "maxNamespacesPerClient", default: maxNamespacesPerClient)
        maxChildNamespaces = config.int(forKey: "maxChildNamespaces", default: maxChildNamespaces)
        maxChildNamespacesPerClient = config.int(forKey: "maxChildNamespacesPerClient", default: maxChildNamespacesPerClient)
        maxAuthSize = config.int(forKey: "maxAuthSize", default: maxAuthSize)
        maxAuthSizePerClient = config.int(forKey: "maxAuthSizePerClient", default: maxAuthSizePerClient)
        maxDescriptionSize = config.int(forKey: "maxDescriptionSize", default: maxDescriptionSize)
        maxServerSideEvents = config.int(forKey: "maxServerSideEvents", default: maxServerSideEvents)
        maxServerSideEventBytes = config.int(forKey: "maxServerSideEventBytes", default: maxServerSideEventBytes)
        rooms.perSocket = config.int(forKey: "rooms.perSocket", default: rooms.perSocket)
        rooms.nameBytes = config.int(forKey: "rooms.nameBytes", default: rooms.nameBytes)
        rooms.perOperation = config.int(forKey: "rooms.perOperation", default: rooms.perOperation)
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
    fileprivate func duration(_ key: ConfigKey, default standard: Duration) -> Duration {
        int(forKey: key).map { .milliseconds($0) } ?? standard
    }
}
