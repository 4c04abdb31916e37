// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import SocketIOCluster
@testable import SocketIOCore

@Suite("Watch for a deaf stream")
struct EchoWatchTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private func watch() -> EchoWatchStateMachine { EchoWatchStateMachine(limit: .seconds(2)) }
    private func id(_ number: UInt64) -> MessageID { MessageID(seconds: 0, process: 0, counter: number) }

    @Test
    func `What is written and does not come back in time opens the stream again; what comes back heals it`() {
        var watch = watch()
        watch.willWrite(id(1), lane: 0)
        #expect(watch.tick(now: start + .seconds(60)) == .none)
        watch.written(lane: 0, now: start)
        #expect(watch.tick(now: start + .seconds(2)) == .none)
        #expect(watch.tick(now: start + .seconds(3)) == .reopen)
        #expect(watch.isDeaf)
        let isNews = watch.cameBack(id(1))
        #expect(isNews)
        #expect(!watch.isDeaf)
    }

    @Test
    func `A message that the backend refuses is not waited for, also if nothing else is written for long`() {
        var watch = watch()
        watch.willWrite(id(2), lane: 0)
        watch.refused(id(2))
        watch.written(lane: 0, now: start)
        #expect(watch.tick(now: start + .seconds(60)) == .none)
    }

    @Test
    func `The end of a batch that was taken out of it is not waited for`() {
        var watch = watch()
        watch.willWrite(id(2), lane: 0)
        watch.willWrite(id(7), lane: 1)
        // The rest is for one node only: nothing of it comes back.
        watch.willWrite(nil, lane: 0)
        watch.written(lane: 0, now: start)
        #expect(watch.tick(now: start + .seconds(60)) == .none)
        watch.written(lane: 1, now: start)
        #expect(watch.tick(now: start + .seconds(60)) == .reopen)
    }

    @Test
    func `What was being written while the stream lost its place may be among the lost`() {
        var watch = watch()
        watch.willWrite(id(1), lane: 0)
        watch.opened(lost: true, now: start)
        watch.willWrite(id(1), lane: 0)
        watch.written(lane: 0, now: start)
        #expect(watch.tick(now: start + .seconds(60)) == .none)
        watch.willWrite(id(2), lane: 0)
        watch.written(lane: 0, now: start)
        #expect(watch.tick(now: start + .seconds(60)) == .reopen)
    }

    @Test
    func `No node is deaf between two heartbeats that are further apart than the limit`() {
        var configuration = ClusterConfiguration()
        configuration.heartbeatInterval = .seconds(60)
        configuration.heartbeatTimeout = .seconds(180)
        configuration.deafnessTimeout = .seconds(2)
        let identity = NodeIdentity(id: "me", epoch: 1)
        var machine = ClusterStateMachine(configuration: configuration, identity: identity, messageLimit: 1_000, now: start)
        struct Failure: Error {}
        var number: UInt64 = 0
        func makeID() -> MessageID {
            number += 1
            return id(number)
        }
        _ = machine.streamOpened(lost: false, now: start, makeID: makeID)
        for isRefused in [false, true] {
            let body = ClusterBody.serverSideEmit(.empty(.json))
            _ = machine.send(Outgoing(namespace: "/", body: body, ticket: machine.makeTicket(), deadline: .distantFuture))
            guard case .write(let batch) = machine.nextBatch(lane: 0, now: start, makeID: makeID).0 else { return }
            let outcome: BatchOutcome = isRefused ? .refused(index: 0, error: Failure()) : .written
            _ = machine.batchCompleted(lane: 0, outcome, now: start, jitter: 0)
            guard !isRefused else { continue }
            for message in batch { _ = machine.cameBack(message.header.id, origin: identity, now: start, makeID: makeID) }
        }
        for second in 1...50 {
            for case .reopenStream in machine.tick(now: start + .seconds(Int64(second)), makeID: makeID) { Issue.record("opened again") }
        }
        #expect(machine.health == .healthy)
    }
}
