// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import CSocketIOSystem
import EngineIOCore
import NIOCore

/// The end of a WebSocket connection's pipeline: reassembles messages for the session and writes its frames.
final class EngineWebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Answers to the pings of one read, and reads whose answers may wait for a client that does not read; only the latest matter
    /// (RFC 6455, section 5.5.3).
    private static let mostPongs = 16
    /// How long a client may take to answer a close frame before its connection is cut.
    private static let closeTimeout = TimeAmount.seconds(5)

    private enum Owner {
        case nobody
        case local(EngineSession)
        case remote(SessionHandle, InboundCredit)
    }

    private enum State { case open, closing, closed }

    /// A message whose last fragment has not come. Hardly any connection ever has one.
    private final class Fragments {
        let isText: Bool
        var payload: ByteBuffer
        var count = 1

        init(isText: Bool, payload: ByteBuffer) {
            self.isText = isText
            self.payload = payload
        }
    }

    let id: Int
    let loop: EngineLoop
    // Unchecked for the same reason as those of ``EngineSession``.
    @exclusivity(unchecked) private var owner = Owner.nobody
    @exclusivity(unchecked) private var state = State.open
    @exclusivity(unchecked) private var context: ChannelHandlerContext?
    @exclusivity(unchecked) private var reader: WebSocketFrameReader
    @exclusivity(unchecked) private var fragments: Fragments?
    /// What a session on another event loop is told at the end of this read.
    @exclusivity(unchecked) private var inbox: [WebSocketEvent] = []
    @exclusivity(unchecked) private(set) var isWritable = true
    /// Whether no other handler wants to see what is written.
    private let ownsPipeline: Bool
    /// Writes that the channel has not finished. Only if there are none may anything go past it.
    @exclusivity(unchecked) private var unfinishedWrites: Int32 = 0
    private var unfinishedPongs: Int8 = 0
    /// The answers to the pings of this read: the first ones and the latest.
    @exclusivity(unchecked) private var pongs: [ByteBuffer] = []
    /// The connection's socket, once the channel has written all that came before; -1 if unknown or closed.
    @exclusivity(unchecked) private var file: CInt = -1
    private var isReading = true
    /// Whether the session's event loop has enough to do already.
    private var isBackedUp = false
    private var hasPendingRead = false
    /// Whether handlers of another server are behind this one, for which the connection is idle.
    private var refusesClose: Bool
    var wheelPosition = TimerWheel.Position()

    init(loop: EngineLoop, othersAreBehind: Bool = false, ownsPipeline: Bool = false) {
        self.ownsPipeline = ownsPipeline
        self.id = PollingExchange.nextID()
        self.loop = loop
        self.reader = WebSocketFrameReader(maxPayload: loop.context.configuration.maxHTTPBufferSize)
        self.refusesClose = othersAreBehind
    }

    /// Says whose connection this is; called once, before the first frame.
    func attach(to session: EngineSession) {
        owner = .local(session)
    }

    /// Says whose connection this is, when the session lives on another event loop.
    func attach(to session: SessionHandle) {
        owner = .remote(session, InboundCredit())
    }

    /// The session knows the connection. It may have ended already, while the answer to the handshake was written.
    func didAttach() {
        guard state == .closed else { return }
        tell(.closed(isError: true), atOnce: true)
        owner = .nobody
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        isWritable = context.channel.isWritable
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        gone(isError: false)
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        let freed = reader.bufferedBytes + (fragments?.payload.readableBytes ?? 0)
        gone(isError: false)
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
        sendInbox()
        if !pongs.isEmpty { sendPongs() }
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if state == .open { tell(.written(bytes: 0, isWritable: isWritable), atOnce: true) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed: context.close(promise: nil)
        case is ConnectionCut:
            refusesClose = false
            context.close(promise: nil)
        case is ChannelShouldQuiesceEvent:
            if state == .open { tell(.quiesce, atOnce: true) }
        default: break
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard refusesClose, state == .open else { return context.close(mode: mode, promise: promise) }
        promise?.fail(ChannelError.operationUnsupported)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    /// What came with the request has been read, which no end of a read tells.
    func leftoversRead() {
        sendInbox()
        if !pongs.isEmpty { sendPongs() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let read = Self.unwrapInboundIn(data)
        defer { loop.giveBack(read) }
        var bytes = reader.begin(read)
        do {
            while let frame = try reader.next(from: &bytes) { received(frame, context: context) }
            reader.end(bytes)
        } catch {
            if state == .open { fail(error == .messageTooLarge ? .messageTooLarge : .protocolError) }
        }
    }

    private func received(_ frame: WebSocketClientFrame, context: ChannelHandlerContext) {
        guard state == .open else {
            if frame.opcode == .close { context.close(promise: nil) }
            return
        }
        switch frame.opcode {
        case .text, .binary: messageBegan(frame)
        case .continuation: messageWentOn(frame)
        case .ping: answerPing(frame)
        case .pong: break
        case .close: closedByClient(frame)
        }
    }
}

// MARK: - Messages

extension EngineWebSocketHandler {
    private func messageBegan(_ frame: WebSocketClientFrame) {
        guard fragments == nil else { return fail(.protocolError) }
        let payload = frame.payload.webSocketUnmasked(frame.mask)
        if frame.isFinal {
            deliver(payload, isText: frame.opcode == .text)
        } else {
            fragments = Fragments(isText: frame.opcode == .text, payload: payload)
        }
    }

    private func messageWentOn(_ frame: WebSocketClientFrame) {
        let configuration = loop.context.configuration
        guard let message = fragments else { return fail(.protocolError) }
        message.count += 1
        guard message.count <= configuration.limits.fragmentsPerMessage else { return fail(.policyViolation) }
        guard message.payload.readableBytes + frame.payload.readableBytes <= configuration.maxHTTPBufferSize else {
            return fail(.messageTooLarge)
        }
        frame.payload.writeWebSocketUnmasked(frame.mask, to: &message.payload)
        guard frame.isFinal else { return }
        fragments = nil
        deliver(message.payload, isText: message.isText)
    }

    private func deliver(_ message: ByteBuffer, isText: Bool) {
        if isText, !message.isValidUTF8 { return fail(.invalidData) }
        if case .local(let session) = owner {
            session.webSocketMessage(id, message, isText: isText)
        } else {
            inbox.append(isText ? .text(message) : .binary(message))
        }
    }

    private func tell(_ event: WebSocketEvent, atOnce: Bool = false) {
        switch owner {
        case .nobody: break
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

    private func answerPing(_ frame: WebSocketClientFrame) {
        if pongs.count == Self.mostPongs { pongs.removeLast() }
        pongs.append(Self.controlFrame(0x8a, frame.payload.webSocketUnmasked(frame.mask)))
    }

    /// Answers the pings of a read together: it may have been thousands.
    private func sendPongs() {
        let frames = pongs
        pongs = []
        // A client that sends pings and reads nothing gets no answers.
        guard state == .open, isWritable, unfinishedPongs < Self.mostPongs, let context else { return }
        var all = ByteBuffer()
        for frame in frames { all.writeImmutableBuffer(frame) }
        unfinishedPongs += 1
        if ownsPipeline { unfinishedWrites += 1 }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in
            self.unfinishedPongs -= 1
            if self.ownsPipeline { self.writeFinished() }
        }
        context.writeAndFlush(Self.wrapOutboundOut(all), promise: promise)
    }

    private static func controlFrame(_ firstByte: UInt8, _ payload: ByteBuffer) -> ByteBuffer {
        var frame = ByteBuffer(bytes: [firstByte, UInt8(truncatingIfNeeded: payload.readableBytes)])
        frame.writeImmutableBuffer(payload)
        return frame
    }
}

extension ByteBuffer {
    /// Whether a close frame may carry this (RFC 6455, section 7.4).
    fileprivate var hasValidCloseCode: Bool {
        switch getInteger(at: readerIndex, as: UInt16.self) {
        case 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014: true
        case .some(let code): code >= 3000 && code < 5000
        case nil: false
        }
    }
}

// MARK: - Session's side

extension EngineWebSocketHandler {
    /// Writes frames; they leave with the next ``flush()``.
    func write(_ frames: ByteBuffer) {
        guard state == .open, let context else { return }
        guard ownsPipeline else { return context.write(Self.wrapOutboundOut(frames), promise: nil) }
        unfinishedWrites += 1
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in self.writeFinished() }
        context.write(Self.wrapOutboundOut(frames), promise: promise)
    }

    private func writeFinished() {
        unfinishedWrites -= 1
        guard file < 0, unfinishedWrites == 0, state == .open, let context else { return }
        let handle = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { $0 }
        if let handle = handle ?? nil { file = handle }
    }

    /// Writes frames and flushes, past the channel if it has nothing left to write: its own way to the same system call is longer than the call.
    ///
    /// What the socket does not take goes through the channel, which then knows that it has to wait, or that the connection has failed.
    func send(_ frames: ByteBuffer) {
        var rest = frames
        rest.moveReaderIndex(forwardBy: sendAtOnce(frames))
        guard rest.readableBytes > 0 else { return }
        write(rest)
        flush()
    }

    /// Writes as much as the socket takes, past the channel if it has nothing left to write.
    ///
    /// - Returns: How many bytes were written.
    func sendAtOnce(_ frames: ByteBuffer) -> Int {
        // The channel closes its file and becomes inactive in one step, so this one cannot be somebody else's.
        guard file >= 0, unfinishedWrites == 0, state == .open, let context, context.channel.isActive else { return 0 }
        return frames.withUnsafeReadableBytes { socketio_send(file, $0.baseAddress, UInt($0.count)) }
    }

    /// Sends the first bytes of a connection over which nothing has been sent.
    ///
    /// - Parameter file: The connection's socket; -1 if unknown.
    func begin(_ frames: ByteBuffer, file: CInt) {
        if ownsPipeline { self.file = file }
        send(frames)
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
        tell(.written(bytes: bytes, isWritable: isWritable), atOnce: true)
    }

    func setReading(_ isReading: Bool) {
        self.isReading = isReading
        readIfPending()
    }

    private func readIfPending() {
        guard isReading, !isBackedUp, hasPendingRead else { return }
        hasPendingRead = false
        context?.read()
    }

    /// The session has let go of this connection.
    func closeFromSession(_ code: WebSocketCloseCode) {
        owner = .nobody
        close(code)
    }
}

// MARK: - Close

extension EngineWebSocketHandler: TimerWheelItem {
    func deadlineReached(now: NIODeadline) {
        context?.close(promise: nil)
    }

    private func fail(_ code: WebSocketCloseCode) {
        tell(.closed(isError: true), atOnce: true)
        owner = .nobody
        close(code)
    }

    /// Sends a close frame and waits a while for the client's; a connection cut at once could lose what was sent before.
    private func close(_ code: WebSocketCloseCode) {
        guard state == .open, let context else { return }
        var payload = ByteBuffer()
        payload.writeInteger(code.rawValue)
        write(Self.controlFrame(0x88, payload))
        context.flush()
        state = .closing
        fragments = nil
        // Nobody counts what is read from now on; only the client's close frame is of interest.
        isBackedUp = false
        setReading(true)
        loop.schedule(self, at: loop.eventLoop.now + Self.closeTimeout)
    }

    private func closedByClient(_ frame: WebSocketClientFrame) {
        guard let context else { return }
        let payload = frame.payload.webSocketUnmasked(frame.mask)
        guard payload.readableBytes == 0 || payload.hasValidCloseCode else { return fail(.protocolError) }
        write(Self.controlFrame(0x88, payload.getSlice(at: 0, length: 2) ?? ByteBuffer()))
        context.flush()
        state = .closing
        tell(.closed(isError: false), atOnce: true)
        owner = .nobody
        context.close(promise: nil)
    }

    private func gone(isError: Bool) {
        guard state != .closed else { return }
        state = .closed
        file = -1
        reader.discard()
        fragments = nil
        sendInbox()
        tell(.closed(isError: isError), atOnce: true)
        owner = .nobody
        loop.schedule(self, at: nil)
    }
}
