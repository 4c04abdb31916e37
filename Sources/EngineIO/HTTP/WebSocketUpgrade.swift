// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore

/// Turns an HTTP connection into a WebSocket (RFC 6455, section 4.2.2).
struct WebSocketUpgrade {
    /// The session that the WebSocket is for.
    enum Target {
        case opened(EngineSession)
        case candidate(SessionHandle)

        /// The session that the request has opened, if it has.
        var opened: EngineSession? { if case .opened(let session) = self { session } else { nil } }
    }

    let loop: EngineLoop
    let isSecure: Bool
    let target: Target

    /// Adds the WebSocket handler to the pipeline; nil if that fails.
    func addHandler(
        after http: EngineHTTPHandler,
        _ socket: DirectSocket,
        othersAreBehind: Bool,
        context: ChannelHandlerContext
    ) -> EngineWebSocketHandler? {
        let webSocket = EngineWebSocketHandler(loop: loop, socket: socket, othersAreBehind: othersAreBehind)
        do {
            try context.pipeline.syncOperations.addHandler(webSocket, position: .after(http))
            return webSocket
        } catch {
            target.opened?.discard(.transportError)
            return nil
        }
    }

    /// Connects a new WebSocket handler, which is in the pipeline already, with its session.
    func attach(_ webSocket: EngineWebSocketHandler) {
        switch target {
        case .opened(let session):
            webSocket.attach(to: session)
            session.webSocket = .local(webSocket)
            webSocket.write(.webSocketFrame(WebSocketFrameHeader.text, loop.context.openPacket(id: session.id, transport: .websocket)))
            session.markDirty()
            session.didOpen()
        case .candidate(let handle) where handle.home === loop.handle:
            webSocket.attach(to: handle.session.value)
            handle.session.value.candidateArrived(.local(webSocket))
        case .candidate(let handle):
            webSocket.attach(to: handle)
            let (id, home, bound) = (webSocket.id, loop.handle, NIOLoopBound(webSocket, eventLoop: loop.eventLoop))
            loop.perform(on: handle) { $0.candidateArrived(.remote(RemoteWebSocket(id: id, home: home, handler: bound))) }
        }
        webSocket.didAttach()
    }

    /// Removes the handlers of HTTP, in this order. The decoder is the last, so that bytes that arrived with the request find the WebSocket
    /// handler in place.
    func removeHTTPHandlers(
        _ handlers: [any RemovableChannelHandler],
        before webSocket: EngineWebSocketHandler,
        context: ChannelHandlerContext
    ) {
        context.flush()
        // TLS handlers would not give the buffer back.
        if !isSecure { try? context.channel.syncOptions?.setOption(.recvAllocator, value: ReceiveAllocator.shared(loop: loop.handle)) }
        let pipeline = context.pipeline.syncOperations
        let removed = context.eventLoop.makePromise(of: Void.self)
        removed.futureResult.assumeIsolated().whenComplete { _ in webSocket.readEnded() }
        for handler in handlers.dropLast() { pipeline.removeHandler(handler, promise: nil) }
        if let decoder = handlers.last { pipeline.removeHandler(decoder, promise: removed) } else { removed.succeed() }
    }
}
