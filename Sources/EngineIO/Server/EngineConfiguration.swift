// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import HTTPTypes

/// The options of an ``EngineServer``, by Engine.IO's names and with its defaults.
public struct EngineConfiguration: Sendable {
    /// A transport that carries sessions.
    public enum Transport: String, Sendable, CaseIterable {
        /// HTTP long-polling.
        case polling
        /// WebSocket.
        case websocket
    }

    /// The path that is served, with all that is below it, as in Engine.IO. Default `/socket.io/`. The root is served alone, so that other
    /// handlers have the rest.
    public var path: String = "/socket.io/"

    /// Whether a trailing slash is added to ``path`` if it has none. Default true: `/socket.io/` and `/socket.io/a` are served,
    /// `/socket.io` is not. If false, one that is written there is removed, and all three are served.
    public var addTrailingSlash: Bool = true

    /// The transports that are offered. Default both.
    public var transports: [Transport] = [.polling, .websocket]

    /// Whether a polling session may move to WebSocket. Default true.
    public var allowUpgrades: Bool = true

    /// How long a client may take to finish a transport upgrade before the candidate is closed. Default 10 s.
    public var upgradeTimeout: Duration = .seconds(10)

    /// The time between a pong and the next ping. Default 25 s.
    public var pingInterval: Duration = .seconds(25)

    /// How long a pong may take before the session is closed. Default 20 s.
    public var pingTimeout: Duration = .seconds(20)

    /// The size limit of one message, and of one polling request, in bytes. Announced to the client as `maxPayload`. Default 1 000 000, at
    /// most 1 GiB: more counts as that.
    public var maxHTTPBufferSize: Int = 1_000_000

    /// The cookie that carries the session id, for load balancers that route by cookie. Default none.
    public var cookie: EngineCookie?

    /// Which other origins may connect. Default none: only pages of the same origin, and clients that are not browsers.
    ///
    /// The same origin is the one whose host and port are those of the request, where `ws` counts as `http`, `wss` as `https`, and a missing
    /// port as that of the scheme; the scheme may be `https` although the connection is not, as a proxy may have ended TLS. If the proxy
    /// changes `Host`, see ``trustedProxies``.
    public var cors: EngineCORS?

    /// The proxies in front of the server that may say who the client is, and for which host it asked. Default none: such header fields are
    /// ignored.
    public var trustedProxies = TrustedProxies.none

    /// Chooses the subprotocol of a WebSocket from those that the client offers in `Sec-WebSocket-Protocol`, or none (nil). Default: the
    /// first.
    ///
    /// Browsers fail a connection if they offered any and none was chosen. A choice that the client did not offer counts as none. It is
    /// called on an event loop: it must not block.
    public var selectSubprotocol: (@Sendable (_ offered: [String], _ request: EngineHandshake) -> String?)?

    /// Decides whether a handshake is accepted; it is not called for upgrades and later requests. Default: all are.
    ///
    /// Its task is cancelled, and the connection closed, after ``Limits/bodyTimeout``. If the client disconnects, the task is cancelled too:
    /// for a polling client 5 s later, since one that has only half-closed its connection waits for the answer.
    public var allowRequest: (@Sendable (EngineHandshake) async -> EngineRequestDecision)?

    /// The size in bytes from which polling responses are gzipped for clients that accept it; nil for never. Default 1024.
    public var httpCompressionThreshold: Int? = 1024

    /// Header fields to add to the first response of a session. Default none.
    public var initialHeaders: (@Sendable (EngineHandshake) -> [(name: String, value: String)])?

    /// Header fields to add to every response of the polling transport and to the response of every WebSocket handshake. Default none.
    ///
    /// The argument is the request that is answered, be it the session's first or a later one.
    public var headers: (@Sendable (EngineHandshake) -> [(name: String, value: String)])?

    /// Over how long sessions are closed, each at a random time, when the HTTP server asks their connections to end. Default at once.
    ///
    /// It is for an ``EngineServer`` without Socket.IO in an HTTP server that first ends its connections when it shuts down, as
    /// Hummingbird's does. ``EngineServer/shutdown(over:)`` has a duration of its own.
    public var quiesceDuration: Duration = .zero

    /// Called for every request that is refused. Default none. The server also logs refusals: each at `debug`, and each cause at `notice`,
    /// at most once an hour.
    public var connectionError: (@Sendable (EngineConnectionError) -> Void)?

    /// Makes a session id. It must be unique and unguessable, free of control characters and have at most 128 bytes; handshakes are
    /// answered 400 otherwise. Default 15 random characters (90 bits).
    public var generateID: (@Sendable (EngineHandshake) -> String)?

    /// Answers requests below ``path`` that are not Engine.IO's, such as `/socket.io/socket.io.js`; nil passes one on. Default none.
    ///
    /// Called on an event loop: it must not block.
    public var responder: (@Sendable (HTTPRequest) -> EngineHTTPResponse?)?

    /// Whether the last write of a tick goes to a WebSocket's socket directly instead of through NIO's channel. Default true.
    ///
    /// It makes no difference but for the time it takes: writing directly is several times cheaper. It is only done on connections of an
    /// ``EngineHTTPServer`` without TLS. Turn it off to rule it out while you look for a problem.
    public var usesDirectWrites: Bool = true

    /// Sizes and counts that a client could otherwise grow.
    public var limits = Limits()

    /// A buffer holds at most 4 GiB, and a message has to fit into one, unmasked, as base64 or with others.
    static var largestMessage: Int { 1 << 30 }

    /// The most bytes that ``generateID`` may make.
    static var longestID: Int { 128 }

    /// Makes the default configuration.
    public init() {}

    /// Checks the values. ``EngineHTTPServer/start(_:engine:on:responder:)`` calls it, and so does the start of a Socket.IO server.
    ///
    /// - Throws: The first value that cannot be used.
    public func validate() throws(EngineConfigurationError) {
        let rules = [
            (path.utf8.starts(with: "/".utf8), "path", "must start with a slash"),
            (!transports.isEmpty, "transports", "must name at least one transport"),
            (pingInterval > .zero, "pingInterval", "must be positive"),
            (pingTimeout > .zero, "pingTimeout", "must be positive"),
            (maxHTTPBufferSize > 0, "maxHTTPBufferSize", "must be positive"),
        ]
        for (holds, property, problem) in rules where !holds { throw EngineConfigurationError(property: property, problem: problem) }
    }

    /// The limits of an ``EngineServer``.
    public struct Limits: Sendable {
        /// Packets that wait for one slow client before its session is closed. Default 8192.
        public var sendBufferPackets: Int = 8192
        /// Bytes that wait for one slow client before its session is closed, with those of a poll's answer that it has not read.
        /// Default 4 MiB.
        public var sendBufferBytes: Int = 4 << 20
        /// Packets in the send buffer from which its drain is reported. Default 128.
        public var sendBufferLowWater: Int = 128
        /// Packets in one polling request. Default 1000; more close the session with `parse error`.
        public var packetsPerPayload: Int = 1000
        /// Frames of one WebSocket message. Default 1024; more close the connection with code 1008.
        public var fragmentsPerMessage: Int = 1024
        /// Header fields of one request. Default 100; more are answered 431.
        public var headerFields: Int = 100
        /// Bytes of one request's line and header fields. Default 16 KiB; more are answered 431.
        public var headerBytes: Int = 16 << 10
        /// Open sessions. Default 1 000 000; further handshakes are answered 503.
        public var sessions: Int = 1_000_000
        /// Handshakes that wait for ``EngineConfiguration/allowRequest``. Default 1000; more are answered 503.
        public var pendingHandshakes: Int = 1000
        /// Upgrades that one session may start. Default 16; more candidates are closed.
        public var upgradeAttempts: Int = 16
        /// How long a session that is being closed waits for the client's next poll, or for its bytes to leave. Default 30 s.
        public var closeTimeout: Duration = .seconds(30)
        /// How long reading may stay paused before the pong deadline counts again. Default 60 s.
        public var readPause: Duration = .seconds(60)
        /// How long a request's header fields may take. Default 10 s.
        public var headerTimeout: Duration = .seconds(10)
        /// How long a request's body may take. Default 30 s.
        public var bodyTimeout: Duration = .seconds(30)
        /// How long a client may take to read 256 KiB of an HTTP answer, or the whole of a shorter one, before its connection is closed.
        /// Default 30 s. It gets no other answer meanwhile, and its requests are not read.
        public var writeTimeout: Duration = .seconds(30)
        /// How long a connection may wait for its next request. Default 65 s, longer than the usual load balancer keeps it.
        public var keepAliveTimeout: Duration = .seconds(65)

        /// Makes the default limits.
        public init() {}
    }
}

/// A decision of ``EngineConfiguration/allowRequest``.
public struct EngineRequestDecision: Sendable, Hashable {
    enum Outcome: Hashable {
        case allow
        case reject(String)
    }

    let outcome: Outcome

    /// Accepts the handshake.
    public static let allow = EngineRequestDecision(outcome: .allow)

    /// Refuses the handshake with 403.
    ///
    /// - Parameter message: The error's message, for the client.
    public static func reject(_ message: String = "Forbidden") -> EngineRequestDecision {
        EngineRequestDecision(outcome: .reject(message))
    }
}

/// The cookie that carries a session id.
public struct EngineCookie: Sendable, Hashable {
    /// The values of the `SameSite` attribute.
    public enum SameSite: String, Sendable {
        /// Sent with requests of the same site only.
        case strict = "Strict"
        /// Also sent with top-level navigation.
        case lax = "Lax"
        /// Sent always; browsers then demand ``EngineCookie/secure``.
        case none = "None"
    }

    /// The name. Default `io`.
    public var name: String = "io"
    /// The path. Default `/`.
    public var path: String = "/"
    /// The domain. Default the host of the request.
    public var domain: String?
    /// Whether scripts cannot read it. Default true.
    public var httpOnly: Bool = true
    /// Whether it is sent over TLS only. Default false.
    public var secure: Bool = false
    /// Which other sites' requests carry it. Default lax.
    public var sameSite: SameSite? = .lax
    /// How long the browser keeps it. Default until it is closed.
    public var maxAge: Duration?

    /// Makes the default cookie.
    public init(name: String = "io") {
        self.name = name
    }
}

/// Which origins' pages may connect (the CORS protocol of the Fetch standard), for long-polling and for WebSocket.
public struct EngineCORS: Sendable {
    /// A set of origins.
    public enum Origins: Sendable {
        /// Every origin. With ``EngineCORS/credentials`` the request's origin is named instead of `*`.
        case any
        /// These, compared exactly: scheme, host and port, such as `https://example.com`. `null`, `file://` and `*` are what pages in sandboxes
        /// and files, and some devices, send; name them only if clients authenticate without cookies.
        case exactly([String])
        /// Those for which the closure returns true.
        case matching(@Sendable (String) -> Bool)
    }

    /// The origins that are allowed.
    public var origins: Origins
    /// Whether cookies and authorization may be sent. Default false.
    public var credentials: Bool = false
    /// The methods that a preflight allows. Default those of long-polling.
    public var methods: [String] = ["GET", "POST"]
    /// The header fields that a preflight allows; nil for those that it asks for. Default nil.
    public var allowedHeaders: [String]?
    /// The header fields that scripts may read. Default none.
    public var exposedHeaders: [String] = []
    /// How long a browser may remember a preflight's answer. Default: the browser's.
    public var maxAge: Duration?

    /// Allows these origins.
    public init(origins: Origins) {
        self.origins = origins
    }
}

/// A request to the engine's path that was refused.
public struct EngineConnectionError: Error, Sendable {
    /// Engine.IO's error codes, as clients get them.
    public enum Code: Int, Sendable {
        /// The `transport` is unknown or not offered.
        case unknownTransport = 0
        /// No session has this `sid`.
        case unknownSID = 1
        /// A handshake must be GET.
        case badHandshakeMethod = 2
        /// The request does not fit its session.
        case badRequest = 3
        /// The request was not allowed.
        case forbidden = 4
        /// Only protocol version 4 is spoken.
        case unsupportedProtocolVersion = 5
    }

    /// The code that the client got.
    public let code: Code
    /// The message that the client got.
    public let message: String
    /// Details for the log. The client does not get them.
    public let context: String
    /// The request.
    public let request: EngineHandshake
}
