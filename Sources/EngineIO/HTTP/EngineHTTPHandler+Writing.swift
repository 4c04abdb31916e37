// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// How answers leave. A connection has one at a time: the pipelining handler in front lets the next request in, and reads on, when it sees
/// the end of the last answer, and that is written when the client has taken what was before it.
extension EngineHTTPHandler {
    /// An answer of ours that is being written.
    struct Answer {
        /// The request's.
        let id: Int
        /// The session whose packets it carries.
        let poll: SessionHandle?
        /// The size of the body, in bytes.
        let size: Int
        /// What of the body has not been handed to the channel.
        var rest: ByteBuffer
        let closes: Bool
        /// Whether the client may still be sending its request.
        let isUnread: Bool
    }

    /// The end of an answer that others have written.
    struct HeldEnd {
        let part: NIOAny
        let promise: EventLoopPromise<Void>?
    }

    /// What is handed to the channel at once, in bytes. With each piece that the client has taken its time begins anew.
    static var pieceSize: Int { 256 << 10 }

    /// Whether an answer of ours is being written.
    var isWriting: Bool {
        if case .writing = state { true } else { false }
    }

    // MARK: Our answers

    /// Answers a request of ours.
    ///
    /// - Parameter isUnread: Whether the client may still be sending its body.
    func send(_ status: HTTPResponseStatus, _ headers: HTTPHeaders, _ body: ByteBuffer, _ request: Request, isUnread: Bool = false) {
        guard let context else { return }
        // The decoder reads nothing after a request that asked for an upgrade.
        let closes = isUnread || closesWhenDone || !request.head.isKeepAlive || request.head.asksForUpgrade
        var head = HTTPResponseHead(version: request.head.version, status: status, headers: headers)
        if status != .noContent, status != .notModified { head.headers.add(name: "Content-Length", value: "\(body.readableBytes)") }
        if closes {
            head.headers.replaceOrAdd(name: "Connection", value: "close")
        } else if request.head.version.minor == 0 {
            head.headers.replaceOrAdd(name: "Connection", value: "keep-alive")
        }
        let body = request.head.method == .HEAD ? ByteBuffer() : body
        let poll: SessionHandle? = if case .poll(let handle) = request.kind { handle } else { nil }
        state = .writing(
            Answer(id: request.id, poll: poll, size: body.readableBytes, rest: body, closes: closes, isUnread: isUnread)
        )
        let part = Self.wrapOutboundOut(.head(head))
        if body.readableBytes > 0 {
            context.write(part, promise: nil)
            writePiece(context: context)
        } else {
            writeAndFlush(part, of: request.id, context: context)
        }
    }

    private func writePiece(context: ChannelHandlerContext) {
        guard case .writing(var answer) = state else { return }
        guard let piece = answer.rest.readSlice(length: min(Self.pieceSize, answer.rest.readableBytes)) else { return }
        state = .writing(answer)
        writeAndFlush(Self.wrapOutboundOut(.body(.byteBuffer(piece))), of: answer.id, context: context)
    }

    private func writeAndFlush(_ part: NIOAny, of id: Int, context: ChannelHandlerContext) {
        startTimeout(configuration.limits.writeTimeout)
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { result in
            guard case .success = result else { return context.close(promise: nil) }
            self.pieceWritten(of: id, context: context)
        }
        context.writeAndFlush(part, promise: written)
    }

    private func pieceWritten(of id: Int, context: ChannelHandlerContext) {
        guard case .writing(let answer) = state, answer.id == id else { return }
        if answer.rest.readableBytes > 0 { writePiece(context: context) } else { ending { self.finish(id, context: context) } }
    }

    /// The client's system has all of an answer.
    private func finish(_ id: Int, context: ChannelHandlerContext) {
        guard case .writing(let answer) = state, answer.id == id else { return }
        let closes = answer.closes || closesWhenDone
        // The next request may arrive from within the write of the end.
        state = closes ? .finished : .idle
        startTimeout(configuration.limits.keepAliveTimeout)
        if let handle = answer.poll { tell(handle) { $0.pollWritten(answer.id) } }
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        if answer.isUnread {
            // Closing with unread bytes resets the connection, and the client may lose the answer; so it may finish what it sends.
            startTimeout(.seconds(2))
            context.close(mode: .output, promise: nil)
        } else if closes {
            context.close(promise: nil)
        }
    }

    // MARK: Everybody else's answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .end = Self.unwrapOutboundIn(data), case .passing = state else {
            return context.write(data, promise: promise)
        }
        heldEnd = HeldEnd(part: data, promise: promise)
        ending { if context.channel.isWritable { self.releaseEnd(context: context) } }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if case .passing = state {
            if context.channel.isWritable {
                loop.schedule(self, at: nil)
                ending { self.releaseEnd(context: context) }
            } else {
                startTimeout(configuration.limits.writeTimeout)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    /// The client has taken what others wrote, or they do not want to wait for that.
    func releaseEnd(context: ChannelHandlerContext) {
        guard let end = heldEnd.take() else { return }
        guard case .passing(let closes) = state else { return context.write(end.part, promise: end.promise) }
        state = closes ? .finished : .idle
        startTimeout(configuration.limits.keepAliveTimeout)
        guard closes else { return context.writeAndFlush(end.part, promise: end.promise) }
        startTimeout(configuration.limits.writeTimeout)
        let written = end.promise ?? context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        context.writeAndFlush(end.part, promise: written)
    }
}
