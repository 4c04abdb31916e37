// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import SocketIOConcurrency

/// The end of a WebSocket connection's pipeline: passes messages to the session and writes the session's frames.
///
/// The rules are those of ``WebSocketConnectionStateMachine``; this performs the I/O.
final class EngineWebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How long a client may take to answer a close frame before it is disconnected.
    private static let closeTimeout = TimeAmount.seconds(5)

    private enum Owner {
        case none
        case local(EngineSession)
        case remote(SessionHandle, InboundCredit)
    }

    let id: Int
    let loop: EngineLoop
    // Unchecked for the same reason as those of ``EngineSession``.
    @exclusivity(unchecked) private var owner = Owner.none
    @exclusivity(unchecked) private var machine: WebSocketConnectionStateMachine
    @exclusivity(unchecked) private var context: ChannelHandlerContext?
    @exclusivity(unchecked) private var socket: DirectSocket
    /// Events for a session on another event loop, sent at the end of this read.
    @exclusivity(unchecked) private var inbox: [WebSocketEvent] = []
    @exclusivity(unchecked) private(set) var isWritable = true
    private var isReading = true
    /// Whether the session's event loop has enough to do already.
    private var isBackedUp = false
    private var hasPendingRead = false
    /// Whether handlers of another server are behind this one, for which the connection is idle.
    private var refusesClose: Bool
    var wheelPosition = TimerWheel.Position()

    /// - Parameters:
    ///   - loop: The connection's event loop.
    ///   - socket: The connection's socket.
    ///   - othersAreBehind: Whether handlers of another server are behind this one.
    init(loop: EngineLoop, socket: DirectSocket, othersAreBehind: Bool = false) {
        let configuration = loop.context.configuration
        self.id = PollingExchange.nextID()
        self.loop = loop
        self.socket = socket
        self.machine = WebSocketConnectionStateMachine(
            maximumMessageSize: configuration.maxHTTPBufferSize,
            maximumFragments: configuration.limits.fragmentsPerMessage
        )
        self.refusesClose = othersAreBehind
    }

    /// Sets the session that the connection carries; called once, before the first frame.
    func attach(to session: EngineSession) {
        owner = .local(session)
    }

    /// Sets the session that the connection carries, if the session lives on another event loop.
    func attach(to session: SessionHandle) {
        owner = .remote(session, InboundCredit())
    }

    /// The session knows the connection, which may have ended already, while the answer to the handshake was written.
    func didAttach() {
        guard machine.phase == .closed else { return }
        notify(.closed(isError: true), atOnce: true)
        owner = .none
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        isWritable = context.channel.isWritable
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        connectionEnded()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        let freed = machine.bufferedBytes
        connectionEnded()
        loop.context.trimmer.connectionClosed(on: context.eventLoop, freed: freed)
        context.fireChannelInactive()
    }

    func read(context: ChannelHandlerContext) {
        if isReading, !isBackedUp {
            context.read()
        } else {
            hasPendingRead = true
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        readEnded()
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if machine.phase == .open { notify(.written(bytes: 0, isWritable: isWritable), atOnce: true) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed: context.close(promise: nil)
        case is ConnectionCut:
            refusesClose = false
            context.close(promise: nil)
        case is ChannelShouldQuiesceEvent:
            if machine.phase == .open { notify(.quiesce, atOnce: true) }
        default: break
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard refusesClose, machine.phase == .open else { return context.close(mode: mode, promise: promise) }
        promise?.fail(ChannelError.operationUnsupported)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let read = Self.unwrapInboundIn(data)
        defer { loop.giveBack(read) }
        var bytes = machine.begin(read)
        while let action = machine.next(from: &bytes) {
            switch action {
            case .text(let message): deliver(message, isText: true)
            case .binary(let message): deliver(message, isText: false)
            case .fail(let code): fail(code, context: context)
            case .answerClose(let frame): answerClose(frame, context: context)
            case .disconnect: context.close(promise: nil)
            }
        }
        machine.end(bytes)
    }

    /// The bytes of a read have been processed. Called as well for those that came with the request, after which NIO calls no
    /// `channelReadComplete`.
    func readEnded() {
        sendInbox()
        if machine.owesPongs { sendPongs() }
    }

    private func sendPongs() {
        guard let context, let frames = machine.takePongs(isWritable: isWritable) else { return }
        let promise = context.eventLoop.makePromise(of: Void.self)
        let countsWrites = socket.countsWrites
        if countsWrites { socket.writeBegan() }
        promise.futureResult.assumeIsolated().whenComplete { _ in
            self.machine.pongsWritten()
            if countsWrites { self.writeFinished() }
        }
        context.writeAndFlush(Self.wrapOutboundOut(frames), promise: promise)
    }
}

// MARK: - To the session

extension EngineWebSocketHandler {
    private func deliver(_ message: ByteBuffer, isText: Bool) {
        if case .local(let session) = owner {
            session.webSocketMessage(id, message, isText: isText)
        } else {
            inbox.append(isText ? .text(message) : .binary(message))
        }
    }

    private func notify(_ event: WebSocketEvent, atOnce: Bool = false) {
        switch owner {
        case .none: break
        case .local(let session): session.webSocket(id, event: event)
        case .remote:
            inbox.append(event)
            if atOnce { sendInbox() }
        }
    }

    private func sendInbox() {
        guard !inbox.isEmpty, case .remote(let handle, let credit) = owner else { return }
        let (events, id, session, home) = (inbox, id, handle.session, loop.handle)
        inbox = []
        let cost = events.reduce(0) { $0 + $1.cost }
        if credit.spend(cost) { isBackedUp = true }
        let connection = NIOLoopBound(self, eventLoop: loop.eventLoop)
        loop.perform(on: handle.home) { loop in
            let session = session.value
            for event in events { session.webSocket(id, event: event) }
            if credit.restore(cost) { loop.perform(on: home) { _ in connection.value.creditRestored() } }
        }
    }

    private func creditRestored() {
        isBackedUp = false
        readIfPending()
    }

    private func readIfPending() {
        guard isReading, !isBackedUp, hasPendingRead else { return }
        hasPendingRead = false
        context?.read()
    }
}

// MARK: - From the session

extension EngineWebSocketHandler {
    /// Writes frames; they leave with the next ``flush()``.
    func write(_ frames: ByteBuffer) {
        guard machine.phase == .open, let context else { return }
        write(frames, context: context)
    }

    private func write(_ frames: ByteBuffer, context: ChannelHandlerContext) {
        guard socket.countsWrites else { return context.write(Self.wrapOutboundOut(frames), promise: nil) }
        socket.writeBegan()
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in self.writeFinished() }
        context.write(Self.wrapOutboundOut(frames), promise: promise)
    }

    private func writeFinished() {
        socket.writeFinished(machine.phase == .open ? context : nil)
    }

    /// Writes frames and flushes, directly if possible.
    func send(_ frames: ByteBuffer) {
        var rest = frames
        rest.moveReaderIndex(forwardBy: sendAtOnce(frames))
        guard rest.readableBytes > 0 else { return }
        write(rest)
        flush()
    }

    /// Writes as much as the socket takes directly, which may be nothing.
    ///
    /// - Returns: How many bytes were written.
    func sendAtOnce(_ frames: ByteBuffer) -> Int {
        guard machine.phase == .open, let context else { return 0 }
        return socket.send(frames, context)
    }

    func flush() {
        context?.flush()
    }

    /// Writes what a session on another event loop sent in one tick.
    func writeFromSession(_ frames: [ByteBuffer]) {
        var bytes = 0
        for frame in frames {
            write(frame)
            bytes += frame.readableBytes
        }
        flush()
        notify(.written(bytes: bytes, isWritable: isWritable), atOnce: true)
    }

    func setReading(_ isReading: Bool) {
        self.isReading = isReading
        readIfPending()
    }

    /// The session no longer uses this connection.
    func closeFromSession(_ code: WebSocketCloseCode) {
        owner = .none
        guard let context, machine.close() else { return }
        sendClose(code, context: context)
    }
}

// MARK: - Close

extension EngineWebSocketHandler: TimerWheelItem {
    func deadlineReached(now: NIODeadline) {
        context?.close(promise: nil)
    }

    private func fail(_ code: WebSocketCloseCode, context: ChannelHandlerContext) {
        notify(.closed(isError: true), atOnce: true)
        owner = .none
        sendClose(code, context: context)
    }

    /// Sends a close frame and waits a while for the client's: disconnecting at once could lose what was sent before.
    private func sendClose(_ code: WebSocketCloseCode, context: ChannelHandlerContext) {
        write(.webSocketClose(code), context: context)
        context.flush()
        // Only the client's close frame is of interest from now on, and no session counts what is read.
        isBackedUp = false
        setReading(true)
        loop.schedule(self, at: loop.connectionDeadline(in: Self.closeTimeout))
    }

    private func answerClose(_ frame: ByteBuffer, context: ChannelHandlerContext) {
        write(frame, context: context)
        context.flush()
        notify(.closed(isError: false), atOnce: true)
        owner = .none
        context.close(promise: nil)
    }

    private func connectionEnded() {
        guard machine.ended() else { return }
        socket.close()
        sendInbox()
        notify(.closed(isError: false), atOnce: true)
        owner = .none
        loop.schedule(self, at: nil)
    }
}
