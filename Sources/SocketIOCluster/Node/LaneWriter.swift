// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCore

/// Writes the batches of a lane, one after the other.
struct LaneWriter: Sendable {
    let lane: Int
    let driver: any Driver
    let runner: MachineRunner
    let namespaces: NamespaceTable
    let clock: ClusterClock
    let metrics: ClusterMetrics
    let log: ClusterLog
    let ids: MessageIDGenerator

    /// Writes until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            var next = SendLaneStateMachine.WriteAction.wait
            runner.perform { machine, now in
                let result = machine.nextBatch(lane: lane, now: now, makeID: ids.next)
                next = result.0
                return result.1
            }
            switch next {
            case .wait: await runner.waitForWork(lane: lane)
            case .pause(let until):
                await runner.waitForWork(lane: lane, atMost: .nanoseconds(max(0, (until - clock.now).nanoseconds)))
            case .write(let batch):
                for mover in namespaces.movers { mover.numbered(batch) }
                await write(batch)
            }
        }
    }

    private func write(_ batch: [ClusterMessage]) async {
        let start = ContinuousClock.now
        let outcome = await driver.emit(batch)
        metrics.attempted(batch.count, outcome, took: .now - start)
        log.batch(outcome, lane: lane)
        runner.perform { machine, now in
            machine.batchCompleted(lane: lane, outcome, now: now, jitter: Double.random(in: 0...1))
        }
    }
}
