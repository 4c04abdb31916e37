// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import CSocketIOSystem
import EngineIOCore
import NIOCore
import NIOHTTP1
import SocketIOConcurrency

/// The only handler of a new connection. It answers a plain WebSocket handshake at once. For everything else the HTTP pipeline replaces it.
///
/// Most connections are WebSockets from their first byte. Building the HTTP pipeline for one request and removing it again took a third of
/// the instructions of a connection.
final class EngineHandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let loop: EngineLoop
    private let isSecure: Bool
    private let addHTTP: (any Channel, EngineHandshakeHandler) throws -> Void
    private var context: ChannelHandlerContext?
    /// The beginning of a request, if that is all that the connection's first buffer could take.
    private var beginning: ByteBuffer?
    private var isDone = false
    private var socket: DirectSocket
    /// Why the handshake that was read may not have a session. The HTTP pipeline answers that, and does not decide again.
    private(set) var refusal: EngineRefusal?
    /// Until when the request's header fields must have arrived.
    let deadline: NIODeadline
    var wheelPosition = TimerWheel.Position()

    /// - Parameters:
    ///   - loop: The connection's event loop.
    ///   - isSecure: Whether TLS handlers are in front.
    ///   - socket: The connection's socket.
    ///   - addHTTP: Adds the HTTP pipeline behind this handler.
    init(
        loop: EngineLoop,
        isSecure: Bool,
        socket: DirectSocket,
        addHTTP: @escaping (any Channel, EngineHandshakeHandler) throws -> Void
    ) {
        self.loop = loop
        self.isSecure = isSecure
        self.socket = socket
        self.addHTTP = addHTTP
        self.deadline = loop.connectionDeadline(in: TimeAmount(loop.context.configuration.limits.headerTimeout))
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        loop.schedule(self, at: deadline)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        loop.schedule(self, at: nil)
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        loop.schedule(self, at: nil)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // Nothing is under way on this connection.
        if event is ConnectionCut || event is ChannelShouldQuiesceEvent { return context.close(promise: nil) }
        if !isDone, case ChannelEvent.inputClosed = event { return context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let read = Self.unwrapInboundIn(data)
        guard !isDone else { return context.fireChannelRead(data) }
        if let bytes = beginning.take() {
            finish(with: joined(bytes, read), context: context)
        } else if read.readableBytes == ReceiveAllocator.firstSize {
            readOn(after: read, context: context)
        } else {
            finish(with: read, context: context)
        }
    }

    /// The connection's first buffer is full. The rest is most likely there already: it is read without going round the event loop.
    private func readOn(after bytes: ByteBuffer, context: ChannelHandlerContext) {
        socket.find(context)
        guard socket.isKnown else { return beginning = bytes }
        var all = loop.takeReceiveBuffer(context.channel.allocator)
        all.writeImmutableBuffer(bytes)
        socket.receive(into: &all)
        if accept(all, context: context) {
            loop.giveBack(all)
        } else {
            // Parts of what HTTP reads may be kept.
            let copy = ByteBuffer(all.readableBytesView)
            loop.giveBack(all)
            passOn(copy, context: context)
        }
    }

    private func joined(_ bytes: ByteBuffer, _ read: ByteBuffer) -> ByteBuffer {
        var all = context?.channel.allocator.buffer(capacity: bytes.readableBytes + read.readableBytes) ?? ByteBuffer()
        all.writeImmutableBuffer(bytes)
        all.writeImmutableBuffer(read)
        loop.giveBack(read)
        return all
    }

    private func finish(with bytes: ByteBuffer, context: ChannelHandlerContext) {
        if !accept(bytes, context: context) { passOn(bytes, context: context) }
    }

    // MARK: HTTP

    private func passOn(_ bytes: ByteBuffer, context: ChannelHandlerContext) {
        isDone = true
        loop.schedule(self, at: nil)
        do { try addHTTP(context.channel, self) } catch { return context.close(promise: nil) }
        context.fireChannelRead(Self.wrapInboundOut(bytes))
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    // MARK: WebSocket

    /// - Returns: Whether the bytes are a handshake that has led to a session.
    private func accept(_ bytes: ByteBuffer, context: ChannelHandlerContext) -> Bool {
        let engine = loop.context
        guard engine.acceptsPlainHandshakes, bytes.readableBytes <= engine.configuration.limits.headerBytes else { return false }
        var lines = loop.takeScratch()
        defer { loop.giveBack(scratch: lines) }
        let request = bytes.withUnsafeReadableBytes { bytes in
            PlainHandshake(
                bytes,
                path: engine.pathBytes,
                maximumFields: engine.configuration.limits.headerFields,
                lines: &lines
            )
        }
        guard let request else { return false }
        let address = context.channel.remoteAddress.host
        let handshake = EngineHandshake(lines: lines, from: address, isSecure: isSecure, trusting: engine.proxies)
        let origin = request.origin.map { bytes.text($0) }
        if let origin, !allows(origin, to: request.host.map { bytes.text($0) }, handshake, from: address) { return false }
        var subprotocols: [String] = []
        if let offered = request.subprotocols {
            guard let tokens = WebSocketHandshake.subprotocols([bytes.text(offered)]) else { return false }
            subprotocols = tokens
        }
        switch loop.openSession(handshake, over: .websocket) {
        case .success(let session):
            open(session, answer(request, in: bytes, origin: origin, subprotocols, session), context: context)
            return true
        case .failure(let refusal):
            self.refusal = refusal
            return false
        }
    }

    /// Whether the page that opens the WebSocket may do so.
    private func allows(_ origin: String, to host: String?, _ handshake: EngineHandshake, from address: String) -> Bool {
        let (cors, proxies) = (loop.context.configuration.cors, loop.context.proxies)
        let forwarded = proxies.isEmpty ? nil : ForwardedRequest(from: address, trusting: proxies, handshake.values)
        return CORSPolicy.allowsWebSocket(from: origin, to: host, isSecure: isSecure, cors: cors, forwarded: forwarded)
    }

    /// The answer to the handshake (RFC 6455, section 4.2.2), and Engine.IO's first packet behind it.
    private func answer(
        _ request: PlainHandshake,
        in bytes: ByteBuffer,
        origin: String?,
        _ subprotocols: [String],
        _ session: EngineSession
    ) -> ByteBuffer {
        let engine = loop.context
        // Enough for the usual answer, with its date and the first packet.
        var answer = ByteBufferAllocator().buffer(capacity: 384)
        answer.writeStaticString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: ")
        bytes.withUnsafeReadableBytes { bytes in
            let key = UnsafeRawBufferPointer(rebasing: bytes[request.key])
            answer.writeWithUnsafeMutableBytes(minimumWritableBytes: 28) { output in
                socketio_websocket_accept(key.baseAddress, UInt(key.count), output.baseAddress)
                return 28
            }
        }
        answer.writeStaticString("\r\n")
        if !subprotocols.isEmpty, let chosen = engine.configuration.subprotocol(of: subprotocols, session.handshake) {
            answer.writeString("Sec-WebSocket-Protocol: \(chosen)\r\n")
        }
        var hasDate = false
        if engine.addsHeaders {
            let configuration = engine.configuration
            var headers = CORSPolicy.headers(for: origin, cors: configuration.cors)
            configuration.addHeaders(to: &headers, opened: session)
            if let hook = configuration.headers { headers.add(contentsOf: hook(session.handshake)) }
            hasDate = headers.contains(name: "date")
            for (name, value) in headers { answer.writeString("\(name): \(value)\r\n") }
        }
        if !hasDate { answer.writeBytes(loop.date(session.handshake.issued).line) }
        answer.writeStaticString("\r\n")
        answer.writeWebSocketFrame(WebSocketFrameHeader.text, loop.context.openPacket(id: session.id, transport: .websocket))
        return answer
    }

    private func open(_ session: EngineSession, _ answer: ByteBuffer, context: ChannelHandlerContext) {
        isDone = true
        let webSocket = EngineWebSocketHandler(loop: loop, socket: socket)
        let pipeline = context.pipeline.syncOperations
        do { try pipeline.addHandler(webSocket, position: .after(self)) } catch {
            session.discard(.transportError)
            return context.close(promise: nil)
        }
        pipeline.removeHandler(self, promise: nil)
        webSocket.send(answer)
        webSocket.attach(to: session)
        session.webSocket = .local(webSocket)
        session.didOpen()
        webSocket.didAttach()
    }
}

extension EngineHandshakeHandler: TimerWheelItem {
    /// The request's header fields took too long, or none came.
    func deadlineReached(now: NIODeadline) {
        context?.close(promise: nil)
    }
}

extension ByteBuffer {
    fileprivate func text(_ range: Range<Int>) -> String {
        getString(at: readerIndex + range.lowerBound, length: range.count) ?? ""
    }
}
