// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore

/// Input from the session's connections.
extension EngineSession {
    /// How much of a POST one turn of the event loop processes: a quarter of a WebSocket's read, as the parts are not read one by one.
    private static let bytesPerPortion = 16 << 10
    private static let packetsPerPortion = 100

    /// The handshake has been answered: the session starts.
    func didOpen() {
        delegate = loop.context.delegate.engineServer(didOpen: self)
        updateTimer()
    }

    // MARK: Long-polling

    /// A GET arrived.
    func pollArrived(_ exchange: PollingExchange) {
        let now = loop.eventLoop.now
        if machine.isOverdue(now: now, timing: loop.context.timing) { deadlineReached(now: now) }
        switch machine.pollArrived() {
        case .park:
            polling?.poll = exchange
            if polling?.returnDeadline != nil {
                polling?.returnDeadline = nil
                updateTimer()
            }
            markDirty()
        case .refuseUnknown: exchange.answer(.refused(.sessionEnded), from: loop)
        case .refuseTransport: exchange.answer(.refused(.transportMismatch), from: loop)
        case .overlap:
            exchange.answer(.refused(.overlap), from: loop)
            finish(.transportError, code: .normal)
        }
    }

    /// The client's system has all of the answer to a GET.
    func pollWritten(_ id: Int) {
        guard let polling, polling.unwritten?.id == id else { return }
        polling.unwritten = nil
        markDirty()
    }

    /// The client of a GET that waits for packets has half-closed its connection, or is gone, which looks the same. It gets what arrives
    /// within a short time, and must then poll again on another connection.
    func pollHalfClosed(_ id: Int) {
        guard webSocket == nil, polling?.poll?.id == id else { return }
        setReturnDeadline(in: Self.halfClosedPollTime)
    }

    func clientHasNotReturned() {
        guard polling?.poll == nil else { return answerPoll(ByteBuffer(string: "6")) }
        polling?.returnDeadline = nil
        finish(.transportError, code: .normal)
    }

    /// The connection of a GET has ended before the client had all of an answer.
    func pollAborted(_ id: Int) {
        guard let polling, polling.poll?.id == id || polling.unwritten?.id == id else { return }
        polling.unwritten = nil
        if polling.poll?.id == id {
            polling.poll = nil
            machine.pollAnswered()
        }
        // After an upgrade the session no longer depends on it.
        guard webSocket == nil else { return }
        finish(.transportError, code: .normal)
    }

    /// The head of a POST arrived.
    func postArrived(_ exchange: PollingExchange, isBinary: Bool) {
        switch machine.postArrived() {
        case .accept where isBinary:
            polling?.post = exchange
            answerPost(.refused(.invalidPayload))
            finish(.transportError, code: .normal)
        case .accept: polling?.post = exchange
        case .refuseUnknown: exchange.answer(.refused(.sessionEnded), from: loop)
        case .refuseTransport: exchange.answer(.refused(.transportMismatch), from: loop)
        case .overlap:
            exchange.answer(.refused(.overlap), from: loop)
            polling?.post?.answer(.refused(.overlap), from: loop)
            finish(.transportError, code: .normal)
        }
    }

    /// A POST has been read.
    func postCompleted(_ id: Int, payload: ByteBuffer) {
        guard let polling, let post = polling.post, post.id == id, polling.undelivered == nil, !polling.postIsHeldBack else { return }
        loop.tally.bytesReceived += payload.readableBytes
        loop.scheduleFlush()
        if payload.isValidUTF8 {
            deliver(EnginePayloadDecoder(payload, maximumPackets: loop.context.configuration.limits.packetsPerPayload), of: post)
        } else {
            polling.post = nil
            post.answer(.refused(.invalidPayload), from: loop)
            finish(.parseError, code: .normal)
        }
    }

    /// Delivers packets of a POST, of which one turn of the event loop takes a portion only: others wait. While reading is paused, no more
    /// of them are delivered, as none would be read from a WebSocket.
    ///
    /// - Parameter isUrgent: Whether they are delivered also while reading is paused.
    private func deliver(_ packets: EnginePayloadDecoder, of post: PollingExchange, isUrgent: Bool = false) {
        var packets = packets
        // No effect of the packets may answer it: it is answered here, after all of them.
        polling?.post = nil
        guard deliverPortion(of: &packets, isUrgent: isUrgent) else {
            post.answer(.refused(.invalidPayload), from: loop)
            return finish(.parseError, code: .normal)
        }
        guard machine.phase != .closed else { return post.answer(.ok, from: loop) }
        polling?.post = post
        if !packets.isAtEnd {
            polling?.undelivered = packets
            scheduleRest()
        } else if holdsBackReading, machine.phase == .open {
            polling?.postIsHeldBack = true
        } else {
            answerPost(.ok)
        }
    }

    /// Delivers the next portion of a POST later, unless reading is paused.
    ///
    /// - Parameter pause: How long the event loop serves others before. A task without a pause runs before anything is read or written.
    func scheduleRest(after pause: TimeAmount = EngineLoop.pause) {
        guard let polling, polling.undelivered != nil, !polling.portionIsScheduled, !holdsBackReading else { return }
        polling.portionIsScheduled = true
        eventLoop.assumeIsolated().scheduleTask(in: pause) { self.deliverRest() }
    }

    private func deliverRest() {
        // The session may have ended meanwhile, and answered the POST.
        guard let polling else { return }
        polling.portionIsScheduled = false
        guard !holdsBackReading, let post = polling.post, let rest = polling.undelivered.take() else { return }
        loop.scheduleFlush()
        deliver(rest, of: post)
    }

    /// - Returns: Whether all of it could be parsed.
    private func deliverPortion(of packets: inout EnginePayloadDecoder, isUrgent: Bool) -> Bool {
        let enough = (packets: packets.packetsLeft - Self.packetsPerPortion, bytes: packets.bytesLeft - Self.bytesPerPortion)
        while machine.phase != .closed, isUrgent || !holdsBackReading, packets.packetsLeft > enough.packets,
            packets.bytesLeft > enough.bytes, let element = packets.next()
        {
            guard case .packet(let packet) = element else { return false }
            if packet == .close {
                finish(.transportClose, code: .normal, pollAnswer: "6")
            } else {
                received(packet)
            }
        }
        return true
    }

    /// A POST was too large and has been answered so. As in the reference server, the session goes on until the client ends it: a close
    /// packet in the same moment would let the client report either, by chance.
    func postRefused(_ id: Int) {
        guard polling?.post?.id == id else { return }
        polling?.post = nil
        machine.postEnded()
        if webSocket != nil { polling = nil }
    }

    /// A POST could not be read to its end.
    func postFailed(_ id: Int) {
        guard polling?.post?.id == id else { return }
        polling?.post = nil
        machine.postEnded()
        // After an upgrade the session no longer depends on it.
        guard webSocket == nil else { return polling = nil }
        finish(.transportError, code: .normal)
    }

    // MARK: WebSocket

    /// A WebSocket for this session was opened, and wants to replace polling.
    func candidateArrived(_ link: WebSocketLink) {
        guard machine.candidateArrived(now: loop.eventLoop.now, timing: loop.context.timing) else {
            return link.close(.normal, from: loop)
        }
        polling?.candidate = link
        updateTimer()
    }

    /// A message over a WebSocket of this event loop; what ``webSocket(_:event:)`` does, without an event for it.
    func webSocketMessage(_ id: Int, _ message: ByteBuffer, isText: Bool) {
        if case .local(let handler) = webSocket, handler.id == id {
            if isText { receivedText(message) } else { receivedBinary(message) }
        } else {
            webSocket(id, event: isText ? .text(message) : .binary(message))
        }
    }

    /// An event of the WebSocket with this id, which may be the transport, the candidate or a WebSocket that is no longer used.
    func webSocket(_ id: Int, event: WebSocketEvent) {
        if let webSocket, webSocket.id == id {
            transportEvent(event, webSocket)
        } else if let candidate = polling?.candidate, candidate.id == id {
            candidateEvent(event, candidate)
        }
    }

    private func transportEvent(_ event: WebSocketEvent, _ link: WebSocketLink) {
        switch event {
        case .text(let text): receivedText(text)
        case .binary(let message): receivedBinary(message)
        case .closed(let isError):
            webSocket = nil
            finish(isError ? .transportError : .transportClose, code: .normal)
        case .quiesce: quiesce()
        case .written(let bytes, let isWritable):
            if case .remote(let remote) = link { remote.confirmed(bytes: bytes, isWritable: isWritable) }
            if isWritable, !queue.isEmpty { markDirty() }
        }
    }

    /// A text message over the session's WebSocket, with its packet type.
    func receivedText(_ text: ByteBuffer) {
        loop.tally.bytesReceived += text.readableBytes
        loop.scheduleFlush()
        if text.readableBytes > 0, text.getInteger(at: text.readerIndex, as: UInt8.self) == UInt8(ascii: "4") {
            guard machine.acceptsMessage() else { return }
            var message = text
            message.moveReaderIndex(forwardBy: 1)
            loop.tally.packetsReceived += 1
            delegate?.session(self, didReceiveText: message)
        } else {
            received(EnginePacket.decode(text))
        }
    }

    /// A binary message over the session's WebSocket.
    func receivedBinary(_ message: ByteBuffer) {
        loop.tally.bytesReceived += message.readableBytes
        loop.scheduleFlush()
        guard machine.acceptsMessage() else { return }
        loop.tally.packetsReceived += 1
        delegate?.session(self, didReceiveBinary: message)
    }

    private func received(_ packet: EnginePacket?) {
        loop.tally.packetsReceived += 1
        switch machine.received(packet, now: loop.heartbeatTime, timing: loop.context.timing) {
        case .none: break
        case .deliverText(let message): delegate?.session(self, didReceiveText: message)
        case .deliverBinary(let message): delegate?.session(self, didReceiveBinary: message)
        case .pong(let number):
            updateTimer()
            delegate?.session(self, didReceivePongFor: number)
        case .close(let cause): finish(cause.reason, code: .normal)
        }
    }

    // MARK: Upgrade

    private func candidateEvent(_ event: WebSocketEvent, _ link: WebSocketLink) {
        switch event {
        case .text(let text): candidateReceived(EnginePacket.decode(text), link)
        case .binary: candidateReceived(nil, link)
        case .closed:
            polling?.candidate = nil
            machine.candidateClosed()
            updateTimer()
        case .quiesce:
            machine.candidateClosed()
            closeCandidate()
        case .written(let bytes, let isWritable):
            if case .remote(let remote) = link { remote.confirmed(bytes: bytes, isWritable: isWritable) }
        }
    }

    private func candidateReceived(_ packet: EnginePacket?, _ link: WebSocketLink) {
        switch machine.candidateReceived(packet, now: loop.eventLoop.now, timing: loop.context.timing) {
        case .answerProbe:
            // A client that keeps probing and reads nothing gets no answers.
            if link.isWritable {
                link.write(EngineFrames.probePong)
                link.flush(from: loop)
            }
            // The client must have its poll back before it can finish the upgrade.
            answerPoll(ByteBuffer(string: "6"))
        case .upgrade: upgrade(to: link)
        case .closeCandidate: closeCandidate()
        }
        updateTimer()
    }

    private func upgrade(to link: WebSocketLink) {
        // The rest of a POST comes before what follows over the WebSocket; that it takes one turn happens once in a session.
        while let post = polling?.post, let rest = polling?.undelivered.take() { deliver(rest, of: post, isUrgent: true) }
        guard machine.phase != .closed else { return }
        polling?.returnDeadline = nil
        answerPoll(ByteBuffer(string: "6"))
        polling?.candidate = nil
        webSocket = link
        // A POST that is still being read is delivered and answered; nothing else is left of polling.
        if polling?.post == nil { polling = nil }
        if holdsBackReading { link.setReading(false, from: loop) }
        loop.context.metrics.upgraded()
        markDirty()
        delegate?.sessionDidUpgrade(self)
    }
}
