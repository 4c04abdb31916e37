// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import DequeModule
public import EngineIOCore
import Logging
public import NIOCore
import SocketIOConcurrency
import SocketIOText

/// One client's session, from its handshake to its close, whatever transport carries it.
///
/// A session belongs to the event loop of its handshake: every member may only be used there.
/// Wrap it in `NIOLoopBound` to carry it elsewhere.
public final class EngineSession {
    /// The state of a session, by Engine.IO's names.
    public enum ReadyState: Sendable {
        /// Packets flow.
        case open
        /// The server is closing it: what is queued is still being sent, nothing else is accepted.
        case closing
        /// It has ended.
        case closed
    }

    /// An item of the send buffer.
    enum Outgoing {
        case message(EncodedPacket)
        case ping

        var byteCount: Int {
            switch self {
            case .message(let packet): packet.byteCount
            case .ping: 3
            }
        }
    }

    /// The state that only a polling session needs; released by the upgrade.
    final class Polling {
        var poll: PollingExchange?
        var post: PollingExchange?
        var candidate: WebSocketLink?
        /// The rest of a POST whose packets take more than one turn of the event loop.
        var undelivered: EnginePayloadDecoder?
        /// Whether the POST has been read and waits for reading to go on.
        var postIsHeldBack = false
        /// The poll whose answer the client has not taken, and the size of the answer, which still counts as part of the send buffer.
        var unwritten: (id: Int, bytes: Int)?
        /// Whether a task will deliver a portion of ``undelivered``.
        var portionIsScheduled = false
        /// The client of the latest poll has closed its side of the connection. It may only have half-closed it, or be gone: until then it
        /// must get an answer, or poll again once it has one.
        var returnDeadline: NIODeadline?
    }

    /// How many bytes a session sends in one tick before the rest waits in the send buffer.
    private static let tickHighWater = 64 << 10
    /// How long a poll waits for packets after its client has half-closed the connection.
    static let halfClosedPollTime = TimeAmount.seconds(2)
    /// How long such a client may take to poll again.
    static let returnTime = TimeAmount.seconds(3)

    /// The session id, a secret of client and server: do not log it.
    public let id: String
    /// The request that opened the session.
    public let handshake: EngineHandshake
    let loop: EngineLoop
    // Every packet uses these, on the loop only, and no statement that changes one of them calls other code. A check at run time that two
    // accesses do not overlap would take a third of the instructions for sending a packet to one more client.
    @exclusivity(unchecked) var machine: EngineSessionStateMachine
    @exclusivity(unchecked) var webSocket: WebSocketLink?
    var polling: Polling?
    @exclusivity(unchecked) var delegate: (any EngineSessionDelegate)?
    @exclusivity(unchecked) var queue = Deque<Outgoing>()
    @exclusivity(unchecked) var queuedBytes = 0
    var closeReason: EngineCloseReason?
    var wheelPosition = TimerWheel.Position()
    /// The frames of this tick for the WebSocket: a range of the loop's log, and its size. They go before ``queue``.
    @exclusivity(unchecked) private var pending = 0..<0
    @exclusivity(unchecked) private var pendingBytes = 0
    @exclusivity(unchecked) private(set) var isDirty = false
    private var isReadingPaused = false
    @exclusivity(unchecked) private var owesDrain = false
    @exclusivity(unchecked) private var hasOverflowed = false

    init(
        id: String,
        handshake: EngineHandshake,
        loop: EngineLoop,
        transport: EngineSessionStateMachine.Transport
    ) {
        self.id = id
        self.handshake = handshake
        self.loop = loop
        self.machine = EngineSessionStateMachine(transport: transport, now: loop.heartbeatTime, timing: loop.context.timing)
        if transport == .polling { self.polling = Polling() }
    }

    /// The event loop that the session lives on.
    public var eventLoop: any EventLoop { loop.eventLoop }

    // MARK: Sending

    /// Sends a packet. The bytes leave at the end of the event loop's current tick at the latest, after everything sent before: a packet
    /// that several sessions send is written at once if the last ticks had one packet each.
    ///
    /// If the client does not read, the packet waits in the send buffer; when that is full, the session is closed with
    /// ``EngineCloseReason/sendBufferFull`` at the end of the tick. After ``close(_:)`` nothing is accepted any more.
    public func send(_ packet: EncodedPacket) {
        guard case .open = machine.phase else { return }
        if webSocket != nil, isWritable {
            let isShared = writeInTick(packet.frames)
            if isShared, !isDirty, loop.writesEarly {
                loop.writeFirstEarly()
                if writeEarly() { return }
            }
        } else {
            enqueue(.message(packet))
        }
        markDirty()
    }

    /// Writes frames that leave at the end of the tick.
    ///
    /// - Returns: Whether the session before sent the same.
    @discardableResult
    private func writeInTick(_ frames: ByteBuffer) -> Bool {
        let size = frames.readableBytes
        loop.tally.packetsSent += 1
        loop.tally.bytesSent += size
        let logged = loop.log.end
        let position = loop.log.append(frames)
        if pending.upperBound != position || pending.isEmpty {
            // Others have sent something else in between.
            writePending()
            pending = position..<(position + 1)
        } else {
            pending = pending.lowerBound..<(position + 1)
        }
        pendingBytes += size
        return position < logged
    }

    /// Hands the socket the only packet that this tick has so far.
    ///
    /// - Returns: Whether nothing is left for the end of the tick.
    private func writeEarly() -> Bool {
        guard pending.count == 1, let webSocket else { return false }
        var frames = loop.log[pending.lowerBound]
        let sent = webSocket.sendAtOnce(frames)
        guard sent > 0 else { return false }
        pending = 0..<0
        pendingBytes = 0
        frames.moveReaderIndex(forwardBy: sent)
        if frames.readableBytes == 0 { return true }
        webSocket.write(frames)
        return false
    }

    /// The same for the session that sent the packet first. It stays in the list of those that are flushed at the end of the tick.
    func writeEarlyIfAlone() {
        guard pending.count == 1, queue.isEmpty else { return }
        _ = writeEarly()
    }

    /// Hands the frames of this tick to the channel.
    private func writePending() {
        let range = pending
        if let frames = takePending() {
            webSocket?.write(frames)
        } else {
            pending = 0..<0
            pendingBytes = 0
            guard let webSocket else { return }
            for position in range { webSocket.write(loop.log[position]) }
        }
    }

    /// Takes the frames of this tick as one buffer; nil, and nothing is taken, if there are none or they are too large for one.
    private func takePending() -> ByteBuffer? {
        guard !pending.isEmpty, let frames = loop.log.frames(pending, bytes: pendingBytes) else { return nil }
        // Before it is written, because a write can change the connection's writability, and with it come back here.
        pending = 0..<0
        pendingBytes = 0
        return frames
    }

    /// Sends a packet if the client can take it now, and drops it otherwise.
    ///
    /// - Returns: Whether it was sent: false if no poll is waiting, the connection is not writable or the session is not open.
    @discardableResult
    public func sendVolatile(_ packet: EncodedPacket) -> Bool {
        guard machine.phase == .open, isWritable else {
            loop.tally.volatileDropped += 1
            loop.scheduleFlush()
            return false
        }
        send(packet)
        return true
    }

    private func enqueue(_ item: Outgoing) {
        let limits = loop.context.configuration.limits
        guard queue.count < limits.sendBufferPackets, bufferedBytes + item.byteCount <= limits.sendBufferBytes else { return overflow() }
        queue.append(item)
        queuedBytes += item.byteCount
        loop.tally.buffered += item.byteCount
        if queue.count > limits.sendBufferLowWater { owesDrain = true }
    }

    /// A gap in the client's messages would be worse than the end of its session.
    private func overflow() {
        hasOverflowed = true
        dropQueue()
        if machine.beginClose(now: loop.eventLoop.now, timing: loop.context.timing) { closeReason = .sendBufferFull }
    }

    private func dropQueue() {
        loop.tally.buffered -= queuedBytes
        queuedBytes = 0
        queue = Deque()
    }

    func markDirty() {
        guard !isDirty else { return }
        isDirty = true
        loop.markDirty(self)
    }

    // MARK: Flushing

    /// Sends everything that this tick has collected.
    func flush() {
        isDirty = false
        guard machine.phase != .closed else { return }
        if hasOverflowed { return finish(.sendBufferFull, code: .policyViolation) }
        if let webSocket {
            flush(to: webSocket)
        } else {
            answerPoll()
        }
        if owesDrain, queue.isEmpty, machine.phase == .open, polling?.unwritten == nil {
            owesDrain = false
            delegate?.sessionDidDrain(self)
        }
    }

    private func flush(to webSocket: WebSocketLink) {
        if queue.isEmpty, let frames = takePending() {
            webSocket.send(frames, from: loop)
        } else {
            writePending()
            flushQueue(to: webSocket)
        }
        if machine.phase == .closing, queue.isEmpty { finish(closeReason ?? .forcedClose, code: .normal) }
    }

    private func flushQueue(to webSocket: WebSocketLink) {
        while webSocket.isWritable, let item = popQueue() {
            switch item {
            case .message(let packet): webSocket.write(packet.frames)
            case .ping: webSocket.write(EngineFrames.ping)
            }
        }
        webSocket.flush(from: loop)
    }

    private func popQueue() -> Outgoing? {
        guard let item = queue.popFirst() else { return nil }
        queuedBytes -= item.byteCount
        loop.tally.buffered -= item.byteCount
        loop.tally.packetsSent += 1
        loop.tally.bytesSent += item.byteCount
        if queue.isEmpty, owesDrain { queue = Deque() }
        return item
    }

    /// Answers the parked poll with what is queued; a closing session ends with it. It waits until the client has taken the answer to the
    /// poll before.
    private func answerPoll() {
        guard machine.isPollParked, polling?.unwritten == nil, !queue.isEmpty || machine.phase == .closing else { return }
        let limit = loop.context.configuration.maxHTTPBufferSize
        var payload = ByteBuffer()
        payload.reserveCapacity(min(queuedBytes, limit))
        while let next = queue.first, payload.readableBytes == 0 || payload.readableBytes + next.pollingByteCount < limit {
            _ = popQueue()
            next.writePolling(to: &payload)
        }
        guard machine.phase == .closing, queue.isEmpty else { return answerPoll(payload) }
        if payload.readableBytes > 0 { payload.writeInteger(UInt8(0x1e)) }
        payload.writeString("1")
        answerPoll(payload)
        finish(closeReason ?? .forcedClose, code: .normal)
    }

    func answerPoll(_ payload: ByteBuffer) {
        guard let polling, let poll = polling.poll else { return }
        polling.poll = nil
        if polling.unwritten == nil { polling.unwritten = (poll.id, payload.readableBytes) }
        if polling.returnDeadline != nil { setReturnDeadline(in: Self.returnTime) }
        machine.pollAnswered()
        poll.answer(.payload(payload), from: loop)
    }

    // MARK: Closing

    /// Closes the session after everything queued has been sent: a polling client gets it, and the close, with its next poll.
    ///
    /// - Parameter reason: What the delegate gets when the session has closed.
    public func close(_ reason: EngineCloseReason = .forcedClose) {
        guard machine.beginClose(now: loop.eventLoop.now, timing: loop.context.timing) else { return }
        closeReason = reason
        updateTimer()
        markDirty()
    }

    /// The HTTP server shuts down. Closes the session, at a random time so that not all clients reconnect at once, unless the delegate
    /// closes all sessions.
    func quiesce() {
        guard !loop.context.delegate.engineServerShouldDrain() else { return }
        let duration = TimeAmount(loop.context.configuration.quiesceDuration)
        guard duration > .zero else { return close(.serverShuttingDown) }
        let delay = TimeAmount.nanoseconds(.random(in: 0...duration.nanoseconds))
        eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in self?.close(.serverShuttingDown) }
    }

    /// Closes the session at once and drops what is queued.
    ///
    /// - Parameter reason: What the delegate gets, before this returns.
    public func discard(_ reason: EngineCloseReason = .forcedClose) {
        finish(reason, code: .normal)
    }

    /// The session has ended: releases everything.
    ///
    /// - Parameters:
    ///   - reason: What the delegate gets.
    ///   - code: What a WebSocket client gets.
    ///   - pollAnswer: What the parked poll gets: a close packet, or a noop if the client itself ended the session.
    func finish(_ reason: EngineCloseReason, code: WebSocketCloseCode, pollAnswer: String = "1") {
        guard machine.finishClose() else { return }
        answerPoll(ByteBuffer(string: pollAnswer))
        // A POST that has been read was carried out, at least in part.
        answerPost(polling?.postIsHeldBack == true || polling?.undelivered != nil ? .ok : .refused(.sessionEnded))
        polling?.candidate?.close(.normal, from: loop)
        writePending()
        webSocket?.close(code, from: loop)
        loop.context.trimmer.freed(bufferedBytes, on: loop.eventLoop)
        polling = nil
        webSocket = nil
        dropQueue()
        loop.schedule(self, at: nil)
        loop.context.metrics.sessionClosed(reason)
        loop.context.logger.debug("a session closed", metadata: [LogKey.reason: "\(reason)"])
        let delegate = delegate
        self.delegate = nil
        delegate?.session(self, didCloseWith: reason)
        // A task that waits until no session is left may rely on all delegates having been notified.
        loop.context.registry.remove(id)
    }

    // MARK: Back-pressure

    /// Stops reading from the client. No pong is awaited meanwhile, up to ``EngineConfiguration/Limits/readPause``.
    ///
    /// Messages that have been read already are still delivered. A polling client's POST is answered only when reading resumes.
    public func pauseReading() {
        guard !isReadingPaused, machine.phase != .closed else { return }
        isReadingPaused = true
        machine.readingPaused(now: loop.eventLoop.now)
        webSocket?.setReading(false, from: loop)
        updateTimer()
    }

    /// Reads from the client again.
    public func resumeReading() {
        guard isReadingPaused, machine.phase != .closed else { return }
        isReadingPaused = false
        machine.readingResumed(now: loop.eventLoop.now, timing: loop.context.timing)
        webSocket?.setReading(true, from: loop)
        if polling?.postIsHeldBack == true { answerPost(.ok) }
        // Not here: the application resumes reading from within its handlers.
        scheduleRest(after: .zero)
        updateTimer()
    }

    /// Whether POSTs are to be answered later and WebSockets not to be read.
    var holdsBackReading: Bool { isReadingPaused }

    func answerPost(_ answer: PollingExchange.Answer) {
        guard let post = polling?.post else { return }
        polling?.post = nil
        polling?.postIsHeldBack = false
        machine.postEnded()
        post.answer(answer, from: loop)
        if webSocket != nil { polling = nil }
    }

    // MARK: State

    /// The state of the session.
    public var readyState: ReadyState {
        switch machine.phase {
        case .open: .open
        case .closing: .closing
        case .closed: .closed
        }
    }

    /// The transport in use, `polling` or `websocket`.
    public var transportName: String { machine.transport == .polling ? "polling" : "websocket" }

    /// Whether a packet sent now would leave at the end of this tick.
    public var isWritable: Bool {
        if let webSocket { return queue.isEmpty && pendingBytes < Self.tickHighWater && webSocket.isWritable }
        return machine.isPollParked && polling?.unwritten == nil
    }

    /// The packets waiting in the send buffer.
    public var bufferedPackets: Int { queue.count }
    /// The bytes waiting in the send buffer, with those of the answer to a poll that the client has not taken.
    public var bufferedBytes: Int { queuedBytes + (polling?.unwritten?.bytes ?? 0) }
    /// How many pings were sent so far. A pong for ping number n means that everything that was sent while this was below n has arrived.
    public var pingsSent: Int { machine.pingsSent }
}

extension EngineSession: TimerWheelItem {
    func updateTimer() {
        var deadline = machine.deadline(timing: loop.context.timing)
        if let limit = polling?.returnDeadline { deadline = min(deadline ?? limit, limit) }
        loop.schedule(self, at: deadline)
    }

    func setReturnDeadline(in time: TimeAmount) {
        polling?.returnDeadline = loop.eventLoop.now + time
        updateTimer()
    }

    func deadlineReached(now: NIODeadline) {
        if let limit = polling?.returnDeadline, now >= limit { clientHasNotReturned() }
        while true {
            switch machine.timeout(now: now, timing: loop.context.timing) {
            case .none: return updateTimer()
            case .sendPing: sendPing()
            case .sendNoop: answerPoll(ByteBuffer(string: "6"))
            case .closeCandidate: closeCandidate()
            case .close(let cause): finish(cause.reason, code: .normal)
            case .finishClose: finish(closeReason ?? .forcedClose, code: .normal)
            }
        }
    }

    private func sendPing() {
        if webSocket != nil, isWritable {
            writeInTick(EngineFrames.ping)
        } else {
            enqueue(.ping)
        }
        markDirty()
    }

    func closeCandidate() {
        let candidate = polling?.candidate
        polling?.candidate = nil
        candidate?.close(.normal, from: loop)
    }
}

extension EngineSession.Outgoing {
    var pollingByteCount: Int {
        switch self {
        case .message(let packet): packet.pollingByteCount
        case .ping: 1
        }
    }

    func writePolling(to payload: inout ByteBuffer) {
        switch self {
        case .message(let packet): packet.writePolling(to: &payload)
        case .ping:
            if payload.readableBytes > 0 { payload.writeInteger(UInt8(0x1e)) }
            payload.writeInteger(UInt8(ascii: "2"))
        }
    }
}

extension EngineSessionStateMachine.CloseCause {
    var reason: EngineCloseReason {
        switch self {
        case .transportClose: .transportClose
        case .transportError: .transportError
        case .pingTimeout: .pingTimeout
        case .parseError: .parseError
        }
    }
}

/// The WebSocket frames that are the same for every client.
enum EngineFrames {
    static let ping = ByteBuffer.webSocketFrame(WebSocketFrameHeader.text, ByteBuffer(string: "2"))
    static let probePong = ByteBuffer.webSocketFrame(WebSocketFrameHeader.text, ByteBuffer(string: "3probe"))
}
