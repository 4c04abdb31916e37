// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore
import SocketIOConcurrency
import SocketIOCore
import Synchronization

/// Reads a node's stream, reopens it when it ends, and hands each message to the state machine or to its namespace.
final class StreamReader: Sendable {
    private let id: NodeID
    private let driver: any Driver
    private let runner: MachineRunner
    private let namespaces: NamespaceTable
    private let clock: ClusterClock
    private let metrics: ClusterMetrics
    private let log: ClusterLog
    private let ids: MessageIDGenerator
    /// Whether messages of this node matter to recovery when they return.
    private let notesReturns: Bool
    private let applying = Mutex(Applying())
    private let opened = Gate()

    init(
        id: NodeID,
        driver: any Driver,
        runner: MachineRunner,
        namespaces: NamespaceTable,
        clock: ClusterClock,
        metrics: ClusterMetrics,
        log: ClusterLog,
        ids: MessageIDGenerator,
        notesReturns: Bool
    ) {
        self.id = id
        self.driver = driver
        self.runner = runner
        self.namespaces = namespaces
        self.clock = clock
        self.metrics = metrics
        self.log = log
        self.ids = ids
        self.notesReturns = notesReturns
    }

    /// Returns when the stream was opened for the first time, or after a time limit.
    func waitUntilOpened(atMost limit: Duration) async {
        await withTimeLimit(limit) { await self.opened.wait() }
    }

    /// Whether a message is being applied, and what is to be done when it is.
    private struct Applying {
        var isBusy = false
        var jobs: [@Sendable () -> Void] = []
    }

    /// Calls a function when no message is being applied: all that was received has been handed to the loops. It must not block.
    func betweenMessages<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            let value: Value? = applying.withLock { applying in
                guard applying.isBusy else { return body() }
                applying.jobs.append { continuation.resume(returning: body()) }
                return nil
            }
            if let value { continuation.resume(returning: value) }
        }
    }

    /// - Returns: The rooms whose event loops must catch up before the next message.
    private func apply(_ header: ClusterHeader, _ payload: ClusterPayload, _ pace: inout ReadPace) -> CoreLocalAdapter? {
        applying.withLock { $0.isBusy = true }
        let crowded = receive(header, payload, &pace)
        let jobs = applying.withLock { applying in
            defer { applying = Applying() }
            return applying.jobs
        }
        for job in jobs { job() }
        return crowded
    }

    /// Reads until the task is cancelled.
    func run() async {
        var failures = 0
        while !Task.isCancelled {
            let hasOpened = await withTaskGroup { group in
                group.addTask(executorPreference: self.driver.readingExecutor) { await self.read(self.driver) }
                group.addTask {
                    await self.runner.waitForReopening()
                    return false
                }
                // The stream ends by itself, or the node gives up on it.
                let first = await group.next() ?? false
                group.cancelAll()
                return await group.reduce(first) { $0 || $1 }
            }
            failures = hasOpened ? 0 : failures + 1
            guard !Task.isCancelled else { return }
            let pause = min(5_000, 50 << min(failures, 10))
            try? await clock.sleep(for: .milliseconds(Double(pause) * Double.random(in: 0.5...1)))
        }
    }

    /// Reads a stream to its end.
    ///
    /// - Returns: Whether it was open.
    private func read(_ driver: some Driver) async -> Bool {
        var hasOpened = false
        var pace = ReadPace()
        do {
            for try await item in try await driver.watch(as: id) {
                hasOpened = true
                if let crowded = receive(item, &pace) { await pace.catchUp(crowded) }
            }
            log.streamEnded()
        } catch {
            guard !Task.isCancelled else { return hasOpened }
            log.streamFailed(error)
        }
        return hasOpened
    }

    private func receive(_ item: DriverItem, _ pace: inout ReadPace) -> CoreLocalAdapter? {
        switch item {
        case .opened(let lost):
            runner.perform { machine, now in machine.streamOpened(lost: lost, now: now, makeID: ids.next) }
            opened.open()
        case .own(let id, let origin):
            if notesReturns { for mover in namespaces.movers { mover.cameBack(id) } }
            runner.perform { machine, now in machine.cameBack(id, origin: origin, now: now, makeID: ids.next) }
        case .skipped(let reason): runner.perform { machine, now in machine.skipped(reason, now: now) }
        case .untrusted(let reason): runner.perform { machine, now in machine.distrusted(reason, now: now) }
        case .message(let header, let payload): return apply(header, payload, &pace)
        }
        return nil
    }

    private func receive(_ header: ClusterHeader, _ payload: ClusterPayload, _ pace: inout ReadPace) -> CoreLocalAdapter? {
        var isWanted = false
        let actions = runner.step { machine, now in
            let result = machine.receive(header, now: now, makeID: ids.next)
            isWanted = result.isWanted
            return result.1
        }
        metrics.messageReceived(isWanted: isWanted)
        runner.perform(actions)
        guard isWanted else { return nil }
        do {
            let body = try payload.body(for: header)
            guard header.kind.isAnswer || header.kind.isMembership else {
                guard let adapter = namespaces[header.namespace] else { return nil }
                adapter.apply(header, body)
                return pace.isFull(after: body) ? adapter.local : nil
            }
            runner.perform { machine, now in machine.process(header, body, now: now) }
        } catch {
            runner.perform { machine, now in machine.skipped("\(header.kind) of \(header.origin): \(error)", now: now) }
            if header.kind.isRequest { runner.answer(header, with: .errorAnswer("the request could not be understood")) }
        }
        return nil
    }
}
