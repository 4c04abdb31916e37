// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOText
import Testing

@testable import SocketIOCluster
@testable import SocketIOCore

/// Whoever may write to the backend may write in the name of any node. That must not make this one deaf to it.
@Suite("Forged messages")
struct ForgedMessagesTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private let other = NodeIdentity(id: "other", epoch: 9)

    /// Two nodes: this one, and another whose messages come and are forged.
    private final class Scene {
        var machine: ClusterStateMachine
        var now: NIODeadline
        var events: [ClusterEvent] = []
        private var ids: UInt64 = 1_000
        private let own: MessageID

        init(at start: NIODeadline, _ change: (inout ClusterConfiguration) -> Void = { _ in }) {
            var configuration = ClusterConfiguration()
            change(&configuration)
            self.now = start
            self.own = MessageID(seconds: 1, process: 0, counter: 1)
            self.machine = ClusterStateMachine(
                configuration: configuration,
                identity: NodeIdentity(id: "me", epoch: 1),
                messageLimit: 1_000_000,
                now: start
            )
            note(machine.register("/", now: now, makeID: makeID))
            note(machine.streamOpened(lost: false, now: now, makeID: makeID))
            flush()
        }

        func makeID() -> MessageID {
            ids += 1
            return MessageID(seconds: 2, process: 0, counter: ids)
        }

        func note(_ actions: [ClusterStateMachine.Action]) {
            for case .report(let event) in actions { events.append(event) }
        }

        /// What this node writes comes back.
        func flush() {
            while case (.write(let batch), let actions) = machine.nextBatch(lane: 0, now: now, makeID: makeID) {
                note(actions)
                note(machine.batchCompleted(lane: 0, .written, now: now, jitter: 0))
                for message in batch where message.header.target == nil {
                    note(machine.cameBack(message.header.id, origin: message.header.origin, now: now, makeID: makeID))
                }
            }
        }

        /// Time passes, in which other nodes are heard.
        func wait(_ seconds: Double) {
            for _ in 0..<Int(seconds * 10) {
                now = now + .milliseconds(100)
                machine.membership.listening(now: now)
                note(machine.tick(now: now, makeID: makeID))
                flush()
            }
        }

        /// A broadcast comes.
        ///
        /// - Returns: Whether it is delivered.
        @discardableResult
        func broadcast(_ number: UInt64, of origin: NodeIdentity, id: MessageID? = nil, void: [ClosedRange<UInt64>] = []) -> Bool {
            let stamp = NumberStamp(lane: 0, number: number, void: void)
            let header = ClusterHeader(id: id ?? makeID(), kind: .broadcast, namespace: "/", origin: origin, stamp: stamp)
            let (isWanted, actions) = machine.receive(header, now: now, makeID: makeID)
            note(actions)
            return isWanted
        }

        func heartbeat(_ beat: UInt64, number: UInt64, of origin: NodeIdentity) {
            let position = ClusterHeartbeat.Position(target: nil, stamp: NumberStamp(lane: 0, number: number))
            membership(.heartbeat(ClusterHeartbeat(beat: beat, positions: [position])), of: origin)
        }

        func membership(_ body: ClusterBody, of origin: NodeIdentity) {
            let header = ClusterHeader(id: makeID(), kind: body.kind, namespace: "", origin: origin)
            let (isWanted, actions) = machine.receive(header, now: now, makeID: makeID)
            note(actions)
            if isWanted { note(machine.process(header, body, now: now)) }
        }

        var contradictions: Int { events.count { if case .contradiction = $0 { true } else { false } } }
        var gaps: Int { events.count { if case .gap = $0 { true } else { false } } }
        var nodes: [NodeIdentity] { machine.nodes(in: "/") }
    }

    private func scene() -> Scene {
        let scene = Scene(at: start)
        scene.heartbeat(1, number: 0, of: other)
        for number: UInt64 in 1...5 { #expect(scene.broadcast(number, of: other)) }
        #expect(scene.machine.health == .healthy && scene.nodes == [other] && scene.events.count == 2)
        return scene
    }

    @Test(arguments: [7, 1_000, UInt64(Int64.max)])
    func `A number far ahead makes nobody deaf to its owner, and health tells of it`(forged: UInt64) {
        let scene = scene()
        #expect(scene.broadcast(forged, of: other))
        #expect(scene.gaps == 1)
        for number: UInt64 in 6...40 { #expect(scene.broadcast(number, of: other), "\(number)") }
        #expect(scene.contradictions > 0)
        #expect(scene.machine.health == .contested && scene.machine.health.takesPart)
        scene.heartbeat(2, number: 40, of: other)
        for number: UInt64 in 41...80 { #expect(scene.broadcast(number, of: other), "\(number)") }
        let before = scene.contradictions
        for number: UInt64 in 81...90 { #expect(scene.broadcast(number, of: other)) }
        #expect(scene.contradictions == before)
        for beat: UInt64 in 3...20 {
            scene.wait(5)
            scene.heartbeat(beat, number: 90, of: other)
        }
        #expect(scene.machine.health == .healthy)
    }

    @Test func `Numbers that were used up by somebody else are its owner's all the same`() {
        let scene = scene()
        for number: UInt64 in 6...15 { #expect(scene.broadcast(number, of: other)) }
        // The real ones.
        for number: UInt64 in 6...15 { #expect(scene.broadcast(number, of: other), "\(number)") }
        #expect(scene.contradictions == 10)
        #expect(scene.broadcast(16, of: other))
    }

    @Test func `A flood of used numbers ends with the next heartbeat, and what it has cost is a gap`() {
        let scene = scene()
        for number: UInt64 in 6...500 { _ = scene.broadcast(number, of: other) }
        #expect(!scene.broadcast(6, of: other))
        scene.wait(5)
        scene.heartbeat(2, number: 6, of: other)
        #expect(scene.gaps == 1 && scene.contradictions == 1)
        for number: UInt64 in 7...30 { #expect(scene.broadcast(number, of: other), "\(number)") }
    }

    @Test func `Void numbers that somebody else has listed are void until the next heartbeat`() {
        let scene = scene()
        #expect(scene.broadcast(1_000_000, of: other, void: [6...999_999]))
        #expect(!scene.broadcast(6, of: other))
        scene.heartbeat(2, number: 6, of: other)
        #expect(scene.gaps == 1)
        #expect(scene.broadcast(7, of: other))
    }

    @Test func `A message that is read twice is delivered once`() {
        let scene = scene()
        let ids = (0..<40).map { _ in scene.makeID() }
        for (index, id) in ids.enumerated() { #expect(scene.broadcast(6 + UInt64(index), of: other, id: id)) }
        scene.note(scene.machine.streamOpened(lost: false, now: scene.now, makeID: scene.makeID))
        for (index, id) in ids.enumerated() { #expect(!scene.broadcast(6 + UInt64(index), of: other, id: id)) }
        #expect(scene.contradictions == 0 && scene.gaps == 0)
    }

    @Test(arguments: [0, 3, 100_000, UInt64.max])
    func `A forged heartbeat makes nobody deaf, whatever it tells`(number: UInt64) {
        let scene = scene()
        scene.heartbeat(.max, number: number, of: other)
        for number: UInt64 in 6...20 { #expect(scene.broadcast(number, of: other), "\(number)") }
        // Its own heartbeats count less: they are believed when they go on.
        scene.wait(5)
        scene.heartbeat(2, number: 20, of: other)
        scene.wait(5)
        scene.heartbeat(3, number: 20, of: other)
        let before = scene.contradictions
        for number: UInt64 in 21...40 { #expect(scene.broadcast(number, of: other), "\(number)") }
        #expect(scene.contradictions == before)
        #expect(scene.nodes == [other])
    }

    @Test func `A node that is said to have left is there again with its next message`() {
        let scene = scene()
        scene.membership(.leave, of: other)
        #expect(scene.nodes.isEmpty)
        #expect(scene.broadcast(6, of: other))
        #expect(scene.nodes == [other])
        #expect(scene.contradictions == 1)

        scene.membership(.leave, of: other)
        scene.heartbeat(2, number: 6, of: other)
        #expect(scene.nodes == [other])
        #expect(scene.contradictions == 2)
    }

    @Test func `A node that has really left does not come back with what is read twice`() {
        let scene = scene()
        let id = scene.makeID()
        #expect(scene.broadcast(6, of: other, id: id))
        scene.heartbeat(2, number: 6, of: other)
        scene.membership(.leave, of: other)
        scene.note(scene.machine.streamOpened(lost: false, now: scene.now, makeID: scene.makeID))
        #expect(!scene.broadcast(6, of: other, id: id))
        scene.heartbeat(2, number: 6, of: other)
        scene.membership(.leave, of: other)
        #expect(scene.nodes.isEmpty && scene.contradictions == 0)
    }

    @Test func `A made-up later life takes the place of a node for two of its heartbeats at most`() {
        let scene = scene()
        let ghost = NodeIdentity(id: "other", epoch: other.epoch + 1)
        scene.heartbeat(1, number: 0, of: ghost)
        scene.broadcast(1, of: ghost)
        #expect(!scene.broadcast(6, of: other))
        scene.wait(5)
        scene.heartbeat(2, number: 6, of: other)
        // The ghost goes on.
        scene.heartbeat(2, number: 1, of: ghost)
        scene.wait(5)
        scene.heartbeat(3, number: 6, of: other)
        #expect(scene.nodes == [other])
        #expect(scene.contradictions > 0 && scene.machine.health == .contested)
        #expect(scene.gaps > 0)
        for number: UInt64 in 7...20 {
            #expect(scene.broadcast(number, of: other), "\(number)")
            scene.broadcast(number, of: ghost)
            scene.heartbeat(number, number: number, of: ghost)
        }
        #expect(scene.nodes == [other])
    }

    @Test func `A made-up process with the id of a node takes its place until the next heartbeat, and once`() {
        let scene = scene()
        let ghost = NodeIdentity(id: "other", epoch: 1 << 40)
        scene.heartbeat(1, number: 0, of: ghost)
        #expect(scene.broadcast(6, of: other))
        scene.heartbeat(2, number: 6, of: other)
        #expect(scene.nodes == [other])
        scene.heartbeat(2, number: 0, of: ghost)
        #expect(scene.nodes == [other])
        #expect(scene.broadcast(7, of: other))
    }

    @Test func `What comes under this node's own id and was not sent tells nothing`() {
        var configuration = ClusterConfiguration()
        configuration.deafnessTimeout = .seconds(10)
        let identity = NodeIdentity(id: "me", epoch: 1)
        var machine = ClusterStateMachine(configuration: configuration, identity: identity, messageLimit: 1_000, now: start)
        let id = MessageID(seconds: 1, process: 1, counter: 1)
        _ = machine.streamOpened(lost: false, now: start) { id }
        let forged = MessageID(seconds: 1, process: 1, counter: 2)
        _ = machine.cameBack(forged, origin: identity, now: start) { id }
        #expect(machine.health == .starting)
    }

    @Test func `Made-up nodes and lanes are bounded, and keep no real node out`() {
        let scene = Scene(at: start) { $0.maximumNodes = 100 }
        scene.heartbeat(1, number: 0, of: other)
        scene.wait(3)
        scene.heartbeat(2, number: 0, of: other)
        for index in 0..<3_000 as Range<UInt64> {
            let ghost = NodeIdentity(id: "ghost \(index)", epoch: 1 + index)
            scene.heartbeat(1, number: 1, of: ghost)
            scene.broadcast(9, of: ghost)
            scene.membership(.leave, of: NodeIdentity(id: "gone \(index)", epoch: 1))
        }
        let late = NodeIdentity(id: "late", epoch: 5)
        scene.heartbeat(1, number: 0, of: late)
        scene.heartbeat(2, number: 0, of: late)
        #expect(scene.nodes.contains(late) && scene.nodes.contains(other))
        #expect(scene.nodes.count <= 100)
        #expect(scene.machine.remembered <= 200 + 800 + 800)
        #expect(scene.machine.received.entryCount <= 4_000)
        #expect(scene.broadcast(1, of: other))
    }

    @Test(.timeLimit(.minutes(1))) func `Many made-up nodes cost no more, one by one, than a few`() {
        let scene = Scene(at: start)
        scene.heartbeat(1, number: 7, of: other)
        scene.wait(3)
        scene.heartbeat(2, number: 7, of: other)
        let clock = ContinuousClock()
        func announce(_ numbers: Range<UInt64>) -> Duration {
            clock.measure {
                for index in numbers { scene.heartbeat(1, number: 1, of: NodeIdentity(id: "ghost \(index)", epoch: 1 + index)) }
            }
        }
        let few = announce(0..<4_000)
        let many = announce(4_000..<24_000)
        // Each that came when there was no room for another took a look at all of them.
        #expect(many < few * 30 + .seconds(2), "\(few) \(many)")
        // The real one was heard for longer than a moment: its numbers are still known.
        #expect(scene.machine.received.lastNumber(of: other, lane: 0) == 7)
        #expect(scene.nodes.contains(other) && scene.broadcast(8, of: other))
    }

    @Test func `Names that are too long are not read`() {
        let scene = scene()
        let long = String(repeating: "n", count: NodeIdentity.idLimit + 1)
        #expect(!scene.broadcast(1, of: NodeIdentity(id: long, epoch: 3)))
        scene.heartbeat(1, number: 1, of: NodeIdentity(id: long, epoch: 3))
        let path = "/" + String(repeating: "n", count: ClusterHeader.namespaceLimit)
        let header = ClusterHeader(id: scene.makeID(), kind: .broadcast, namespace: path, origin: other, stamp: .init(lane: 0, number: 6))
        #expect(!scene.machine.receive(header, now: scene.now, makeID: scene.makeID).isWanted)
        let lane = ClusterHeader(id: scene.makeID(), kind: .broadcast, namespace: "/", origin: other, stamp: .init(lane: 64, number: 6))
        #expect(!scene.machine.receive(lane, now: scene.now, makeID: scene.makeID).isWanted)
        #expect(scene.nodes == [other])
    }

    @Test func `Ids that look alike are different nodes`() {
        let scene = scene()
        let composed = NodeIdentity(id: "jos\u{e9}", epoch: 4)
        let decomposed = NodeIdentity(id: "jose\u{301}", epoch: 4)
        #expect(composed != decomposed)
        scene.heartbeat(1, number: 0, of: composed)
        scene.heartbeat(1, number: 0, of: decomposed)
        #expect(scene.nodes.count == 3)
        #expect(scene.broadcast(1, of: composed) && scene.broadcast(1, of: decomposed))
    }

    @Test func `Answers that are too large end the request of that node`() {
        let scene = Scene(at: start) { $0.maximumAnswerBytes = 10_000 }
        scene.heartbeat(1, number: 0, of: other)
        scene.wait(1)
        let request = ClusterRequestID(high: 1, low: 1)
        let body = ClusterBody.rooms(BroadcastOptions())
        scene.note(scene.machine.request(request, .answers, namespace: "/", target: nil, body: body, timeout: .seconds(5), now: scene.now))
        let rooms = NameSet((0..<1_000).map { "room \($0) with a long name" })
        let header = ClusterHeader(id: scene.makeID(), kind: .roomsAnswer, namespace: "/", origin: other, target: "me", request: request)
        let actions = scene.machine.process(header, .roomsAnswer(rooms), now: scene.now)
        let results = actions.compactMap { action -> PendingRequestsStateMachine.RequestResult? in
            if case .request(.complete(_, let result)) = action { result } else { nil }
        }
        #expect(results.map(\.missing) == [["other"]])
        #expect(results.allSatisfy { $0.answers.isEmpty })
    }
}
