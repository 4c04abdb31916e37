// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import Logging
import NIOCore
import NIOHTTP1
import SocketIOConcurrency
import SocketIOText

/// The parts of one server that do not change, and its shared services.
final class EngineContext: Sendable {
    let configuration: EngineConfiguration
    let timing: EngineTiming
    let path: String
    let pathBytes: [UInt8]
    /// Whether a WebSocket handshake may be answered as soon as it has been read.
    let acceptsPlainHandshakes: Bool
    /// Whether answers to WebSocket handshakes have more header fields than those of the protocol.
    let addsHeaders: Bool
    /// How many sessions there may be.
    let sessionLimit: Int
    /// Makes the ids of sessions; nil for the engine's own.
    let generateID: (@Sendable (EngineHandshake) -> String)?
    let delegate: any EngineServerDelegate
    let logger: Logger
    let metrics: EngineMetrics
    let registry: SessionRegistry
    let trimmer = MemoryTrimmer()
    let compressor = Compressor()
    private let refusals: RefusalLog
    private let fallbackFailures = SharedLogLimiter()
    private let hiddenClients = SharedLogLimiter(lines: 1, period: .hours(1))
    private let opening: String
    private let openingWithUpgrade: String

    init(configuration: EngineConfiguration, delegate: any EngineServerDelegate, logger: Logger, metrics: EngineMetrics) {
        var configuration = configuration
        configuration.maxHTTPBufferSize = min(max(configuration.maxHTTPBufferSize, 0), EngineConfiguration.largestMessage)
        self.configuration = configuration
        self.registry = SessionRegistry(
            lengths: configuration.generateID == nil ? RandomID.shortLength...RandomID.shortLength : 1...EngineConfiguration.longestID
        )
        self.delegate = delegate
        self.logger = logger
        self.metrics = metrics
        self.path = Self.normalise(configuration.path, addTrailingSlash: configuration.addTrailingSlash)
        self.pathBytes = Array(path.utf8)
        self.refusals = RefusalLog(logger, path: path)
        self.acceptsPlainHandshakes = configuration.allowRequest == nil && configuration.transports.contains(.websocket)
        self.addsHeaders =
            configuration.cors != nil || configuration.cookie != nil || configuration.initialHeaders != nil || configuration.headers != nil
        self.sessionLimit = configuration.limits.sessions
        self.generateID = configuration.generateID
        self.timing = EngineTiming(
            pingInterval: TimeAmount(configuration.pingInterval),
            pingTimeout: TimeAmount(configuration.pingTimeout),
            upgradeTimeout: TimeAmount(configuration.upgradeTimeout),
            closeTimeout: TimeAmount(configuration.limits.closeTimeout),
            readPause: TimeAmount(configuration.limits.readPause),
            maximumUpgradeAttempts: min(configuration.limits.upgradeAttempts, Int(UInt8.max))
        )
        self.opening = Self.opening(upgrades: "[]", timing, configuration)
        self.openingWithUpgrade = Self.opening(upgrades: "[\"websocket\"]", timing, configuration)
    }

    /// The handlers for other requests could not be added to a connection.
    func logFallbackFailure(_ error: any Error) {
        fallbackFailures.log { suppressed in
            logger.error(
                "the handlers for other requests could not be added to a connection",
                metadata: [LogKey.error: "\(error)", LogKey.suppressed: "\(suppressed ?? 0)"]
            )
        }
    }

    /// Logs, once an hour, that a trusted proxy has passed on a field that it should not have.
    func noteHiddenClient(_ handshake: EngineHandshake) {
        guard proxies.isHidden(handshake.remoteAddress, byInvalid: { handshake.values("forwarded") }) else { return }
        hiddenClients.log { suppressed in
            logger.warning(
                """
                the address of a client is not known: a trusted proxy has sent a Forwarded field that is not valid. A client can cause this if the \
                proxy adds to the field that the client sends. Let the proxy replace it, or use X-Forwarded-For. Logged at most once an hour
                """,
                metadata: [
                    LogKey.address: "\(QuotedText(handshake.remoteAddress))",
                    LogKey.forwarded: "\(QuotedText(handshake.header("forwarded") ?? "", limit: 300))",
                    LogKey.suppressed: "\(suppressed ?? 0)",
                ]
            )
        }
    }

    /// The proxies whose header fields are trusted.
    var proxies: TrustedProxies { configuration.trustedProxies }

    /// Whether the engine serves a path: its own, and those below. Its own is served without what follows it if that is the root.
    ///
    /// The reference implementation does the same (`attach`), but for paths that only begin with the same letters.
    func serves(_ path: Substring) -> Bool {
        guard path.utf8.starts(with: pathBytes) else { return false }
        guard path.utf8.count > pathBytes.count else { return true }
        let slash = UInt8(ascii: "/")
        return pathBytes.count > 1 && (pathBytes.last == slash || path.utf8.dropFirst(pathBytes.count).first == slash)
    }

    /// A request is refused: counts and logs that, and calls the configuration's hook.
    func report(_ refusal: EngineRefusal, of head: HTTPRequestHead, as request: @autoclosure () -> EngineHandshake) {
        note(refusal, of: head, from: request().remoteAddress)
        guard let connectionError = configuration.connectionError else { return }
        connectionError(
            EngineConnectionError(code: refusal.code, message: refusal.message, context: refusal.cause.context, request: request())
        )
    }

    /// Counts and logs a refusal, or that a request which is answered leads nowhere.
    ///
    /// - Parameter isCounted: Whether it is a refusal of its own.
    func note(_ refusal: EngineRefusal, of head: HTTPRequestHead, from address: @autoclosure () -> String, isCounted: Bool = true) {
        if isCounted { metrics.requestRefused(refusal.cause.reason) }
        refusals.write(refusal.cause, message: refusal.message, of: head, from: address())
    }

    /// The part of a handshake packet after the id.
    private static func opening(upgrades: String, _ timing: EngineTiming, _ configuration: EngineConfiguration) -> String {
        let (interval, timeout) = (timing.pingInterval.milliseconds, timing.pingTimeout.milliseconds)
        return "\",\"upgrades\":\(upgrades),\"pingInterval\":\(interval),\"pingTimeout\":\(timeout)"
            + ",\"maxPayload\":\(configuration.maxHTTPBufferSize)}"
    }

    private static func normalise(_ path: String, addTrailingSlash: Bool) -> String {
        var path = path.hasPrefix("/") ? path : "/" + path
        while path.hasSuffix("/") { path.removeLast() }
        return addTrailingSlash || path.isEmpty ? path + "/" : path
    }

    /// The handshake packet of a session (Engine.IO protocol v4, "Handshake").
    func openPacket(id: String, transport: EngineSessionStateMachine.Transport) -> ByteBuffer {
        let offersUpgrade = transport == .polling && configuration.allowUpgrades && configuration.transports.contains(.websocket)
        let parameters = offersUpgrade ? openingWithUpgrade : opening
        let id = JSONString.escape(id)
        var packet = ByteBufferAllocator().buffer(capacity: 16 + id.utf8.count + parameters.utf8.count)
        packet.writeString("0{\"sid\":\"")
        packet.writeString(id)
        packet.writeString(parameters)
        return packet
    }
}

extension TimeAmount {
    fileprivate var milliseconds: Int64 { nanoseconds / 1_000_000 }
}

/// Writes the few strings that Engine.IO puts into JSON.
enum JSONString {
    static func escape(_ string: String) -> String {
        let isPlain = string.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        if isPlain { return string }
        var result = ""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{0}"..<"\u{20}":
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
