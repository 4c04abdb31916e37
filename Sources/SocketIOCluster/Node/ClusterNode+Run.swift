// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore
import SocketIOConcurrency
import SocketIOCore
import Synchronization

extension ClusterNode {
    /// Runs the node's tasks until it is cancelled: the stream, the clock, a writer for each lane, and those that answer requests.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.runStream() }
            group.addTask { await self.runClock() }
            group.addTask { await self.responders.run() }
            group.addTask { await self.relays.run() }
            if self.configuration.snapshotsSessions { group.addTask { await self.keepers.run() } }
            for lane in self.lanes.indices {
                group.addTask(executorPreference: self.driver.writingExecutor(lane: lane)) { await self.runWriter(lane) }
            }
        }
    }

    /// How exactly times are kept.
    private static var resolution: Duration { .milliseconds(50) }

    private func runClock() async {
        var ticks = 0
        while !Task.isCancelled {
            try? await sleep(for: Self.resolution)
            perform { machine, now in machine.tick(now: now, makeID: self.makeID) }
            ticks += 1
            guard ticks.isMultiple(of: 20) else { continue }
            sampleMetrics()
            if configuration.snapshotsSessions { for adapter in recoveringAdapters { adapter.snapshots?.renewIfDue() } }
        }
    }

    private func sampleMetrics() {
        let (waiting, pending, nodes) = state.withLock { state in
            (state.machine.waitingCount, state.machine.pendingCount, state.machine.memberCount)
        }
        options.metrics.sample(waiting: waiting, pending: pending, nodes: 1 + nodes)
    }

    // MARK: Writing

    private func runWriter(_ lane: Int) async {
        while !Task.isCancelled {
            var next = SendLaneStateMachine.WriteAction.wait
            let actions = step { state in
                let result = state.machine.nextBatch(lane: lane, now: now, makeID: makeID)
                next = result.0
                return result.1
            }
            perform(actions)
            switch next {
            case .wait: await lanes[lane].wait()
            case .pause(let until):
                let duration = Duration.nanoseconds(max(0, (until - now).nanoseconds))
                try? await sleep(for: duration)
            case .write(let batch):
                for adapter in recoveringAdapters { adapter.numbered(batch) }
                await write(batch, lane: lane)
            }
        }
    }

    private func write(_ batch: [ClusterMessage], lane: Int) async {
        let start = ContinuousClock.now
        let outcome = await driver.emit(batch)
        options.metrics.attempted(batch.count, outcome, took: .now - start)
        switch outcome {
        case .written: break
        case .refused(_, let error), .unknown(let error), .notWritten(let error):
            options.logger.debug("a batch was not written", metadata: ["error": "\(error)", "socketio.lane": "\(lane)"])
        }
        perform { machine, now in machine.batchCompleted(lane: lane, outcome, now: now, jitter: Double.random(in: 0...1)) }
    }

    // MARK: Reading

    private func runStream() async {
        var failures = 0
        while !Task.isCancelled {
            let hasOpened = await withTaskGroup { group in
                group.addTask(executorPreference: self.driver.readingExecutor) { await self.readStream(self.driver) }
                group.addTask {
                    await self.reopen.wait()
                    return false
                }
                // Whichever ends first: the stream, or the patience with it.
                let first = await group.next() ?? false
                group.cancelAll()
                return await group.reduce(first) { $0 || $1 }
            }
            failures = hasOpened ? 0 : failures + 1
            guard !Task.isCancelled else { return }
            let pause = min(5_000, 50 << min(failures, 10))
            try? await sleep(for: .milliseconds(Double(pause) * Double.random(in: 0.5...1)))
        }
    }

    /// Reads a stream to its end.
    ///
    /// - Returns: Whether it was open.
    private func readStream(_ driver: some Driver) async -> Bool {
        var hasOpened = false
        do {
            for try await item in try await driver.watch(as: id) {
                hasOpened = true
                receive(item)
            }
            options.logger.debug("the stream has ended")
        } catch {
            guard !Task.isCancelled else { return hasOpened }
            log.stream(error)
        }
        return hasOpened
    }

    private func receive(_ item: DriverItem) {
        switch item {
        case .opened(let lost):
            perform { machine, now in machine.streamOpened(lost: lost, now: now, makeID: self.makeID) }
            listening.raise()
        case .own(let id, let origin):
            if driver.keepsSessions || configuration.snapshotsSessions { for adapter in recoveringAdapters { adapter.cameBack(id) } }
            perform { machine, now in machine.cameBack(id, origin: origin, now: now, makeID: self.makeID) }
        case .skipped(let reason): perform { machine, now in machine.skipped(reason, now: now) }
        case .untrusted(let reason): perform { machine, now in machine.distrusted(reason, now: now) }
        case .message(let header, let payload): receive(header, payload)
        }
    }

    private func receive(_ header: ClusterHeader, _ payload: ClusterPayload) {
        // There is one reader.
        let count = reading.load(ordering: .relaxed)
        reading.store(count &+ 1, ordering: .sequentiallyConsistent)
        defer { reading.store(count &+ 2, ordering: .releasing) }
        var isWanted = false
        let actions = step { state in
            let result = state.machine.receive(header, now: now, makeID: makeID)
            isWanted = result.isWanted
            return result.1
        }
        options.metrics.messageReceived(isWanted: isWanted)
        perform(actions)
        guard isWanted else { return }
        do {
            let body = try payload.body(for: header)
            guard header.kind.isAnswer || header.kind.isMembership else { return apply(header, body) }
            perform { machine, now in machine.process(header, body, now: now) }
        } catch {
            perform { machine, now in machine.skipped("\(header.kind) of \(header.origin): \(error)", now: now) }
            if header.kind.isRequest { answer(header, with: .errorAnswer("the request could not be understood")) }
        }
    }

    /// Hands a message to the namespace that it is for.
    func apply(_ header: ClusterHeader, _ body: ClusterBody) { adapter(of: header.namespace)?.apply(header, body) }
}
