// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import Testing

@testable import SocketIOCluster
@testable import SocketIOCore

/// What happens to requests, and to what is sent behind them, before they are written.
@Suite("Calls that wait")
struct HeldCallsTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private let identity = NodeIdentity(id: "me", epoch: 1)
    private let other = NodeIdentity(id: "other", epoch: 9)

    private final class IDs {
        var last: UInt64 = 0
        func make() -> MessageID {
            last += 1
            return MessageID(seconds: 0, process: 0, counter: last)
        }
    }

    private let ids = IDs()

    private func machine(_ change: (inout ClusterConfiguration) -> Void = { _ in }) -> ClusterStateMachine {
        var configuration = ClusterConfiguration()
        change(&configuration)
        var machine = ClusterStateMachine(configuration: configuration, identity: identity, messageLimit: 1_000_000, now: start)
        for namespace in ["/", "/other"] { _ = machine.register(namespace, now: start, makeID: ids.make) }
        return machine
    }

    /// The other node is known, and nothing has been written but heartbeats.
    private func settle(_ machine: inout ClusterStateMachine) -> [ClusterStateMachine.Action] {
        _ = machine.streamOpened(lost: false, now: start, makeID: ids.make)
        let announcement = write(&machine).first?.header.id ?? ids.make()
        _ = machine.cameBack(announcement, origin: identity, now: start, makeID: ids.make)
        let header = ClusterHeader(id: ids.make(), kind: .heartbeat, namespace: "", origin: other)
        _ = machine.process(header, .heartbeat(ClusterHeartbeat(beat: 1)), now: start)
        return machine.tick(now: start + .milliseconds(500), makeID: ids.make)
    }

    private func write(_ machine: inout ClusterStateMachine) -> [ClusterMessage] {
        guard case .write(let batch) = machine.nextBatch(lane: 0, now: start, makeID: ids.make).0 else { return [] }
        _ = machine.batchCompleted(lane: 0, .written, now: start, jitter: 0)
        return batch.filter { !$0.header.kind.isMembership }
            + (batch.allSatisfy { $0.header.kind.isMembership } ? batch : [])
    }

    private func emit(_ machine: inout ClusterStateMachine, _ ticket: UInt64, _ namespace: String = "/", after seconds: Int64 = 30)
        -> [ClusterStateMachine.Action]
    {
        let packet = BroadcastPacket(EncodedPacket(message: ByteBuffer(string: "2[]"), isBinary: false), offset: ids.make())
        let body = ClusterBody.broadcast(packet, BroadcastOptions())
        let deadline = start + .seconds(seconds)
        return machine.send(Outgoing(namespace: namespace, body: body, id: packet.offset, ticket: ticket, deadline: deadline))
    }

    @Test
    func `Volatile messages have a part of what may wait, and are given up soon`() {
        var machine = machine { $0.maximumQueuedMessages = 4 }
        askForAcknowledgements(&machine, 1)
        func send(_ ticket: UInt64, _ certainty: Outgoing.Certainty) -> Bool {
            let body = ClusterBody.serverSideEmit(.empty(.json))
            let deadline = machine.writeDeadline(certainty, now: start)
            let actions = machine.send(
                Outgoing(namespace: "/", body: body, ticket: ticket, certainty: certainty, deadline: deadline)
            )
            return actions.contains { if case .settle = $0 { true } else { false } }
        }
        for ticket: UInt64 in 1...3 { #expect(send(ticket, .volatile)) }
        #expect(machine.waitingCount == 1)
        for ticket: UInt64 in 4...7 { #expect(send(ticket, .accepted)) }
        #expect(!send(8, .accepted))
        #expect(machine.writeDeadline(.volatile, now: start) == start + .seconds(2))
        _ = machine.tick(now: start + .seconds(2), makeID: ids.make)
        #expect(machine.waitingCount == 5)
    }

    private func request(_ number: UInt64) -> ClusterRequestID { ClusterRequestID(high: number, low: 0) }

    private func askForAcknowledgements(_ machine: inout ClusterStateMachine, _ number: UInt64, timeout: Duration = .seconds(5)) {
        let packet = BroadcastPacket(EncodedPacket(message: ByteBuffer(string: "2[]"), isBinary: false))
        let body = ClusterBody.broadcastWithAck(packet, BroadcastOptions())
        _ = machine.request(
            request(number),
            .acknowledgements(single: false),
            namespace: "/",
            target: nil,
            body: body,
            timeout: timeout,
            now: start
        )
    }

    private func ask(_ machine: inout ClusterStateMachine, _ number: UInt64, timeout: Duration = .seconds(5))
        -> [ClusterStateMachine.Action]
    {
        let body = ClusterBody.serverSideEmitWithAck(.empty(.json), timeout: timeout)
        return machine.request(request(number), .answers, namespace: "/", target: nil, body: body, timeout: timeout, now: start)
    }

    private func kinds(_ batch: [ClusterMessage]) -> [ClusterMessageKind] { batch.map(\.header.kind) }

    private func fates(_ actions: [ClusterStateMachine.Action]) -> [UInt64] {
        actions.compactMap { action in
            guard case .settle(let write) = action, case .notSent = write.fate else { return nil }
            return write.ticket
        }
    }

    @Test
    func `What is emitted after a broadcast that wants acknowledgements is written after it, also while that is held`() {
        var machine = machine()
        _ = emit(&machine, 1)
        askForAcknowledgements(&machine, 1)
        _ = emit(&machine, 2)
        askForAcknowledgements(&machine, 2)
        _ = emit(&machine, 3)
        _ = emit(&machine, 4, "/other")
        #expect(machine.unwrittenBroadcasts(of: "/").count == 3)
        #expect(machine.waitingCount == 4)
        _ = machine.streamOpened(lost: false, now: start, makeID: ids.make)
        // The other namespace, and what came before, do not wait.
        #expect(kinds(write(&machine)) == [.broadcast, .broadcast])
        _ = settle(&machine)
        #expect(!machine.isFlushed)
        #expect(kinds(write(&machine)) == [.broadcastWithAck, .broadcast, .broadcastWithAck, .broadcast])
        #expect(machine.isFlushed)
    }

    @Test
    func `A request that is given up holds up nothing any more`() {
        var machine = machine()
        _ = machine.streamOpened(lost: false, now: start, makeID: ids.make)
        _ = write(&machine)
        askForAcknowledgements(&machine, 1)
        _ = emit(&machine, 1)
        askForAcknowledgements(&machine, 2, timeout: .seconds(1))
        _ = emit(&machine, 2)
        #expect(write(&machine).isEmpty)
        #expect(!machine.cancel(request(1)).mayBeSent)
        #expect(kinds(write(&machine)) == [.broadcast])
        _ = machine.tick(now: start + .seconds(2), makeID: ids.make)
        #expect(kinds(write(&machine)) == [.broadcast])
        #expect(machine.pendingCount == 0)
    }

    @Test
    func `The deadline of a message that waits behind a request keeps running, and closing tells its sender`() {
        var machine = machine { $0.settleTimeout = .seconds(60) }
        askForAcknowledgements(&machine, 1, timeout: .seconds(60))
        _ = emit(&machine, 1, after: 2)
        _ = emit(&machine, 2, after: 20)
        #expect(fates(machine.tick(now: start + .seconds(3), makeID: ids.make)) == [1])
        #expect(fates(machine.close()) == [2])
    }

    @Test
    func `A request whose caller has gone is not written, and one that may have been written says so`() {
        struct Failure: Error {}
        var machine = machine()
        _ = settle(&machine)
        _ = write(&machine)
        // It waits in the lane.
        _ = ask(&machine, 1)
        #expect(!machine.cancel(request(1)).mayBeSent)
        #expect(write(&machine).isEmpty)
        #expect(machine.isFlushed)
        // It is being written.
        _ = ask(&machine, 2)
        guard case .write = machine.nextBatch(lane: 0, now: start, makeID: ids.make).0 else {
            Issue.record("nothing is written")
            return
        }
        #expect(machine.cancel(request(2)).mayBeSent)
        _ = machine.batchCompleted(lane: 0, .written, now: start, jitter: 0)
        #expect(machine.cancel(request(2)).mayBeSent)
        // Nothing of its batch was written: its number is void.
        _ = ask(&machine, 3)
        _ = machine.nextBatch(lane: 0, now: start, makeID: ids.make)
        _ = machine.batchCompleted(lane: 0, .notWritten(Failure()), now: start, jitter: 0)
        #expect(!machine.cancel(request(3)).mayBeSent)
        _ = emit(&machine, 9)
        #expect(write(&machine).first?.header.stamp == NumberStamp(lane: 0, number: 3, void: [2...2]))
        // Nobody knows whether it was written.
        _ = ask(&machine, 4)
        _ = machine.nextBatch(lane: 0, now: start, makeID: ids.make)
        _ = machine.batchCompleted(lane: 0, .unknown(Failure()), now: start, jitter: 0)
        #expect(machine.cancel(request(4)).mayBeSent)
    }

    @Test
    func `A request of which everybody has left is not written`() {
        var machine = machine()
        _ = settle(&machine)
        _ = write(&machine)
        _ = ask(&machine, 1)
        let leave = ClusterHeader(id: ids.make(), kind: .leave, namespace: "", origin: other)
        _ = machine.process(leave, .leave, now: start)
        #expect(machine.pendingCount == 0)
        #expect(write(&machine).isEmpty)
    }

    @Test(.timeLimit(.minutes(1)))
    func `A namespace that is announced late holds up no other`() {
        var machine = machine { $0.announcesNamespaces = true }
        _ = machine.streamOpened(lost: false, now: start, makeID: ids.make)
        for message in write(&machine) { _ = machine.cameBack(message.header.id, origin: identity, now: start, makeID: ids.make) }
        let header = ClusterHeader(id: ids.make(), kind: .heartbeat, namespace: "/", origin: other)
        _ = machine.process(header, .heartbeat(ClusterHeartbeat(beat: 0)), now: start)
        _ = machine.tick(now: start + .milliseconds(500), makeID: ids.make)
        _ = machine.register("/late", now: start + .milliseconds(500), makeID: ids.make)
        _ = ask(&machine, 1)
        #expect(write(&machine).contains { $0.header.kind == .serverSideEmitWithAck })
    }
}
