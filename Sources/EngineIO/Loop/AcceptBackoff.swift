// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import CSocketIOSystem
import EngineIOCore
import Logging
import NIOCore
import SocketIOConcurrency
import SocketIOText

/// Lets the listener rest when the system has no file or memory for one more connection.
///
/// The listener stays readable then: NIO would ask for the next connection at once, and again, with all that a core can do.
final class AcceptBackoff: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let firstDelay = TimeAmount.milliseconds(50)
    private static let longestDelay = TimeAmount.seconds(1)

    private let engine: EngineContext
    private var delay = firstDelay
    private var hasAccepted = false
    private var resumption: Scheduled<Void>?
    private var limiter = LogLimiter(lines: 1)

    init(engine: EngineContext) {
        self.engine = engine
    }

    func channelInactive(context: ChannelHandlerContext) {
        resumption?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasAccepted = true
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, error.isShortage else { return context.fireErrorCaught(error) }
        engine.metrics.acceptFailed()
        delay = hasAccepted ? Self.firstDelay : min(Self.longestDelay, delay * 2)
        hasAccepted = false
        log(error)
        guard resumption == nil else { return }
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
        resumption = context.eventLoop.assumeIsolated().scheduleTask(in: delay) {
            self.resumption = nil
            try? context.channel.syncOptions?.setOption(.autoRead, value: true)
        }
    }

    private func log(_ error: IOError) {
        guard case .log(let suppressed) = limiter.admit(now: .now()) else { return }
        engine.logger.error(
            """
            no connection can be accepted: the system has no more files or memory for this process. Raise the limit of open files \
            (LimitNOFILE, ulimit -n), or reduce the number of clients. New clients wait meanwhile. Logged at most once a minute
            """,
            metadata: [LogKey.error: "\(error)", LogKey.suppressed: "\(suppressed)"]
        )
    }
}

extension IOError {
    /// Whether the same may succeed when others have closed their files.
    fileprivate var isShortage: Bool {
        switch errnoCode {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: true
        default: false
        }
    }
}
