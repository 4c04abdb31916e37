// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// The times of a session.
package struct EngineTiming: Sendable {
    package var pingInterval: TimeAmount
    package var pingTimeout: TimeAmount
    package var upgradeTimeout: TimeAmount
    package var closeTimeout: TimeAmount
    /// For how long a pause in reading suspends the pong deadline.
    package var readPause: TimeAmount
    /// How often a parked poll is freed while the client changes to WebSocket.
    package var upgradeCheck: TimeAmount
    package var maximumUpgradeAttempts: Int

    package init(
        pingInterval: TimeAmount = .seconds(25),
        pingTimeout: TimeAmount = .seconds(20),
        upgradeTimeout: TimeAmount = .seconds(10),
        closeTimeout: TimeAmount = .seconds(30),
        readPause: TimeAmount = .seconds(60),
        upgradeCheck: TimeAmount = .milliseconds(100),
        maximumUpgradeAttempts: Int = 16
    ) {
        self.pingInterval = pingInterval
        self.pingTimeout = pingTimeout
        self.upgradeTimeout = upgradeTimeout
        self.closeTimeout = closeTimeout
        self.readPause = readPause
        self.upgradeCheck = upgradeCheck
        self.maximumUpgradeAttempts = maximumUpgradeAttempts
    }
}

/// The rules of one Engine.IO session: polls, POSTs, heartbeat, upgrade and close.
///
/// It holds neither packets nor connections: the session that drives it keeps them and carries out the actions.
package struct EngineSessionStateMachine: Sendable {
    package enum Transport: Sendable { case polling, websocket }
    package enum Phase: Sendable { case open, closing, closed }

    /// Why the session closes, as far as its own rules decide it.
    package enum CloseCause: Sendable { case transportClose, transportError, pingTimeout, parseError }

    /// How late a ping may be and still count as sent when it was due.
    private static let slack = TimeAmount.milliseconds(10)

    private enum Heartbeat: Sendable {
        case waiting(pingAt: NIODeadline)
        /// `heard` is set by any packet: a client whose pong is stuck behind other traffic is alive.
        case pinged(at: NIODeadline, deadline: NIODeadline, heard: Bool)
    }

    /// Out of line: most sessions have none most of the time.
    private indirect enum Upgrade: Sendable {
        case none
        /// A WebSocket has been opened for this session, but nothing came over it.
        case candidate(deadline: NIODeadline)
        case probed(deadline: NIODeadline, nextNoop: NIODeadline, count: UInt8)
    }

    /// Probes of one candidate; clients send one.
    private static let mostProbes: UInt8 = 16

    // Every session has one of these. In this order there is little room between them.
    /// The number of pings sent so far.
    package private(set) var pingsSent = 0
    private var heartbeat: Heartbeat
    package private(set) var phase = Phase.open
    package private(set) var transport: Transport
    package private(set) var isPollParked = false
    package private(set) var isPostOpen = false
    private var upgradeAttempts: UInt8 = 0
    private var upgrade = Upgrade.none
    private var closeDeadline: NIODeadline?
    private var pausedAt: NIODeadline?

    package init(transport: Transport, now: NIODeadline, timing: EngineTiming) {
        self.transport = transport
        self.heartbeat = .waiting(pingAt: now + timing.pingInterval)
    }

    /// Whether a WebSocket is trying to replace the polling transport.
    package var isUpgrading: Bool {
        if case .none = upgrade { false } else { true }
    }
}

// MARK: - Long-polling

extension EngineSessionStateMachine {
    package enum PollAction: Sendable, Equatable {
        /// Keep the request until there is something to send.
        case park
        /// The session has closed: answer that it is unknown.
        case refuseUnknown
        /// The session does not poll (any more): answer 400.
        case refuseTransport
        /// A poll is parked already: close the session and answer this one 400.
        case overlap
    }

    /// A GET of this session arrived.
    package mutating func pollArrived() -> PollAction {
        switch (phase, transport) {
        case (.closed, _): return .refuseUnknown
        case (_, .websocket): return .refuseTransport
        case (_, .polling) where isPollParked: return .overlap
        case (_, .polling):
            isPollParked = true
            return .park
        }
    }

    /// The parked poll has been answered.
    package mutating func pollAnswered() {
        isPollParked = false
    }

    package enum PostAction: Sendable, Equatable {
        case accept
        case refuseUnknown
        case refuseTransport
        /// Another POST is being read: close the session and answer this one 400.
        case overlap
    }

    /// The head of a POST of this session arrived.
    package mutating func postArrived() -> PostAction {
        switch (phase, transport) {
        case (.closed, _): return .refuseUnknown
        case (_, .websocket): return .refuseTransport
        case (_, .polling) where isPostOpen: return .overlap
        case (_, .polling):
            isPostOpen = true
            return .accept
        }
    }

    /// The POST has been answered, or its connection has ended.
    package mutating func postEnded() {
        isPostOpen = false
    }
}

// MARK: - Packets

extension EngineSessionStateMachine {
    package enum PacketAction: Sendable, Equatable {
        case none
        case deliverText(ByteBuffer)
        case deliverBinary(ByteBuffer)
        case pong(number: Int)
        case close(CloseCause)
    }

    /// A packet arrived over the session's transport; nil if it could not be parsed.
    package mutating func received(_ packet: EnginePacket?, now: NIODeadline, timing: EngineTiming) -> PacketAction {
        guard phase != .closed else { return .none }
        switch packet {
        case .close: return .close(.transportClose)
        case _ where phase == .closing: return .none
        case nil: return .close(.parseError)
        case .text(let message):
            noteTraffic()
            return .deliverText(message)
        case .binary(let message):
            noteTraffic()
            return .deliverBinary(message)
        case .pong: return pongReceived(now: now, timing: timing)
        // Only servers send pings in version 4.
        case .ping: return .close(.transportError)
        case .open, .upgrade, .noop:
            noteTraffic()
            return .none
        }
    }

    /// A message arrived; cheaper than ``received(_:now:timing:)`` for what arrives most often.
    package mutating func acceptsMessage() -> Bool {
        guard phase == .open else { return false }
        noteTraffic()
        return true
    }

    private mutating func noteTraffic() {
        if case .pinged(let at, let deadline, false) = heartbeat {
            heartbeat = .pinged(at: at, deadline: deadline, heard: true)
        }
    }

    private mutating func pongReceived(now: NIODeadline, timing: EngineTiming) -> PacketAction {
        guard case .pinged = heartbeat else { return .none }
        heartbeat = .waiting(pingAt: now + timing.pingInterval)
        return .pong(number: pingsSent)
    }

    /// Reading from the client stops: its pong may be among what is not read.
    package mutating func readingPaused(now: NIODeadline) {
        if pausedAt == nil { pausedAt = now }
    }

    /// Reading resumes.
    package mutating func readingResumed(now: NIODeadline, timing: EngineTiming) {
        if case .pinged(let at, let deadline, let heard) = heartbeat {
            heartbeat = .pinged(at: at, deadline: deadline + suspended(since: at, until: now, timing: timing), heard: heard)
        }
        pausedAt = nil
    }

    /// How much of the time from `start` to `end` counts as suspended by the pause.
    private func suspended(since start: NIODeadline, until end: NIODeadline, timing: EngineTiming) -> TimeAmount {
        guard let pausedAt else { return .zero }
        return max(min(end, pausedAt + timing.readPause) - max(pausedAt, start), .zero)
    }
}

// MARK: - Upgrade

extension EngineSessionStateMachine {
    /// A WebSocket for this session was opened.
    ///
    /// - Returns: Whether it may try to replace the transport; otherwise it is to be closed.
    package mutating func candidateArrived(now: NIODeadline, timing: EngineTiming) -> Bool {
        guard phase == .open, transport == .polling, !isUpgrading, upgradeAttempts < timing.maximumUpgradeAttempts else { return false }
        upgradeAttempts += 1
        upgrade = .candidate(deadline: now + timing.upgradeTimeout)
        return true
    }

    package enum CandidateAction: Sendable, Equatable {
        /// Answer `3probe` and free the parked poll.
        case answerProbe
        /// The WebSocket is the transport now: free the parked poll, then send what is queued.
        case upgrade
        /// Close the WebSocket; the session goes on with polling.
        case closeCandidate
    }

    /// Something arrived over the WebSocket that wants to replace polling.
    package mutating func candidateReceived(_ packet: EnginePacket?, now: NIODeadline, timing: EngineTiming) -> CandidateAction {
        switch (packet, upgrade) {
        case (.ping(isProbe: true), .candidate(let deadline)):
            upgrade = .probed(deadline: deadline, nextNoop: now + timing.upgradeCheck, count: 1)
            return .answerProbe
        case (.ping(isProbe: true), .probed(let deadline, _, let count)) where count < Self.mostProbes:
            upgrade = .probed(deadline: deadline, nextNoop: now + timing.upgradeCheck, count: count + 1)
            return .answerProbe
        case (.upgrade, .candidate) where phase != .closed, (.upgrade, .probed) where phase != .closed:
            upgrade = .none
            transport = .websocket
            return .upgrade
        default:
            upgrade = .none
            return .closeCandidate
        }
    }

    /// The candidate has ended.
    package mutating func candidateClosed() {
        upgrade = .none
    }
}

// MARK: - Time and close

extension EngineSessionStateMachine {
    package enum TimeoutAction: Sendable, Equatable {
        case none
        case sendPing
        /// Answer the parked poll, if there is one, with a noop.
        case sendNoop
        /// The candidate did not finish the upgrade.
        case closeCandidate
        case close(CloseCause)
        /// The client did not take the messages that were to be sent before the close.
        case finishClose
    }

    /// When ``timeout(now:timing:)`` is due next.
    package func deadline(timing: EngineTiming) -> NIODeadline? {
        switch phase {
        case .closed: return nil
        case .closing: return earliest(closeDeadline, upgradeDeadline)
        case .open: return earliest(heartbeatDeadline(timing: timing), upgradeDeadline)
        }
    }

    private func earliest(_ first: NIODeadline?, _ second: NIODeadline?) -> NIODeadline? {
        guard let first, let second else { return first ?? second }
        return min(first, second)
    }

    private func heartbeatDeadline(timing: EngineTiming) -> NIODeadline {
        switch heartbeat {
        case .waiting(let pingAt): pingAt
        case .pinged(let at, let deadline, _): deadline + suspended(since: at, until: .distantFuture, timing: timing)
        }
    }

    private var upgradeDeadline: NIODeadline? {
        switch upgrade {
        case .none: nil
        case .candidate(let deadline): deadline
        case .probed(let deadline, let nextNoop, _): min(deadline, nextNoop)
        }
    }

    /// Time has passed. To be called until it returns ``TimeoutAction/none``.
    package mutating func timeout(now: NIODeadline, timing: EngineTiming) -> TimeoutAction {
        guard phase != .closed else { return .none }
        if let action = upgradeTimeout(now: now, timing: timing) { return action }
        if phase == .closing {
            guard let closeDeadline, now >= closeDeadline else { return .none }
            return .finishClose
        }
        return heartbeatTimeout(now: now, timing: timing)
    }

    private mutating func upgradeTimeout(now: NIODeadline, timing: EngineTiming) -> TimeoutAction? {
        switch upgrade {
        case .candidate(let deadline) where now >= deadline, .probed(let deadline, _, _) where now >= deadline:
            upgrade = .none
            return .closeCandidate
        case .probed(let deadline, let nextNoop, let count) where now >= nextNoop:
            upgrade = .probed(deadline: deadline, nextNoop: now + timing.upgradeCheck, count: count)
            return .sendNoop
        default: return nil
        }
    }

    private mutating func heartbeatTimeout(now: NIODeadline, timing: EngineTiming) -> TimeoutAction {
        switch heartbeat {
        case .waiting(let pingAt) where now >= pingAt:
            pingsSent += 1
            heartbeat = .pinged(at: now, deadline: start(due: pingAt, now: now) + timing.pingTimeout, heard: false)
            return .sendPing
        case .pinged(_, _, let heard) where now >= heartbeatDeadline(timing: timing):
            guard heard else { return .close(.pingTimeout) }
            let due = heartbeatDeadline(timing: timing)
            heartbeat = .pinged(at: now, deadline: start(due: due, now: now) + timing.pingTimeout, heard: false)
            return .none
        default: return .none
        }
    }

    /// When the wait for a pong begins: when the ping was due, so that the lateness of one timer does not add to that of the next. If the
    /// event loop was held up, it begins now: the client must have its time to answer.
    private func start(due: NIODeadline, now: NIODeadline) -> NIODeadline {
        now - due <= Self.slack ? due : now
    }

    /// Whether the client's time is over although ``timeout(now:timing:)`` has not been called yet, as when a request and the timer become
    /// due together. After a longer delay the pong may be among what has not been read.
    package func isOverdue(now: NIODeadline, timing: EngineTiming) -> Bool {
        guard phase == .open, case .pinged(_, _, heard: false) = heartbeat else { return false }
        let deadline = heartbeatDeadline(timing: timing)
        return now >= deadline && now - deadline <= Self.slack
    }

    /// The server closes the session, after all queued packets have been sent.
    ///
    /// - Returns: Whether it was open.
    package mutating func beginClose(now: NIODeadline, timing: EngineTiming) -> Bool {
        guard phase == .open else { return false }
        phase = .closing
        closeDeadline = now + timing.closeTimeout
        return true
    }

    /// The session has ended.
    ///
    /// - Returns: Whether it had not ended before.
    package mutating func finishClose() -> Bool {
        guard phase != .closed else { return false }
        phase = .closed
        upgrade = .none
        closeDeadline = nil
        return true
    }
}
