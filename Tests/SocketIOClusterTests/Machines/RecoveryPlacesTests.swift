// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import Testing

@testable import SocketIOCluster
@testable import SocketIOCore

@Suite("What clients of a crashed node have missed")
struct RecoveryPlacesTests {
    private let me = NodeIdentity(id: "me", epoch: 1)
    private let owner = NodeIdentity(id: "owner", epoch: 2)
    private let third = NodeIdentity(id: "third", epoch: 3)
    private let now = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func id(_ number: UInt64) -> MessageID { MessageID(seconds: 0, process: 0, counter: number) }

    private func packet(_ number: UInt64) -> BroadcastPacket {
        BroadcastPacket(EncodedPacket(message: ByteBuffer(string: "\(number)"), isBinary: false), offset: id(number))
    }

    private func machine(entries: Int = 100) -> RecoveryStateMachine {
        var limits = RecoveryStateMachine.Limits(retention: .seconds(10))
        limits.logEntries = entries
        return RecoveryStateMachine(node: "me", limits, keepsLog: true)
    }

    private func come(_ machine: inout RecoveryStateMachine, _ number: UInt64, of origin: NodeIdentity, rooms: [Room] = []) {
        let stamp = NumberStamp(lane: 0, number: number)
        let header = ClusterHeader(id: id(number), kind: .broadcast, namespace: "/", origin: origin, stamp: stamp)
        _ = machine.received(packet(number), to: BroadcastOptions(rooms: rooms), header)
    }

    private func emit(_ machine: inout RecoveryStateMachine, _ number: UInt64) {
        machine.emitted(packet(number), to: BroadcastOptions())
        let stamp = NumberStamp(lane: 0, number: number)
        machine.numbered(ClusterHeader(id: id(number), kind: .broadcast, namespace: "/", origin: me, stamp: stamp))
    }

    private func snapshot(start: UInt64? = nil, isMoved: Bool = false) -> SessionSnapshot {
        let data = EncodedObject.empty
        let state = SessionState(id: "s", rooms: ["s", "a"], data: data)
        return SessionSnapshot(owner: owner, state: state, start: start.map(id), isMoved: isMoved)
    }

    private func offset(_ last: UInt64, _ position: UInt64?) -> RecoveryOffset {
        RecoveryOffset(id: id(last), position: position.map(id))
    }

    /// The numbers of the packets that a session gets; nil if it is not covered.
    private func missed(
        _ machine: RecoveryStateMachine,
        after offset: RecoveryOffset?,
        start: UInt64? = nil,
        isMoved: Bool = false
    ) -> [Int]? {
        var machine = machine
        let snapshot = snapshot(start: start, isMoved: isMoved)
        guard let mark = machine.mark(for: snapshot, after: offset, now: now) else { return nil }
        let known = offset.map { [$0.id] } ?? []
        let session = ClaimedSession(state: snapshot.state, known: known)
        return machine.restore(session, since: mark, own: [], now: now)?.packets.compactMap { Int(String(buffer: $0.encoded.message)) }
    }

    @Test
    func `Everything after the position of the owner comes again but the last packet; what is for others does not`() {
        var machine = machine()
        come(&machine, 1, of: third)
        come(&machine, 2, of: third)
        come(&machine, 3, of: owner)
        come(&machine, 4, of: owner, rooms: ["elsewhere"])
        come(&machine, 5, of: third, rooms: ["a"])
        machine.died(owner, now: now)
        #expect(missed(machine, after: offset(3, 1)) == [2, 5])
        // An event to this one client is in no log.
        #expect(missed(machine, after: offset(99, 2)) == [3, 5])
        #expect(missed(machine, after: offset(99, 5)) == [])
    }

    @Test
    func `A broadcast of another node is a place in the stream, unless that node had the session before`() {
        var machine = machine()
        for number: UInt64 in 1...4 { come(&machine, number, of: third) }
        machine.died(owner, now: now)
        #expect(missed(machine, after: offset(3, 1)) == [4])
        #expect(missed(machine, after: offset(3, nil)) == [4])
        #expect(missed(machine, after: offset(3, 1), isMoved: true) == [2, 4])
        #expect(missed(machine, after: offset(3, nil), isMoved: true) == nil)
    }

    @Test
    func `What the owner emitted is no place: its clients got it ahead of what was before it in the stream`() {
        var machine = machine()
        come(&machine, 1, of: third)
        come(&machine, 2, of: third)
        come(&machine, 3, of: owner)
        machine.died(owner, now: now)
        #expect(missed(machine, after: offset(3, nil)) == nil)
        #expect(missed(machine, after: offset(3, 1)) == [2])
    }

    @Test
    func `This node's own broadcasts stand where they come back, and behind everything before that`() {
        var machine = machine()
        emit(&machine, 1)
        come(&machine, 2, of: third)
        emit(&machine, 3)
        machine.died(owner, now: now)
        #expect(missed(machine, after: offset(2, 2)) == [1, 3])
        let first = machine.cameBack(id(1))
        #expect(first)
        come(&machine, 4, of: third)
        #expect(missed(machine, after: offset(99, 2)) == [1, 3, 4])
        #expect(missed(machine, after: offset(99, 1)) == [3, 4])
        #expect(missed(machine, after: offset(4, 1)) == [3])
        let (third, again) = (machine.cameBack(id(3)), machine.cameBack(id(3)))
        #expect(third && !again)
        #expect(missed(machine, after: offset(99, 4)) == [3])
        #expect(missed(machine, after: offset(99, 3)) == [])
    }

    @Test
    func `An own broadcast that was given up does not come after later ones`() {
        var machine = machine()
        come(&machine, 9, of: third)
        emit(&machine, 1)
        emit(&machine, 2)
        come(&machine, 3, of: third)
        let isPlaced = machine.cameBack(id(2))
        #expect(isPlaced)
        come(&machine, 4, of: third)
        machine.died(owner, now: now)
        #expect(missed(machine, after: offset(99, 4)) == [])
        #expect(missed(machine, after: offset(99, 9)) == [2, 3, 4])
    }

    @Test
    func `A client that got nothing gets all since it connected`() {
        var machine = machine()
        for number: UInt64 in 1...3 { come(&machine, number, of: third) }
        machine.died(owner, now: now)
        #expect(missed(machine, after: nil, start: 2) == [3])
        #expect(missed(machine, after: nil) == nil)
    }

    @Test
    func `What is not covered: a position that was pushed out, a loss, an owner that is alive or long dead`() {
        var machine = machine(entries: 3)
        for number: UInt64 in 1...4 { come(&machine, number, of: third) }
        #expect(missed(machine, after: offset(3, 3)) == nil)
        machine.died(owner, now: now)
        #expect(missed(machine, after: offset(3, 3)) == [4])
        #expect(missed(machine, after: offset(99, 2)) == [3, 4])
        #expect(missed(machine, after: offset(99, 1)) == nil)
        #expect(machine.mayCover(offset(99, 2), now: now) && !machine.mayCover(offset(99, 1), now: now))
        #expect(machine.mark(for: snapshot(), after: offset(3, 3), now: now + .seconds(11)) == nil)
        machine.lost(now: now)
        #expect(missed(machine, after: offset(3, 3)) == nil)
        #expect(!machine.mayCover(offset(3, 3), now: now))
    }

    @Test
    func `The position stays where it is after a loss, and without the option there is none`() {
        var machine = machine()
        let first = machine.advance(to: id(1), now: now)
        machine.lost(now: now)
        let second = machine.advance(to: id(2), now: now)
        #expect(first == id(1) && second == nil)
        #expect(machine.position == id(1))
        var without = RecoveryStateMachine(node: "me")
        let none = without.advance(to: id(1), now: now)
        #expect(none == nil)
        come(&without, 1, of: third)
        #expect(without.logCount == 0)
    }

    @Test(arguments: ["", ".", "0123456789abcdef01234567.", "x.y", "0123456789abcdef01234567.0"]
    )
    func `The text of an offset is one id, or two`(wrong: String) throws {
        let one = MessageID(seconds: 1, process: 2, counter: 3)
        let two = MessageID(seconds: 4, process: 5, counter: 6)
        let both = RecoveryOffset(id: one, position: two)
        #expect(RecoveryOffset(both.description) == both)
        #expect(RecoveryOffset(one.description) == RecoveryOffset(id: one))
        #expect(RecoveryOffset(wrong) == nil)
        #expect(RecoveryOffset("\(both).\(two)") == nil)
    }

    @Test
    func `A copy of a session is what was stored`() throws {
        let snapshot = snapshot(start: 7, isMoved: true)
        let bytes = try ClusterPayloadCoder.encode(snapshot)
        let decoded = try ClusterPayloadCoder.decodeSnapshot(bytes)
        #expect(decoded.owner == snapshot.owner && decoded.state.id == snapshot.state.id && decoded.state.rooms == snapshot.state.rooms)
        #expect(decoded.start == snapshot.start && decoded.isMoved)
        #expect(decoded.state.data.bytes == snapshot.state.data.bytes)
        for length in 0..<bytes.readableBytes {
            let cut = try #require(bytes.getSlice(at: 0, length: length))
            #expect(throws: ClusterError.self) { try ClusterPayloadCoder.decodeSnapshot(cut) }
        }
    }
}
