// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import NIOHTTP1
import NIOWebSocket

extension EngineHTTPHandler {
    /// Whose WebSocket the connection becomes.
    enum UpgradeTarget {
        case opened(EngineSession)
        case candidate(SessionHandle)
    }

    /// Turns the connection into a WebSocket (RFC 6455, section 4.2.2), if the request is right.
    func upgrade(_ request: Request, transport target: UpgradeTarget) {
        guard let context else { return }
        guard request.head.hasShortWebSocketFields else { return refuseUpgrade(request, target) }
        let upgrader = NIOWebSocketServerUpgrader(
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture([:]) },
            upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() }
        )
        // Only the check of the request and the Sec-WebSocket-Accept field are its work; it is done before this returns.
        upgrader.buildUpgradeResponse(channel: context.channel, upgradeRequest: request.head, initialResponseHeaders: [:])
            .assumeIsolated().whenComplete { result in
                switch result {
                case .success(let headers): self.finishUpgrade(request, headers, target)
                case .failure: self.refuseUpgrade(request, target)
                }
            }
    }

    private func refuseUpgrade(_ request: Request, _ target: UpgradeTarget) {
        if case .opened(let session) = target { session.discard(.transportError) }
        refuse(EngineRefusal(.badRequest, context: "the WebSocket handshake is not valid"), request)
    }

    private func finishUpgrade(_ request: Request, _ accepted: HTTPHeaders, _ target: UpgradeTarget) {
        guard let context, case .waiting = state else { return }
        state = .finished
        loop.schedule(self, at: nil)
        let webSocket = EngineWebSocketHandler(loop: loop, othersAreBehind: othersAreBehind, ownsPipeline: ownsPipeline && !isSecure)
        do {
            try context.pipeline.syncOperations.addHandler(webSocket, position: .after(self))
        } catch {
            if case .opened(let session) = target { session.discard(.transportError) }
            return context.close(promise: nil)
        }
        writeAcceptance(accepted, request, target, context: context)
        removeHTTPHandlers(context: context, before: webSocket)
        attach(webSocket, to: target)
        if case .opened(let session) = target { session.didOpen() }
        webSocket.didAttach()
    }

    private func writeAcceptance(
        _ accepted: HTTPHeaders,
        _ request: Request,
        _ target: UpgradeTarget,
        context: ChannelHandlerContext
    ) {
        // `Connection` and `Upgrade` are among them. Browsers refuse an answer that has them twice.
        var headers = accepted
        headers.add(contentsOf: CORSPolicy.headers(for: request.head, cors: configuration.cors))
        if case .opened(let session) = target {
            addConfiguredHeaders(to: &headers, request.head, opened: session)
        } else {
            addConfiguredHeaders(to: &headers, request.head, opened: nil)
        }
        let head = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
    }

    private func attach(_ webSocket: EngineWebSocketHandler, to target: UpgradeTarget) {
        switch target {
        case .opened(let session):
            webSocket.attach(to: session)
            session.webSocket = .local(webSocket)
            webSocket.write(EngineFrames.text(loop.context.openPacket(id: session.id, transport: .websocket)))
            session.markDirty()
        case .candidate(let handle) where handle.home === loop.handle:
            webSocket.attach(to: handle.session.value)
            handle.session.value.candidateArrived(.local(webSocket))
        case .candidate(let handle):
            webSocket.attach(to: handle)
            let (id, home, bound) = (webSocket.id, loop.handle, NIOLoopBound(webSocket, eventLoop: loop.eventLoop))
            tell(handle) { $0.candidateArrived(.remote(RemoteWebSocket(id: id, home: home, handler: bound))) }
        }
    }

    /// The decoder goes last, so that bytes which came with the request find the WebSocket handler in place.
    private func removeHTTPHandlers(context: ChannelHandlerContext, before webSocket: EngineWebSocketHandler) {
        context.flush()
        shareReceiveBuffer(context.channel)
        let pipeline = context.pipeline.syncOperations
        let handlers = httpHandlers
        httpHandlers = []
        pipeline.removeHandler(self, promise: nil)
        let removed = context.eventLoop.makePromise(of: Void.self)
        removed.futureResult.assumeIsolated().whenComplete { _ in webSocket.leftoversRead() }
        for handler in handlers.dropLast() { pipeline.removeHandler(handler, promise: nil) }
        if let decoder = handlers.last { pipeline.removeHandler(decoder, promise: removed) } else { removed.succeed() }
    }

    /// TLS handlers would not give the buffer back.
    private func shareReceiveBuffer(_ channel: any Channel) {
        guard !isSecure else { return }
        try? channel.syncOptions?.setOption(.recvAllocator, value: ReceiveAllocator.shared(loop: loop.handle))
    }
}
