// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Handles events that concern a whole connection, before the pipelining handler may keep them back.
final class EngineConnectionHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let http: EngineHTTPHandler

    init(http: EngineHTTPHandler) {
        self.http = http
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // Behind a request that is not answered yet, the pipelining handler keeps this event back if it keeps anything else: one byte would do.
        if case ChannelEvent.inputClosed = event { return http.inputClosed() }
        if event is ChannelShouldQuiesceEvent { http.quiesce() }
        context.fireUserInboundEventTriggered(event)
    }
}

/// An event for a connection that is to end at once, whatever it carries.
struct ConnectionCut: Sendable {}
