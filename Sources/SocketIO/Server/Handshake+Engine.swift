import EngineIO
import SocketIOCore

extension Handshake {
    /// Parses the request that opened a connection.
    init(_ request: EngineHandshake) {
        self.init(
            headers: Dictionary(request.headers.map { ($0.name.lowercased(), $0.value) }) { "\($0), \($1)" },
            query: Dictionary(request.query.map { ($0.name, $0.value) }) { first, _ in first },
            url: request.url,
            address: request.remoteAddress,
            issued: Int64(request.issued * 1_000),
            isCrossDomain: request.header("origin") != nil,
            secure: request.isSecure
        )
    }
}
