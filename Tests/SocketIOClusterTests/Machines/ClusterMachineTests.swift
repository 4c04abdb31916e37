// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import SocketIOCluster
@testable import SocketIOCore

/// What is not easily seen in the simulation: single steps of the cluster's state machine.
@Suite("Cluster state machine")
struct ClusterMachineTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private let other = NodeIdentity(id: "other", epoch: 9)
    private let id = MessageID(seconds: 0, process: 0, counter: 77)

    private func makeID() -> MessageID { id }

    /// A machine that knows the other node and has settled.
    private func settled(_ change: (inout ClusterConfiguration) -> Void = { _ in }) -> ClusterStateMachine {
        var configuration = ClusterConfiguration()
        change(&configuration)
        var machine = ClusterStateMachine(
            configuration: configuration,
            identity: NodeIdentity(id: "me", epoch: 1),
            messageLimit: 1_000_000,
            now: start
        )
        _ = machine.register("/", now: start, makeID: makeID)
        _ = machine.streamOpened(lost: false, now: start, makeID: makeID)
        _ = machine.cameBack(id, origin: machine.identity, now: start, makeID: makeID)
        _ = machine.process(header(.heartbeat, namespace: ""), .heartbeat(ClusterHeartbeat(beat: 1)), now: start)
        _ = machine.tick(now: start + .milliseconds(500), makeID: makeID)
        return machine
    }

    private func header(
        _ kind: ClusterMessageKind,
        namespace: String = "/",
        request: ClusterRequestID? = nil,
        number: UInt64? = nil,
        target: NodeID? = nil
    ) -> ClusterHeader {
        let stamp = number.map { NumberStamp(lane: 0, number: $0) }
        return ClusterHeader(
            id: id,
            kind: kind,
            namespace: namespace,
            origin: other,
            target: target,
            request: request,
            stamp: stamp
        )
    }

    private func completions(_ actions: [ClusterStateMachine.Action]) -> [PendingRequestsStateMachine.RequestResult] {
        actions.compactMap { action in
            guard case .request(.complete(_, let result)) = action else { return nil }
            return result
        }
    }

    private let request = ClusterRequestID(high: 1, low: 2)

    private func ask(_ machine: inout ClusterStateMachine, target: NodeID? = nil, at time: NIODeadline) -> [ClusterStateMachine.Action] {
        let body = ClusterBody.rooms(BroadcastOptions())
        return machine.request(request, .answers, namespace: "/", target: target, body: body, timeout: .seconds(5), now: time)
    }

    @Test
    func `A request ends with the answer of the node that owes it; late and repeated answers are nothing`() {
        var machine = settled()
        let now = start + .seconds(1)
        #expect(completions(ask(&machine, at: now)).isEmpty)
        let answer = header(.roomsAnswer, request: request, target: "me")
        let results = completions(machine.process(answer, .roomsAnswer(["r"]), now: now))
        #expect(results.count == 1 && results[0].missing.isEmpty && results[0].answers.count == 1)
        #expect(machine.process(answer, .roomsAnswer(["r"]), now: now).isEmpty)
    }

    @Test
    func `A request to a node that is not there lacks it at once`() {
        var machine = settled()
        #expect(completions(ask(&machine, target: "nobody", at: start + .seconds(1))).map(\.missing) == [["nobody"]])
    }

    @Test
    func `A node that leaves, comes back as another, or cannot answer is missing at once`() {
        let now = start + .seconds(1)
        var leaving = settled()
        _ = ask(&leaving, at: now)
        #expect(completions(leaving.process(header(.leave, namespace: ""), .leave, now: now)).map(\.missing) == [["other"]])

        var restarting = settled()
        _ = ask(&restarting, at: now)
        var heartbeat = header(.initialHeartbeat, namespace: "")
        heartbeat.origin.epoch = 500_000_000
        let actions = restarting.process(heartbeat, .initialHeartbeat(ClusterHeartbeat(beat: 1)), now: now)
        #expect(completions(actions).map(\.missing) == [["other"]])

        var failing = settled()
        _ = ask(&failing, at: now)
        let error = header(.errorAnswer, request: request, target: "me")
        #expect(completions(failing.process(error, .errorAnswer("too large"), now: now)).map(\.missing) == [["other"]])
    }

    @Test
    func `A request waits until the other nodes are known, but not longer than its time`() {
        var configuration = ClusterConfiguration()
        configuration.settleTimeout = .seconds(60)
        var machine = ClusterStateMachine(
            configuration: configuration,
            identity: NodeIdentity(id: "me", epoch: 1),
            messageLimit: 1_000_000,
            now: start
        )
        #expect(ask(&machine, at: start).isEmpty)
        #expect(machine.pendingCount == 1)
        let actions = machine.tick(now: start + .seconds(6), makeID: makeID)
        #expect(completions(actions).map(\.error?.code) == [.unreachable])
    }

    @Test
    func `Requests that waited leave in the order of their calls, whatever their ids are`() {
        let identity = NodeIdentity(id: "me", epoch: 1)
        var machine = ClusterStateMachine(configuration: .init(), identity: identity, messageLimit: 1_000_000, now: start)
        let ids = (0..<20).map { ClusterRequestID(high: UInt64($0 * 7 % 20), low: 0) }
        for id in ids {
            let body = ClusterBody.rooms(BroadcastOptions())
            _ = machine.request(id, .answers, namespace: "/", target: nil, body: body, timeout: .seconds(3_600), now: start)
        }
        let actions = machine.tick(now: start + .seconds(6), makeID: makeID)
        let failed = actions.compactMap { action -> ClusterRequestID? in
            if case .request(.complete(let id, _)) = action { id } else { nil }
        }
        #expect(failed == ids)
    }

    @Test
    func `Pending requests are bounded`() {
        var machine = settled { $0.maximumPendingRequests = 0 }
        #expect(completions(ask(&machine, at: start + .seconds(1))).map(\.error?.code) == [.tooManyRequests])
    }

    @Test
    func `Requests for namespaces that this node does not have are answered with nothing`() {
        var machine = settled()
        let (isWanted, actions) = machine.receive(
            header(.fetchSockets, namespace: "/other", request: request, number: 1),
            now: start + .seconds(1),
            makeID: makeID
        )
        #expect(!isWanted)
        guard case .wake = actions.last else {
            // The lane was awake already.
            #expect(machine.waitingCount > 0)
            return
        }
    }

    @Test func `an answer that nobody waits for is not decoded`() {
        var machine = settled()
        let now = start + .seconds(1)
        let isWanted = { (machine: inout ClusterStateMachine, number: UInt64) in
            let header = header(.roomsAnswer, request: request, number: number, target: "me")
            return machine.receive(header, now: now, makeID: makeID).isWanted
        }
        #expect(!isWanted(&machine, 1))
        _ = ask(&machine, at: now)
        #expect(isWanted(&machine, 2))
        let answer = header(.roomsAnswer, request: request, number: 2, target: "me")
        #expect(completions(machine.process(answer, .roomsAnswer(["r"]), now: now)).count == 1)
        #expect(!isWanted(&machine, 3))
    }

    @Test
    func `Silence counts only while something is heard`() {
        var machine = settled()
        // Nothing at all comes for a minute: that says nothing about the other node.
        for second in 1...60 { _ = machine.tick(now: start + .seconds(Int64(second)), makeID: makeID) }
        #expect(machine.nodes(in: "/") == [other])
        // Own messages come back, the other node's do not.
        for second in 61...75 {
            let now = start + .seconds(Int64(second))
            _ = machine.cameBack(id, origin: machine.identity, now: now, makeID: makeID)
            _ = machine.tick(now: now, makeID: makeID)
        }
        #expect(machine.nodes(in: "/").isEmpty)
        // Any message of a node that was taken for dead brings it back.
        _ = machine.receive(header(.broadcast, number: 1), now: start + .seconds(76), makeID: makeID)
        #expect(machine.nodes(in: "/") == [other])
    }

    @Test
    func `A process that was stopped goes on in another epoch`() {
        var machine = settled()
        let before = machine.identity
        _ = machine.tick(now: start + .seconds(30), makeID: makeID)
        #expect(machine.identity.id == before.id && machine.identity.epoch != before.epoch)
        #expect(machine.nodes(in: "/") == [other])
    }

    @Test
    func `Another process with this node's id is reported once`() {
        var machine = settled()
        let twin = NodeIdentity(id: "me", epoch: 1 << 50)
        let reports = (0..<3).flatMap { _ in machine.cameBack(id, origin: twin, now: start + .seconds(1), makeID: makeID) }
        #expect(reports.count == 1)
    }

    @Test
    func `Formats that announce namespaces are followed by namespace`() {
        var machine = settled { $0.announcesNamespaces = true }
        _ = machine.process(header(.leave, namespace: ""), .leave, now: start)
        var heartbeat = header(.heartbeat, namespace: "/")
        heartbeat.origin = NodeIdentity(id: "third", epoch: 3)
        _ = machine.process(heartbeat, .heartbeat(ClusterHeartbeat(beat: 0)), now: start + .seconds(1))
        #expect(machine.nodes(in: "/").map(\.id) == ["third"])
        #expect(machine.nodes(in: "/other").isEmpty)
    }

    @Test
    func `A namespace that is announced is answered by itself`() {
        var machine = settled { $0.announcesNamespaces = true }
        _ = machine.register("/other", now: start, makeID: makeID)
        while case .write = machine.nextBatch(lane: 0, now: start, makeID: makeID).0 {
            _ = machine.batchCompleted(lane: 0, .written, now: start, jitter: 0)
        }
        for namespace in ["/", "/unknown"] {
            _ = machine.process(header(.initialHeartbeat, namespace: namespace), .initialHeartbeat(ClusterHeartbeat(beat: 0)), now: start)
        }
        guard case .write(let batch) = machine.nextBatch(lane: 0, now: start, makeID: makeID).0 else {
            Issue.record("no answer")
            return
        }
        #expect(batch.map(\.header.namespace) == ["/"] && batch.map(\.header.target) == ["other"])
    }

    @Test
    func `Health follows what is written and what comes back`() {
        var machine = settled()
        #expect(machine.health == .healthy)
        guard case .wake = machine.send(Outgoing(namespace: "/", body: .errorAnswer(""), deadline: .distantFuture)).first ?? .reopenStream
        else {
            // The lane has been woken for the first heartbeat.
            return follow(&machine)
        }
        follow(&machine)
    }

    private func follow(_ machine: inout ClusterStateMachine) {
        struct Failure: Error {}
        var now = start + .seconds(1)
        while now < start + .seconds(8) {
            if case .write = machine.nextBatch(lane: 0, now: now, makeID: makeID).0 {
                _ = machine.batchCompleted(lane: 0, .notWritten(Failure()), now: now, jitter: 0)
            }
            now = now + .milliseconds(200)
        }
        #expect(machine.health == .unreachable)
    }
}
