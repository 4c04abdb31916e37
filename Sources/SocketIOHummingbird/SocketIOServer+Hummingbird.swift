// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if Hummingbird
public import HummingbirdCore
public import SwiftSocketIO
extension HTTPServerBuilder {
    /// A server that serves Socket.IO on the application's port.
    ///
    /// ```swift
    /// let app = Application(router: router, server: .socketIO(io))
    /// ```
    ///
    /// - Parameters:
    ///   - io: The Socket.IO server. Its engine's path is served on every connection; the router gets all other requests.
    ///   - configuration: Hummingbird's options for all other requests.
    public static func socketIO(_ io: SocketIOServer, configuration: HTTP1Channel.Configuration = .init()) -> HTTPServerBuilder {
        io.isMounted = true
        return engineIO(io.engine, configuration: configuration)
    }
}
#endif
