// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import SocketIOCore
package import SocketIOTesting
import SwiftSocketIO

/// A client in a namespace of a test server.
package typealias Guest = (client: TestClient, sid: String, pid: String?)

extension TestServer {
    /// Connects a client that joins a namespace, and puts it into rooms.
    package func joined(_ namespace: String = "/", rooms: [Room] = [], auth: String? = nil) async throws -> Guest {
        let client = try await connect()
        let (sid, pid) = try await client.join(namespace, auth: auth)
        if !rooms.isEmpty {
            let selection = io.of(namespace).in(sid).local
            try await selection.socketsJoin(rooms)
        }
        return (client, sid, pid)
    }
}

extension TestClient {
    /// The first arguments of events, up to `end`.
    package func textsUntilEnd() async throws -> [String] {
        var texts: [String] = []
        while texts.last != "end" { texts.append(try await receiveEvent().arguments.decode(String.self, at: 0)) }
        return texts
    }
}
