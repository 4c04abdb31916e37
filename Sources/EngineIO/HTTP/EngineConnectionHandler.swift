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
        switch event {
        case ChannelEvent.inputClosed where http.machine.isWriting: http.closeWhenDone()
        case ChannelEvent.inputClosed where http.machine.ownsRequest:
            // A client that no longer writes cannot use its session.
            context.close(promise: nil)
        case is ChannelShouldQuiesceEvent:
            http.quiesce()
            context.fireUserInboundEventTriggered(event)
        default: context.fireUserInboundEventTriggered(event)
        }
    }
}

/// An event for a connection that is to end at once, whatever it carries.
struct ConnectionCut: Sendable {}
