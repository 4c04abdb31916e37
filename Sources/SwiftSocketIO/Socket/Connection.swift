// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import EngineIO
import NIOCore

/// The connection of a client, which its sockets in all namespaces share.
public struct Connection: Sendable {
    private let socket: Socket

    init(_ socket: Socket) { self.socket = socket }

    /// The transport in use; nil once the socket is disconnected.
    public var transport: EngineConfiguration.Transport? {
        get async {
            await socket.onLoop { [socket] in
                socket.bound.value.client.flatMap { EngineConfiguration.Transport(rawValue: $0.session.transportName) }
            }
        }
    }

    /// Adds a hook that is called in place, on the socket's event loop, when the connection has moved from long-polling to WebSocket. It is
    /// not called for connections that start with WebSocket.
    public func onUpgrade(_ hook: @escaping @Sendable (EngineConfiguration.Transport) -> Void) {
        socket.changeHooks { $0.upgraded.append(hook) }
    }
}

extension Socket {
    /// The client's connection, which its sockets in all namespaces share.
    public var conn: Connection { Connection(self) }

    /// Calls the hooks after an upgrade. On the loop.
    func didUpgrade(to transport: EngineConfiguration.Transport) {
        for hook in bound.value.hooks?.hooks.upgraded ?? [] { hook(transport) }
    }
}
