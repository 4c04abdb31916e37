// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import NIOCore
import NIOHTTPTypes
import SocketIOText

/// Collects HTTP requests, one at a time, and passes them to a closure that answers them.
final class EngineResponderHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundOut = HTTPResponsePart

    private let configuration: EngineHTTPServerConfiguration
    private let proxies: TrustedProxies
    private let responder: EngineResponder
    private var request: EngineHTTPRequest?
    /// Runs the closure; cancelled with the connection.
    private var answering: Task<Void, Never>?
    private var timeout: Scheduled<Void>?

    /// - Parameters:
    ///   - configuration: The limits.
    ///   - proxies: The proxies whose header fields are believed.
    ///   - responder: Answers the requests.
    init(configuration: EngineHTTPServerConfiguration, proxies: TrustedProxies, responder: @escaping EngineResponder) {
        var configuration = configuration
        configuration.maxBodySize = min(configuration.maxBodySize, EngineConfiguration.largestMessage)
        self.configuration = configuration
        self.proxies = proxies
        self.responder = responder
    }

    func channelInactive(context: ChannelHandlerContext) {
        timeout?.cancel()
        answering?.cancel()
        answering = nil
        request = nil
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event, answering != nil {
            // The client may have half-closed the connection and wait for the answer, or be gone.
            let bound = context.loopBound
            timeout = context.eventLoop.scheduleTask(in: TimeAmount(HTTPConnectionStateMachine.halfClosedTime)) {
                bound.value.close(promise: nil)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head): began(head, context: context)
        case .body(let bytes): append(bytes, context: context)
        case .end: ended(context: context)
        }
    }

    private func began(_ head: HTTPRequest, context: ChannelHandlerContext) {
        let length = head.headerFields[.contentLength].flatMap { Int($0) } ?? 0
        guard length <= configuration.maxBodySize else { return refuseBody(context: context) }
        request = EngineHTTPRequest(head: head, body: ByteBuffer(), remoteAddress: client(of: head, context: context))
        let bound = context.loopBound
        timeout = context.eventLoop.scheduleTask(in: TimeAmount(configuration.bodyTimeout)) { bound.value.close(promise: nil) }
        if head.headerFields[.expect]?.lowercased() == "100-continue" {
            context.writeAndFlush(Self.wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
        }
    }

    private func client(of head: HTTPRequest, context: ChannelHandlerContext) -> String {
        let peer = context.remoteAddress.host
        guard !proxies.isEmpty else { return peer }
        let client = proxies.client(of: peer) { name in HTTPField.Name(name).map { head.headerFields[values: $0] } ?? [] }
        return client ?? peer
    }

    private func append(_ bytes: ByteBuffer, context: ChannelHandlerContext) {
        guard let size = request?.body.readableBytes else { return }
        guard size + bytes.readableBytes <= configuration.maxBodySize else { return refuseBody(context: context) }
        request?.body.writeImmutableBuffer(bytes)
    }

    private func refuseBody(context: ChannelHandlerContext) {
        timeout?.cancel()
        request = nil
        write(EngineHTTPResponse(status: .contentTooLarge, text: "Payload too large\n"), isHead: false, context: context)
        context.close(promise: nil)
    }

    private func ended(context: ChannelHandlerContext) {
        timeout?.cancel()
        guard let request else { return }
        self.request = nil
        let (responder, bound) = (responder, NIOLoopBound((self, context), eventLoop: context.eventLoop))
        let (eventLoop, isHead) = (context.eventLoop, request.head.method == .head)
        answering = Task {
            let response = await responder(request)
            // The connection has ended; its event loop may have as well.
            guard !Task.isCancelled else { return }
            eventLoop.execute {
                let (handler, context) = bound.value
                handler.answered(response, isHead: isHead, context: context)
            }
        }
    }

    private func answered(_ response: EngineHTTPResponse, isHead: Bool, context: ChannelHandlerContext) {
        // It is nil if the connection has ended meanwhile.
        guard answering != nil else { return }
        answering = nil
        timeout?.cancel()
        write(response, isHead: isHead, context: context)
    }

    private func write(_ response: EngineHTTPResponse, isHead: Bool, context: ChannelHandlerContext) {
        var head = response.head
        if head.status != .noContent, head.status != .notModified {
            head.headerFields[.contentLength] = String(response.body.readableBytes)
        }
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        writeBody(isHead ? ByteBuffer() : response.body, context: context)
    }

    /// Writes a body piece by piece, the next when the client has taken the last, and then the end.
    private func writeBody(_ body: ByteBuffer, context: ChannelHandlerContext) {
        var rest = body
        guard rest.readableBytes > 0, let piece = rest.readSlice(length: min(rest.readableBytes, HTTPConnectionStateMachine.pieceSize))
        else {
            return context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [rest] result in
            if case .success = result { self.writeBody(rest, context: context) }
        }
        context.writeAndFlush(Self.wrapOutboundOut(.body(piece)), promise: written)
    }
}
