// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import NIOEmbedded
import Testing

@testable import SocketIOCluster
@testable import SocketIOCore

@Suite("Log for sessions that move")
struct RecoveryLogTests {
    private let other = NodeIdentity(id: "other", epoch: 1)

    private func packet(_ number: UInt64) -> BroadcastPacket {
        let encoded = EncodedPacket(message: ByteBuffer(string: "\(number)"), isBinary: false)
        return BroadcastPacket(encoded, offset: MessageID(seconds: 0, process: 0, counter: number))
    }

    private func session(known: [UInt64] = [], floor: UInt64 = 0) -> ClaimedSession {
        ClaimedSession(
            state: SessionState(id: "s", rooms: ["s", "a", "b"], data: EncodedObject.empty),
            known: known.compactMap { packet($0).offset },
            positions: [.init(origin: other, number: floor)]
        )
    }

    private func texts(_ packets: [BroadcastPacket]?) -> [String]? { packets?.map { String(buffer: $0.encoded.message) } }

    @Test
    func `Nothing is kept while nobody claims`() {
        var log = RecoveryLog()
        log.append(packet(1), to: BroadcastOptions())
        #expect(log.count == 0)
        let mark = log.begin()
        log.append(packet(2), to: BroadcastOptions())
        #expect(log.count == 1)
        log.end(mark)
        #expect(log.count == 0)
    }

    @Test
    func `A session gets what matches its rooms, once and in order, and nothing that it has had`() {
        var log = RecoveryLog()
        let mark = log.begin()
        log.append(packet(1), to: BroadcastOptions(rooms: ["a", "b"]))
        log.append(packet(2), to: BroadcastOptions(rooms: ["elsewhere"]))
        log.append(packet(3), to: BroadcastOptions())
        log.append(packet(4), to: BroadcastOptions(except: ["a"]))
        log.append(packet(5), to: BroadcastOptions(rooms: ["s"]), origin: other, number: 7)
        log.append(packet(6), to: BroadcastOptions(rooms: ["b"]), origin: other, number: 8)
        #expect(texts(log.missed(by: session(), since: mark)?.packets) == ["1", "3", "5", "6"])
        #expect(texts(log.missed(by: session(known: [3], floor: 7), since: mark)?.packets) == ["1", "6"])
    }

    @Test
    func `A session that was restored a moment ago does not get its client's last packet again, from a format without numbers`() {
        var log = RecoveryLog()
        let mark = log.begin()
        for number in 1...3 { log.append(packet(UInt64(number)), to: BroadcastOptions(), origin: other) }
        var buffer = RecoveryBuffer(base: packet(1).offset)
        buffer.append(packet(2), pings: 0)
        var session = session()
        session.known = buffer.known
        #expect(texts(log.missed(by: session, since: mark)?.packets) == ["3"])
    }

    @Test
    func `What a loop delivered at once, ahead of the session, is found`() {
        let (loop, another) = (EmbeddedEventLoop(), EmbeddedEventLoop())
        var log = RecoveryLog()
        let mark = log.begin()
        log.append(packet(1), to: BroadcastOptions())
        let until = log.missed(by: session(), since: mark)?.until
        log.append(packet(2), to: BroadcastOptions(), deliveredOn: loop)
        log.append(packet(3), to: BroadcastOptions(), deliveredOn: another)
        log.append(packet(4), to: BroadcastOptions())
        #expect(texts(until.flatMap { log.overtook(session(), since: $0, on: loop) }) == ["2"])
    }

    @Test
    func `After a loss, or too much, claims that wait are not covered`() {
        var log = RecoveryLog(entryLimit: 3)
        let first = log.begin()
        log.append(packet(1), to: BroadcastOptions())
        log.invalidate()
        #expect(log.missed(by: session(), since: first) == nil)
        let second = log.begin()
        for number: UInt64 in 2...5 { log.append(packet(number), to: BroadcastOptions()) }
        #expect(log.missed(by: session(), since: second) == nil)
        #expect(log.count <= 3)
    }

    @Test(arguments: [4, 5, 6] as [UInt64])
    func `What a primary showed to this node only, and lost, is not covered by the session of another`(reached: UInt64) {
        let now = NIODeadline.uptimeNanoseconds(1_000)
        var machine = RecoveryStateMachine(node: "me")
        let mark = machine.beginClaim(reached: [.init(origin: other, number: reached)], now: now)
        let result = machine.restore(session(floor: 5), since: mark, own: [], now: now)
        #expect((result != nil) == (reached <= 5))
    }

    @Test
    func `Nor is what this node has seen of its own come back, when the other drains`() throws {
        let now = NIODeadline.uptimeNanoseconds(1_000)
        let me = NodeIdentity(id: "me", epoch: 3)
        for number: UInt64 in [1, 2] {
            var machine = RecoveryStateMachine(node: "me")
            let packet = packet(1)
            let offset = try #require(packet.offset)
            machine.emitted(packet, to: BroadcastOptions())
            let stamp = NumberStamp(lane: 0, number: 2)
            machine.numbered(ClusterHeader(id: offset, kind: .broadcast, namespace: "/", origin: me, stamp: stamp))
            machine.cameBack(offset)
            machine.draining(other, reached: [], now: now)
            let mark = try #require(machine.mark(for: other, age: .zero, now: now))
            var session = session()
            session.positions = [.init(origin: me, number: number)]
            #expect((machine.restore(session, since: mark, own: [], now: now) != nil) == (number == 2))
        }
    }
}
