// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import SocketIOConcurrency

/// An ``EngineLoop`` as other event loops see it: the place to send work for its sessions and connections.
final class EngineLoopHandle: Sendable {
    let eventLoop: any EventLoop
    private let loop: NIOLoopBound<EngineLoop>

    fileprivate init(_ loop: EngineLoop, eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        self.loop = NIOLoopBound(loop, eventLoop: eventLoop)
    }

    /// The loop's state, on the loop itself.
    var local: EngineLoop { loop.value }

    /// Runs `work` on the loop: at once if called there, else soon.
    func execute(_ work: @escaping @Sendable (EngineLoop) -> Void) {
        if eventLoop.inEventLoop {
            work(local)
        } else {
            eventLoop.execute { work(self.local) }
        }
    }
}

/// The state that all sessions and connections of one event loop share: the timer wheel, the list of sessions to flush at the end of the
/// tick, and the work collected for other event loops.
final class EngineLoop {
    /// Work for another event loop, sent as one task per tick.
    private struct Outbox {
        let target: EngineLoopHandle
        var work: [@Sendable (EngineLoop) -> Void] = []
    }

    /// A pause between two portions of work, in which the loop reads and writes.
    static let pause = TimeAmount.microseconds(500)

    /// After how many ticks with one packet the next is expected to be such a tick.
    private static let quietEnough = 8

    let eventLoop: any EventLoop
    let context: EngineContext
    // Unchecked for the same reason as those of ``EngineSession``.
    /// The counts since the last flush, for the metrics.
    @exclusivity(unchecked) var tally = EngineMetrics.Tally()
    /// The frames that the sessions send in this tick.
    @exclusivity(unchecked) var log = TickLog()
    /// How many ticks in a row, of those that sent anything, sent one packet, up to ``quietEnough``.
    @exclusivity(unchecked) private var quietTicks = 0
    /// The buffer for the next WebSocket that has something to read.
    @exclusivity(unchecked) var receiveBuffer: ByteBuffer?
    /// The time in answers.
    @exclusivity(unchecked) private var date = HTTPDate()
    /// Memory for bytes that are put together and copied immediately.
    private var scratch: [UInt8] = []
    private var ownHandle: EngineLoopHandle?
    private var wheel: TimerWheel
    private var wakeUp: Scheduled<Void>?
    private var wakeUpDeadline = NIODeadline.distantFuture
    @exclusivity(unchecked) private var dirty: [EngineSession] = []
    private var outboxes: [Outbox] = []
    @exclusivity(unchecked) private var isFlushScheduled = false

    private init(eventLoop: any EventLoop, context: EngineContext) {
        self.eventLoop = eventLoop
        self.context = context
        self.wheel = TimerWheel(start: eventLoop.now)
    }

    /// Makes the state of an event loop; to be called on it.
    static func make(on eventLoop: any EventLoop, context: EngineContext) -> EngineLoopHandle {
        let loop = EngineLoop(eventLoop: eventLoop, context: context)
        let handle = EngineLoopHandle(loop, eventLoop: eventLoop)
        loop.ownHandle = handle
        return handle
    }

    /// How other loops reach this one.
    var handle: EngineLoopHandle { ownHandle ?? EngineLoopHandle(self, eventLoop: eventLoop) }

    /// An empty array that has memory already.
    func takeScratch() -> [UInt8] {
        var result: [UInt8] = []
        swap(&result, &scratch)
        return result
    }

    /// Takes it back for the next time.
    func giveBack(scratch used: [UInt8]) {
        guard used.capacity <= 64 << 10 else { return }
        scratch = used
        scratch.removeAll(keepingCapacity: true)
    }

    /// The field `Date` of answers.
    ///
    /// - Parameter time: The time, in seconds since 1970.
    func date(_ time: Double = WallClock.now()) -> HTTPDate {
        date.update(time)
        return date
    }

    // MARK: Other loops

    /// Runs `work` on the loop of `target`: at once if that is this one, else together with all work for it that this tick collects.
    ///
    /// Work arrives in the order of the calls.
    func perform(on target: EngineLoopHandle, _ work: @escaping @Sendable (EngineLoop) -> Void) {
        if target === ownHandle { return work(self) }
        if let index = outboxes.firstIndex(where: { $0.target === target }) {
            outboxes[index].work.append(work)
        } else {
            outboxes.append(Outbox(target: target, work: [work]))
        }
        scheduleFlush()
    }

    /// Runs `work` on the loop of a session, in the order of the calls.
    func perform(on session: SessionHandle, _ work: @escaping @Sendable (EngineSession) -> Void) {
        perform(on: session.home) { _ in work(session.session.value) }
    }

    private func sendOutboxes() {
        for index in outboxes.indices where !outboxes[index].work.isEmpty {
            let work = outboxes[index].work
            outboxes[index].work.removeAll(keepingCapacity: work.count <= 256)
            let target = outboxes[index].target
            target.eventLoop.execute {
                let loop = target.local
                for item in work { item(loop) }
            }
        }
    }

    // MARK: Flushing

    /// Flushes the session at the end of the current tick.
    func markDirty(_ session: EngineSession) {
        dirty.append(session)
        scheduleFlush()
    }

    /// Makes sure that the end of this tick does its work.
    func scheduleFlush() {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        eventLoop.assumeIsolated().execute { self.flush() }
    }

    /// Whether a packet that many sessions send need not wait for the end of the tick: none is expected to share its writes.
    var writesEarly: Bool { quietTicks == Self.quietEnough && log.count == 1 }

    /// The first session that sends a packet cannot know that others will, too: it writes with the second one.
    func writeFirstEarly() {
        if dirty.count == 1 { dirty[0].writeEarlyIfAlone() }
    }

    private func flush() {
        isFlushScheduled = false
        // Ticks in which nothing was sent do not count.
        if log.count == 1 { quietTicks = min(quietTicks + 1, Self.quietEnough) } else if log.count > 1 { quietTicks = 0 }
        var sessions: [EngineSession] = []
        swap(&sessions, &dirty)
        let logged = log.seal()
        for session in sessions { session.flush() }
        log.removeAll(before: logged)
        // The list keeps its memory for the next tick, unless this was a rare peak.
        if dirty.isEmpty, sessions.capacity <= 4096 {
            sessions.removeAll(keepingCapacity: true)
            swap(&sessions, &dirty)
        }
        sendOutboxes()
        // Moved out first: the metrics backend is not ours.
        let counted = tally
        tally = EngineMetrics.Tally()
        context.metrics.record(counted)
    }

    // MARK: Time

    /// The time from which the next ping is counted: now, but for intervals of a second and more up to 10 ms earlier, so that one turn of
    /// the wheel sends the pings of many sessions. A ping that is early shortens no client's time to answer.
    var heartbeatTime: NIODeadline {
        let now = eventLoop.now
        guard context.timing.pingInterval >= .seconds(1) else { return now }
        let grain = UInt64(TimerWheel.granularity.nanoseconds)
        return .uptimeNanoseconds(now.uptimeNanoseconds / grain * grain)
    }

    /// The deadline of a connection: the time from now on, rounded up to 10 ms, so that one turn of the wheel ends many connections.
    func connectionDeadline(in time: TimeAmount) -> NIODeadline {
        let grain = UInt64(TimerWheel.granularity.nanoseconds)
        return .uptimeNanoseconds(((eventLoop.now + time).uptimeNanoseconds + grain - 1) / grain * grain)
    }

    /// Calls `item.deadlineReached` at `deadline`, and no longer at a time set before. nil cancels it.
    func schedule(_ item: any TimerWheelItem, at deadline: NIODeadline?) {
        wheel.schedule(item, at: deadline)
        if let deadline, deadline < wakeUpDeadline { scheduleWakeUp() }
    }

    private func scheduleWakeUp() {
        guard let deadline = wheel.nextDeadline, deadline < wakeUpDeadline else { return }
        wakeUp?.cancel()
        wakeUpDeadline = deadline
        wakeUp = eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.turnWheel() }
    }

    private func turnWheel() {
        wakeUp = nil
        wakeUpDeadline = .distantFuture
        let now = eventLoop.now
        for item in wheel.expired(now: now) { item.deadlineReached(now: now) }
        scheduleWakeUp()
    }
}
