import EngineIO
import SocketIOCore

extension Handshake {
    /// Parses the request that opened a connection.
    init(_ request: EngineHandshake) {
        self.init(
            headers: Self.headers(request),
            query: Self.query(request),
            url: request.url,
            address: request.remoteAddress,
            issued: Int64(request.issued * 1_000),
            isCrossDomain: request.header("origin") != nil,
            secure: request.isSecure
        )
    }

    private static func headers(_ request: EngineHandshake) -> NameMap<String> {
        var result = NameMap<String>()
        for (name, value) in request.headers {
            let name = name.lowercased()
            result[name] = result[name].map { "\($0), \(value)" } ?? value
        }
        return result
    }

    private static func query(_ request: EngineHandshake) -> NameMap<String> {
        var result = NameMap<String>()
        for (name, value) in request.query where result[name] == nil { result[name] = value }
        return result
    }
}
