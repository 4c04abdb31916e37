// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import DequeModule
package import NIOCore
package import SocketIOCore
import SocketIOText

/// Writes the messages of a lane: one ordered batch at a time; messages that arrive in the meantime form the next batch.
///
/// A batch whose outcome is unknown is retried, unchanged, before anything else. So messages can be read in the order in which they were
/// sent.
package struct SendLaneStateMachine {
    /// What happens to a message that is sent.
    package enum SendAction {
        /// It has its place in the queue. If the writer has nothing to do, wake it.
        case place(wakesWriter: Bool)
        /// The queue is full, and the message waits. ``takeAdmitted()`` returns it once it has its place, if its sender goes on then.
        case wait
        /// It cannot be sent.
        case refuse(ClusterError)
        /// It is volatile, and the queue is full.
        case drop
    }

    /// What the writer does next.
    package enum WriteAction {
        /// Write this batch.
        case write([ClusterMessage])
        /// Call again at this time.
        case pause(until: NIODeadline)
        /// Nothing; the writer will be woken.
        case wait
    }

    private struct Flying {
        var message: ClusterMessage
        /// `.none` once its outcome was reported.
        var audience: Outgoing.Audience
        var deadline: NIODeadline
        /// Its place in the order of the lane; 0 if it has none.
        var place: UInt64

        func isSent(with ticket: UInt64) -> Bool { if case .sender(ticket) = audience { true } else { false } }
    }

    private enum State {
        case idle
        case writing
        case pausing(until: NIODeadline)
    }

    package let lane: UInt8
    private let limits: ClusterConfiguration
    private let messageLimit: Int
    private var state = State.idle
    private var batch: [Flying] = []
    /// Whether an attempt to write the batch may have succeeded in part.
    private var isDoubtful = false
    private var attempts = 0
    private var lastError: (any Error)?
    private var waiting: WaitingMessages
    /// Whether the node's leave was handed to the writer: nothing may be written after it, or other nodes would take that for a sign of
    /// life.
    private var hasLeft = false
    private var numbers = SentNumbers(epoch: 0)
    /// Before this time no broadcast is written.
    private var paceDeadline = NIODeadline.uptimeNanoseconds(0)
    /// Whether the writer waits for ``paceDeadline``.
    private var isHeldByPace = false
    /// Places whose numbers are wanted, ascending, as long as nothing behind them has one.
    private var openMarks: Deque<UInt64> = []
    /// The last number for all nodes that was given up to a place.
    private var marks: [UInt64: UInt64] = [:]

    package init(lane: UInt8, configuration: ClusterConfiguration, messageLimit: Int) {
        self.lane = lane
        self.limits = configuration
        self.messageLimit = messageLimit
        self.waiting = WaitingMessages(configuration)
    }

    /// Whether nothing waits or is being written.
    package var isIdle: Bool { batch.isEmpty && waiting.isEmpty }
    /// When ``expire(now:)`` must be called at the latest; nil if no sender waits.
    package var nextDeadline: NIODeadline? {
        let flying = batch.lazy.filter { if case .none = $0.audience { false } else { true } }.map(\.deadline).min()
        return [flying, waiting.nextDeadline].compactMap(\.self).min()
    }
    /// The number of messages that wait, those of suspended senders included.
    package var waitingCount: Int { waiting.count }
    /// Whether a message about membership waits already.
    package var hasWaitingMembership: Bool { waiting.hasMembership }
    /// Whether any number was given in this epoch.
    package func hasNumbers(in epoch: UInt64) -> Bool { numbers.epoch == epoch && !numbers.isEmpty }
    /// The last number for all nodes that was given in this epoch.
    package func lastNumber(in epoch: UInt64) -> UInt64 { numbers.epoch == epoch ? numbers.lastForAll : 0 }

    // MARK: Sending

    /// A message is to be sent.
    package mutating func send(_ message: Outgoing) -> SendAction {
        let bytes = message.body.estimatedByteCount
        if let error = refusal(of: bytes) { return .refuse(error) }
        switch waiting.add(message, bytes) {
        case .placed:
            guard case .idle = state else { return .place(wakesWriter: false) }
            return .place(wakesWriter: !isHeldByPace || waiting.first(inOrder: false)?.kind.isBroadcast != true)
        case .waits: return .wait
        case .dropped: return .drop
        case .refused(let error): return .refuse(error)
        }
    }

    /// Why no message of this size can be sent.
    func refusal(of bytes: Int) -> ClusterError? {
        guard bytes > messageLimit else { return nil }
        return ClusterError(.tooLarge, "a message of about \(bytes) bytes exceeds the \(messageLimit) that the backend carries")
    }

    /// The sender no longer waits for the fate of a message.
    ///
    /// - Parameter ticket: Its ticket, whose fate is not known.
    /// - Returns: Whether it certainly was not and will not be written.
    package mutating func withdraw(_ ticket: UInt64) -> Bool {
        guard let index = batch.firstIndex(where: { $0.isSent(with: ticket) }) else {
            waiting.withdraw(ticket)
            return true
        }
        guard case .pausing = state, !isDoubtful else { return false }
        abandonNumber(of: batch.remove(at: index))
        listVoids()
        if batch.isEmpty { state = .idle }
        return true
    }

    /// What senders learn whose messages have found room. To be called after ``next(origin:now:makeID:)``; ``expire(now:)`` does it itself.
    package mutating func takeAdmitted() -> [SettledWrite] { waiting.takeAdmitted() }

    // MARK: Writing

    /// The writer has nothing to do. Call ``expire(now:)`` first.
    package mutating func next(origin: NodeIdentity, now: NIODeadline, makeID: () -> MessageID) -> WriteAction {
        switch state {
        case .writing: return .wait
        case .pausing(let until) where now < until: return .pause(until: until)
        case .pausing, .idle: break
        }
        isHeldByPace = false
        // All that waited may have been withdrawn, and what waited for room is there now.
        while batch.isEmpty, !waiting.hasNothingToWrite, !hasLeft {
            if now < paceDeadline, waiting.first(inOrder: false)?.kind.isBroadcast == true {
                state = .idle
                isHeldByPace = true
                return .pause(until: paceDeadline)
            }
            form(origin: origin, now: now, makeID: makeID)
        }
        guard !batch.isEmpty else {
            state = .idle
            return .wait
        }
        state = .writing
        return .write(batch.map(\.message))
    }

    private mutating func form(origin: NodeIdentity, now: NIODeadline, makeID: () -> MessageID) {
        if numbers.epoch != origin.epoch { numbers = SentNumbers(epoch: origin.epoch) }
        var bytes = 0
        var hasNumbers = false
        var broadcasts = now < paceDeadline ? 0 : limits.pacing?.batchMessages ?? .max
        while batch.count < limits.maximumBatchMessages {
            // What precedes the order must not keep it from being written at all.
            let inOrder = batch.count > limits.maximumBatchMessages / 2
            guard let first = waiting.first(inOrder: inOrder) else { break }
            if !batch.isEmpty, bytes + first.bytes > limits.maximumBatchBytes { break }
            // A heartbeat tells the numbers before it, so it must know what became of them.
            if first.kind.isMembership, hasNumbers { break }
            if first.kind.isBroadcast, broadcasts <= 0 { break }
            guard waiting.removeFirst(inOrder: inOrder) else { continue }
            bytes += first.bytes
            hasNumbers = hasNumbers || !first.kind.isMembership
            if first.kind.isBroadcast { broadcasts -= 1 }
            batch.append(fly(first, origin: origin, makeID: makeID))
            guard first.kind != .leave else {
                hasLeft = true
                break
            }
        }
        listVoids()
        isDoubtful = false
        attempts = 0
        lastError = nil
        waiting.fill()
    }

    private mutating func fly(_ item: WaitingMessages.Item, origin: NodeIdentity, makeID: () -> MessageID) -> Flying {
        let (message, kind) = (item.message, item.kind)
        if !openMarks.isEmpty { fixMarks(before: item.place) }
        var header = ClusterHeader(
            id: message.id ?? makeID(),
            kind: kind,
            namespace: message.namespace,
            origin: origin,
            target: message.target,
            request: message.request
        )
        if !kind.isMembership { header.stamp = NumberStamp(lane: lane, number: numbers.next(message.target)) }
        var body = message.body
        switch body {
        case .heartbeat(var heartbeat):
            heartbeat.positions = numbers.positions(lane: lane, target: message.target)
            body = .heartbeat(heartbeat)
        case .initialHeartbeat(var heartbeat):
            heartbeat.positions = numbers.positions(lane: lane, target: message.target)
            body = .initialHeartbeat(heartbeat)
        default: break
        }
        return Flying(
            message: ClusterMessage(header: header, body: body),
            audience: message.audience,
            deadline: message.deadline,
            place: item.place
        )
    }

    /// Each message lists what is void between the one before it in its sequence and itself; the first lists all that is void before it.
    private mutating func listVoids() {
        var previous: [Name?: UInt64] = [:]
        for index in batch.indices {
            let header = batch[index].message.header
            guard let number = header.stamp?.number, header.origin.epoch == numbers.epoch else { continue }
            let low = previous.updateValue(number, forKey: header.target.map { Name($0) }) ?? 0
            batch[index].message.header.stamp?.void = numbers.void(header.target).filter { $0.lowerBound > low && $0.upperBound < number }
        }
    }

    /// The driver has tried to write the batch.
    ///
    /// - Parameters:
    ///   - outcome: What became of it.
    ///   - now: The time.
    ///   - jitter: A random number between 0 and 1.
    package mutating func complete(_ outcome: BatchOutcome, now: NIODeadline, jitter: Double) -> Settlement {
        guard case .writing = state else { return Settlement() }
        var settlement = Settlement()
        switch outcome {
        case .written:
            pace(batch.count, now: now)
            finish(batch.count, into: &settlement)
            settlement.isWritten = true
            state = .idle
        case .refused(let index, let error):
            guard batch.indices.contains(index) else { return retry(error, isDoubtful: true, now: now, jitter: jitter) }
            pace(index, now: now)
            refuse(index, error, into: &settlement)
            state = .idle
        case .unknown(let error): return retry(error, isDoubtful: true, now: now, jitter: jitter)
        case .notWritten(let error): return retry(error, isDoubtful: false, now: now, jitter: jitter)
        }
        return settlement
    }

    /// The first messages of the batch were written: the receivers get the time that they need for the broadcasts among them.
    private mutating func pace(_ count: Int, now: NIODeadline) {
        guard let pacing = limits.pacing else { return }
        let broadcasts = batch.prefix(count).count { $0.message.header.kind.isBroadcast }
        if broadcasts > 0 { paceDeadline = now + pacing.time(of: broadcasts) }
    }

    /// The first messages of the batch are written.
    private mutating func finish(_ count: Int, into settlement: inout Settlement) {
        for flying in batch.prefix(count) {
            let header = flying.message.header
            if let stamp = header.stamp, header.origin.epoch == numbers.epoch { numbers.voidIsKnown(header.target, below: stamp.number) }
            if case .sender(let ticket) = flying.audience { settlement.writes.append(SettledWrite(ticket: ticket, fate: .sent)) }
        }
        batch.removeFirst(count)
    }

    private mutating func refuse(_ index: Int, _ error: any Error, into settlement: inout Settlement) {
        finish(index, into: &settlement)
        let refused = batch.removeFirst()
        settlement.refused = refused.message.header.id
        abandonNumber(of: refused)
        let cause = (error as? ClusterError) ?? ClusterError(.notSent, "the backend refuses the message", cause: error)
        settlement.fail(refused.audience, refused.message, .notSent(cause))
        // Earlier attempts met the same refusal, so the rest is certainly not written and may change.
        isDoubtful = false
        listVoids()
        if batch.isEmpty { settlement.isWritten = true }
    }

    private mutating func abandonNumber(of flying: Flying) {
        let header = flying.message.header
        guard let stamp = header.stamp, header.origin.epoch == numbers.epoch else { return }
        numbers.abandon(stamp.number, target: header.target)
    }

    private mutating func retry(_ error: any Error, isDoubtful: Bool, now: NIODeadline, jitter: Double) -> Settlement {
        self.isDoubtful = self.isDoubtful || isDoubtful
        lastError = error
        let delay = min(TimeAmount(limits.minimumRetryDelay) * (1 << min(attempts, 20)), TimeAmount(limits.maximumRetryDelay))
        attempts += 1
        state = .pausing(until: now + .nanoseconds(Int64(Double(delay.nanoseconds) * (0.5 + jitter / 2))))
        return expire(now: now)
    }

    // MARK: Time

    /// Time has passed.
    package mutating func expire(now: NIODeadline) -> Settlement {
        var settlement = Settlement()
        expireBatch(now: now, into: &settlement)
        expireWaiting(now: now, into: &settlement)
        return settlement
    }

    private mutating func expireBatch(now: NIODeadline, into settlement: inout Settlement) {
        guard !batch.isEmpty else { return }
        if case .pausing = state, !isDoubtful { return expireUnwritten(now: now, into: &settlement) }
        for index in batch.indices where batch[index].deadline <= now {
            let error = ClusterError(.unknown, "the write timeout has passed and the outcome is unknown", cause: lastError)
            settlement.fail(batch[index].audience, batch[index].message, .unknown(error))
            batch[index].audience = .none
        }
        guard case .pausing = state, batch.allSatisfy({ $0.deadline <= now }) else { return }
        batch.forEach { abandonNumber(of: $0) }
        batch.removeAll()
        settlement.isAbandoned = true
        state = .idle
    }

    /// Nothing of the batch was written: expired messages can be removed from it.
    private mutating func expireUnwritten(now: NIODeadline, into settlement: inout Settlement) {
        guard batch.contains(where: { $0.deadline <= now }) else { return }
        for flying in batch where flying.deadline <= now {
            abandonNumber(of: flying)
            settlement.fail(flying.audience, flying.message, .notSent(notInTime))
        }
        batch.removeAll { $0.deadline <= now }
        listVoids()
        if batch.isEmpty {
            settlement.isAbandoned = true
            state = .idle
        }
    }

    private mutating func expireWaiting(now: NIODeadline, into settlement: inout Settlement) {
        for message in waiting.expire(now: now) { settlement.fail(message, .notSent(notInTime)) }
        settlement.writes += waiting.takeAdmitted()
    }

    private var notInTime: ClusterError {
        // The error says what to do, if there was one.
        let advice = lastError == nil ? "; check that the backend is reachable" : ""
        let text = "the message could not be written within the write timeout" + advice
        return ClusterError(.notSent, text, cause: lastError)
    }

    /// The node is closed: waiting messages will not be sent, and the outcome of the others is unknown.
    package mutating func close() -> Settlement {
        var settlement = Settlement()
        let error = ClusterError(.closed, "the node was closed before the message was written", cause: lastError)
        let unknown = ClusterError(.unknown, "the node was closed before the outcome was known", cause: lastError)
        for flying in batch { settlement.fail(flying.audience, flying.message, .unknown(unknown)) }
        for message in waiting.removeAll() { settlement.fail(message, .notSent(error)) }
        batch.removeAll()
        state = .idle
        return settlement
    }

    /// A node is gone: numbers for it are not kept.
    package mutating func forget(_ target: NodeID) { numbers.forget(target) }

    // MARK: The order

    /// The ids of the broadcasts of a namespace that are not yet known to be written.
    package func unwrittenBroadcasts(of namespace: String) -> [MessageID] {
        let flying = batch.compactMap { item in
            item.message.header.kind == .broadcast && item.message.header.namespace == namespace ? item.message.header.id : nil
        }
        return flying + waiting.broadcasts(of: namespace)
    }

    /// The end of the order of the lane, for ``number(at:in:)``. It is remembered, so ask a few times only.
    package mutating func markEnd() -> UInt64 {
        let place = waiting.lastPlace
        if marks[place] == nil, openMarks.last != place { openMarks.append(place) }
        return place
    }

    /// Whether the fate of all messages up to a place is known.
    package func isSettled(upTo place: UInt64) -> Bool {
        let flying = batch.first { $0.place > 0 }?.place
        return (flying ?? waiting.firstPlace ?? .max) > place
    }

    /// The last number for all nodes that was given to a message up to a place; nil as long as the fate of one is not known.
    ///
    /// - Parameters:
    ///   - place: A place that ``markEnd()`` has returned.
    ///   - epoch: The epoch, which must be the same as then.
    package func number(at place: UInt64, in epoch: UInt64) -> UInt64? {
        isSettled(upTo: place) ? marks[place] ?? lastNumber(in: epoch) : nil
    }

    /// A message is about to get the next number.
    private mutating func fixMarks(before place: UInt64) {
        while let mark = openMarks.first, mark < place {
            openMarks.removeFirst()
            marks[mark] = numbers.lastForAll
        }
    }
}
