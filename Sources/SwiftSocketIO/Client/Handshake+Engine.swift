// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIO
import SocketIOCore
import SocketIOText

extension Handshake {
    /// Parses the request that opened a connection.
    init(_ request: EngineHandshake) {
        self.init(
            headers: Self.headers(request),
            query: Self.query(request),
            url: CombiningMarks.exceedLimit(in: request.url) ? "" : request.url,
            address: request.remoteAddress,
            issued: Int64(request.issued * 1_000),
            isCrossDomain: request.header("origin") != nil,
            secure: request.isSecure
        )
    }

    private static func headers(_ request: EngineHandshake) -> NameMap<String> {
        var result = NameMap<String>()
        for (name, value) in request.headers where isComparable(name, value) {
            let name = name.lowercased()
            result[name] = result[name].map { $0 + EngineHandshake.separator(name) + value } ?? value
        }
        return result
    }

    /// Headers and parameters that Swift would compare in quadratic time are left out.
    private static func isComparable(_ name: String, _ value: String) -> Bool {
        !CombiningMarks.exceedLimit(in: name) && !CombiningMarks.exceedLimit(in: value)
    }

    private static func query(_ request: EngineHandshake) -> NameMap<String> {
        var result = NameMap<String>()
        for (name, value) in request.query where isComparable(name, value) && result[name] == nil { result[name] = value }
        return result
    }
}
