// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOText

/// The request with which a client opened its connection, as Socket.IO's `handshake` describes it.
public struct Handshake: Sendable {
    /// The request's headers. Names are lowercase; values of repeated headers are joined by a comma and a space, those of
    /// `cookie` by a semicolon and a space. Names and values with more than 64 combining marks in a row are omitted: Swift needs quadratic
    /// time to compare them.
    public var headers: NameMap<String>
    /// The parameters of the request's query string. Of repeated parameters the first counts. Otherwise as ``headers``.
    public var query: NameMap<String>
    /// The path and query of the request, without scheme and host if the client sent those too; empty if it has more than 64 combining marks in a row.
    public var url: String
    /// The client's network address, without port; that of the proxy if there is one that is not trusted to name the client's
    /// (`trustedProxies` of the engine's configuration).
    public var address: String
    /// When the connection was opened, in milliseconds since 1970.
    public var issued: Int64
    /// Whether the request came from another origin, which is so if it has an `Origin` header.
    public var isCrossDomain: Bool
    /// Whether the connection is encrypted by this server.
    public var secure: Bool
    /// The `auth` that the client sent when it connected to the namespace; nil if it sent none.
    public var auth: EncodedValue?

    /// Creates a handshake.
    public init(
        headers: NameMap<String> = [:],
        query: NameMap<String> = [:],
        url: String = "",
        address: String = "",
        issued: Int64 = 0,
        isCrossDomain: Bool = false,
        secure: Bool = false,
        auth: EncodedValue? = nil
    ) {
        self.headers = headers
        self.query = query
        self.url = url
        self.address = address
        self.issued = issued
        self.isCrossDomain = isCrossDomain
        self.secure = secure
        self.auth = auth
    }
}
