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

    /// What follows from an outcome or from the time.
    package struct Settlement {
        package var writes: [SettledWrite] = []
        /// Accepted messages that have failed.
        package var undelivered: [UndeliveredMessage] = []
        /// The number of volatile messages that have failed.
        package var dropped = 0
        /// The message that the backend refuses.
        package var refused: MessageID?
        /// Whether the whole batch was written.
        package var isWritten = false
        /// Whether the batch was given up.
        package var isAbandoned = false
    }

    private struct Waiting {
        var message: Outgoing
        var bytes: Int
    }

    fileprivate struct Flying {
        var message: ClusterMessage
        /// `.none` once its outcome was reported.
        var audience: Outgoing.Audience
        var deadline: NIODeadline

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
    private var queue: Deque<Waiting> = []
    private var queuedBytes = 0
    /// Messages of senders that wait because the queue is full, in order.
    private var overflow: Deque<Waiting> = []
    private var waitingMemberships = 0
    /// Answers to other nodes, for which no sender waits: a full queue cannot suspend one.
    private var waitingAnswers = 0
    private var answerBytes = 0
    /// No waiting message expires before this time.
    private var earliestDeadline = NIODeadline.distantFuture
    /// Whether the node's leave was handed to the writer: nothing may be written after it, or other nodes would take that for a sign of
    /// life.
    private var hasLeft = false
    /// What senders learn whose messages have left the overflow.
    private var admitted: [SettledWrite] = []
    /// Tickets of waiting messages that were withdrawn.
    private var withdrawn: Set<UInt64> = []
    private var numbers = SentNumbers(epoch: 0)
    /// Before this time no batch is formed.
    private var paceDeadline = NIODeadline.uptimeNanoseconds(0)

    package init(lane: UInt8, configuration: ClusterConfiguration, messageLimit: Int) {
        self.lane = lane
        self.limits = configuration
        self.messageLimit = messageLimit
    }

    /// Whether nothing waits or is being written.
    package var isIdle: Bool { batch.isEmpty && queue.isEmpty && overflow.isEmpty }
    /// When ``expire(now:)`` must be called at the latest; nil if no sender waits.
    package var nextDeadline: NIODeadline? {
        let flying = batch.lazy.filter { if case .none = $0.audience { false } else { true } }.map(\.deadline).min()
        let waiting = queue.isEmpty && overflow.isEmpty ? nil : earliestDeadline
        return [flying, waiting].compactMap(\.self).min()
    }
    /// The number of messages that wait, those of suspended senders included.
    package var waitingCount: Int { queue.count + overflow.count }
    /// The size of the messages in the queue in bytes.
    package var waitingBytes: Int { queuedBytes }
    /// Whether a message about membership waits already.
    package var hasWaitingMembership: Bool { waitingMemberships > 0 }
    /// Whether any number was given in this epoch.
    package func hasNumbers(in epoch: UInt64) -> Bool { numbers.epoch == epoch && !numbers.isEmpty }
    /// The last number for all nodes that was given in this epoch.
    package func lastNumber(in epoch: UInt64) -> UInt64 { numbers.epoch == epoch ? numbers.lastForAll : 0 }

    // MARK: Sending

    /// A message is to be sent.
    package mutating func send(_ message: Outgoing) -> SendAction {
        let bytes = message.body.estimatedByteCount
        if let error = refusal(of: bytes) ?? refusal(of: message.body.kind, bytes) { return .refuse(error) }
        let isFull = queue.count >= limits.maximumQueuedMessages || queuedBytes + bytes > max(limits.maximumQueuedBytes, bytes)
        // Messages about membership are never delayed.
        let hasRoom = message.body.kind.isMembership || (!isFull && overflow.isEmpty)
        if !hasRoom, message.certainty == .volatile { return .drop }
        var waiting = Waiting(message: message, bytes: bytes)
        earliestDeadline = min(earliestDeadline, message.deadline)
        count(waiting, 1)
        guard hasRoom else {
            overflow.append(waiting)
            return .wait
        }
        // Its sender learns it from the action.
        _ = waiting.message.accept()
        enqueue(waiting)
        if case .idle = state { return .place(wakesWriter: true) }
        return .place(wakesWriter: false)
    }

    /// Why no message of this size can be sent.
    func refusal(of bytes: Int) -> ClusterError? {
        guard bytes > messageLimit else { return nil }
        return ClusterError(.tooLarge, "a message of about \(bytes) bytes exceeds the \(messageLimit) that the backend carries")
    }

    /// Why there is no room for a message that no sender waits for. Error answers are small and the last ones: there is more room for them.
    private func refusal(of kind: ClusterMessageKind, _ bytes: Int) -> ClusterError? {
        if kind.isAnswer {
            let isError = kind == .errorAnswer
            let fits = isError || answerBytes + bytes <= max(limits.maximumQueuedBytes, bytes)
            guard !fits || waitingAnswers >= limits.maximumQueuedMessages * (isError ? 2 : 1) else { return nil }
            return ClusterError(.notSent, "\(waitingAnswers) answers wait to be written already; check that the backend can be reached")
        }
        guard kind.isMembership, waitingMemberships >= 2 * limits.maximumNodes + 2 else { return nil }
        return ClusterError(.notSent, "too many heartbeats wait to be written")
    }

    /// Counts a message that waits, or does not any more.
    private mutating func count(_ waiting: Waiting, _ change: Int) {
        let kind = waiting.message.body.kind
        if kind.isMembership {
            waitingMemberships += change
        } else if kind.isAnswer {
            waitingAnswers += change
            answerBytes += change * waiting.bytes
        }
    }

    private mutating func enqueue(_ waiting: Waiting) {
        queue.append(waiting)
        queuedBytes += waiting.bytes
    }

    private mutating func dequeue() {
        guard let first = queue.popFirst() else { return }
        queuedBytes -= first.bytes
        count(first, -1)
    }

    /// Whether a message that waited was withdrawn; it is forgotten with this.
    private mutating func wasWithdrawn(_ ticket: UInt64?) -> Bool {
        guard !withdrawn.isEmpty, let ticket else { return false }
        return withdrawn.remove(ticket) != nil
    }

    /// The sender no longer waits for the fate of a message.
    ///
    /// - Parameter ticket: Its ticket, whose fate is not known.
    /// - Returns: Whether it certainly was not and will not be written.
    package mutating func withdraw(_ ticket: UInt64) -> Bool {
        guard let index = batch.firstIndex(where: { $0.isSent(with: ticket) }) else {
            withdrawn.insert(ticket)
            return true
        }
        guard case .pausing = state, !isDoubtful else { return false }
        abandonNumber(of: batch.remove(at: index))
        listVoids()
        if batch.isEmpty { state = .idle }
        return true
    }

    private mutating func admitOverflow() {
        while let first = overflow.first, queue.count < limits.maximumQueuedMessages,
            queue.isEmpty || queuedBytes + first.bytes <= limits.maximumQueuedBytes
        {
            var waiting = overflow.removeFirst()
            if let accepted = waiting.message.accept() { admitted.append(accepted) }
            enqueue(waiting)
        }
    }

    /// What senders learn whose messages have found room. To be called after ``next(origin:now:makeID:)``; ``expire(now:)`` does it itself.
    package mutating func takeAdmitted() -> [SettledWrite] {
        guard !admitted.isEmpty else { return [] }
        defer { admitted = [] }
        return admitted
    }

    // MARK: Writing

    /// The writer has nothing to do. Call ``expire(now:)`` first.
    package mutating func next(origin: NodeIdentity, now: NIODeadline, makeID: () -> MessageID) -> WriteAction {
        switch state {
        case .writing: return .wait
        case .pausing(let until) where now < until: return .pause(until: until)
        case .pausing, .idle: break
        }
        if batch.isEmpty, !queue.isEmpty, now < paceDeadline { return .pause(until: paceDeadline) }
        // All that was in the queue may have been withdrawn, and what waited for room is in it now.
        while batch.isEmpty, !queue.isEmpty, !hasLeft { form(origin: origin, now: now, makeID: makeID) }
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
        let batchLimit = min(limits.maximumBatchMessages, limits.pacing?.batchMessages ?? .max)
        while let first = queue.first, batch.count < batchLimit,
            batch.isEmpty || bytes + first.bytes <= limits.maximumBatchBytes
        {
            // A heartbeat tells the numbers before it, so it must know what became of them.
            if first.message.body.kind.isMembership, hasNumbers { break }
            dequeue()
            guard !wasWithdrawn(first.message.ticket) else { continue }
            bytes += first.bytes
            hasNumbers = hasNumbers || !first.message.body.kind.isMembership
            batch.append(fly(first.message, origin: origin, makeID: makeID))
            guard first.message.body.kind != .leave else {
                hasLeft = true
                break
            }
        }
        listVoids()
        isDoubtful = false
        attempts = 0
        lastError = nil
        admitOverflow()
    }

    private mutating func fly(_ message: Outgoing, origin: NodeIdentity, makeID: () -> MessageID) -> Flying {
        let kind = message.body.kind
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
        return Flying(message: ClusterMessage(header: header, body: body), audience: message.audience, deadline: message.deadline)
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

    /// Messages were written: the receivers get the time that they need for them.
    private mutating func pace(_ count: Int, now: NIODeadline) {
        if let pacing = limits.pacing { paceDeadline = now + pacing.time(of: count) }
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
        settlement.fail(refused, .notSent(cause))
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
        expireQueue(now: now, into: &settlement)
        return settlement
    }

    private mutating func expireBatch(now: NIODeadline, into settlement: inout Settlement) {
        guard !batch.isEmpty else { return }
        if case .pausing = state, !isDoubtful { return expireUnwritten(now: now, into: &settlement) }
        for index in batch.indices where batch[index].deadline <= now {
            let error = ClusterError(.unknown, "the write timeout has passed and the outcome is unknown", cause: lastError)
            settlement.fail(batch[index], .unknown(error))
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
            settlement.fail(flying, .notSent(notInTime))
        }
        batch.removeAll { $0.deadline <= now }
        listVoids()
        if batch.isEmpty {
            settlement.isAbandoned = true
            state = .idle
        }
    }

    private mutating func expireQueue(now: NIODeadline, into settlement: inout Settlement) {
        guard earliestDeadline <= now else { return }
        earliestDeadline = .distantFuture
        queue = sweep(queue, now: now, into: &settlement)
        queuedBytes = queue.reduce(0) { $0 + $1.bytes }
        overflow = sweep(overflow, now: now, into: &settlement)
        admitOverflow()
        settlement.writes += takeAdmitted()
    }

    /// Removes expired and withdrawn messages, wherever they are.
    private mutating func sweep(_ waiting: Deque<Waiting>, now: NIODeadline, into settlement: inout Settlement) -> Deque<Waiting> {
        var rest: Deque<Waiting> = []
        for item in waiting {
            let isWithdrawn = wasWithdrawn(item.message.ticket)
            if isWithdrawn || item.message.deadline <= now {
                count(item, -1)
                if !isWithdrawn { settlement.fail(item.message, .notSent(notInTime)) }
            } else {
                earliestDeadline = min(earliestDeadline, item.message.deadline)
                rest.append(item)
            }
        }
        return rest
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
        for flying in batch { settlement.fail(flying, .unknown(unknown)) }
        for waiting in queue + overflow where !wasWithdrawn(waiting.message.ticket) { settlement.fail(waiting.message, .notSent(error)) }
        batch.removeAll()
        queue.removeAll()
        overflow.removeAll()
        queuedBytes = 0
        waitingMemberships = 0
        waitingAnswers = 0
        answerBytes = 0
        withdrawn.removeAll()
        state = .idle
        return settlement
    }

    /// A node is gone: numbers for it are not kept.
    package mutating func forget(_ target: NodeID) { numbers.forget(target) }

    /// The ids of the broadcasts of a namespace that are not yet known to be written.
    package func unwrittenBroadcasts(of namespace: String) -> [MessageID] {
        let flying = batch.compactMap { item in
            item.message.header.kind == .broadcast && item.message.header.namespace == namespace ? item.message.header.id : nil
        }
        let waiting = (queue + overflow).compactMap { item in
            item.message.body.kind == .broadcast && item.message.namespace == namespace ? item.message.id : nil
        }
        return flying + waiting
    }
}

extension SendLaneStateMachine.Settlement {
    fileprivate mutating func fail(_ flying: SendLaneStateMachine.Flying, _ fate: WriteFate) {
        let header = flying.message.header
        fail(flying.audience, header.namespace, flying.message.body, header.id, fate)
    }

    fileprivate mutating func fail(_ message: Outgoing, _ fate: WriteFate) {
        fail(message.audience, message.namespace, message.body, message.id, fate)
    }

    private mutating func fail(
        _ audience: Outgoing.Audience,
        _ namespace: String,
        _ body: ClusterBody,
        _ id: MessageID?,
        _ fate: WriteFate
    ) {
        switch audience {
        case .sender(let ticket): writes.append(SettledWrite(ticket: ticket, fate: fate))
        case .application:
            guard let error = fate.error else { return }
            undelivered.append(UndeliveredMessage(namespace: namespace, body: body, id: id, error: error))
        case .count: dropped += 1
        case .none: break
        }
    }
}
