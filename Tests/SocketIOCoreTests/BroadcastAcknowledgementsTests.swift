// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import Testing

@testable import SocketIOCore

@Suite(.timeLimit(.minutes(1))) struct BroadcastAcknowledgementsTests {
    private let answer = EventArguments.empty(.json)

    @Test func `the stream ends when all parts have answered`() async {
        let stream = BroadcastAcknowledgements()
        let (here, there) = (stream.addPart(), stream.addPart(node: "n2"))
        stream.seal()
        stream.expect(1, from: here)
        stream.receive(answer, from: here)
        stream.receive(answer, from: here)
        stream.receive(answer, from: there)
        stream.expect(2, from: there)
        stream.clientIsGone(from: there)
        var count = 0
        for await _ in stream { count += 1 }
        #expect(count == 2)
        let summary = stream.summary
        #expect(summary.expected == 3)
        #expect(summary.disconnected == 1)
        #expect(!summary.isComplete)
        #expect(summary.missingNodes.isEmpty)
    }

    @Test func `a node that fails ends its part at once`() async {
        let stream = BroadcastAcknowledgements()
        let part = stream.addPart(node: "dead")
        stream.seal()
        stream.expect(5, from: part)
        stream.receive(answer, from: part)
        stream.fail(part)
        var count = 0
        for await _ in stream { count += 1 }
        #expect(count == 1)
        #expect(stream.summary.missingNodes == ["dead"])
    }

    @Test func `time ends it`() async {
        let stream = BroadcastAcknowledgements()
        _ = stream.addPart(node: "silent")
        stream.seal()
        async let first: EventArguments? = stream.makeAsyncIterator().next()
        stream.timeOut()
        #expect(await first == nil)
        #expect(stream.summary.timedOut)
        #expect(stream.summary.missingNodes == ["silent"])
    }

    @Test func `nobody addressed ends at once`() async {
        let stream = BroadcastAcknowledgements()
        stream.expect(0, from: stream.addPart())
        stream.seal()
        #expect(await stream.makeAsyncIterator().next() == nil)
        #expect(stream.summary.isComplete)
    }

    @Test func `what is left unread is bounded`() async {
        let stream = BroadcastAcknowledgements(bufferLimit: 2)
        let part = stream.addPart()
        stream.seal()
        stream.expect(4, from: part)
        for _ in 0..<4 { stream.receive(answer, from: part) }
        var count = 0
        for await _ in stream { count += 1 }
        #expect(count == 2)
        #expect(stream.summary.dropped == 2)
        #expect(!stream.summary.isComplete)
    }

    @Test func `cancellation ends it and tells so`() async {
        let stream = BroadcastAcknowledgements()
        stream.expect(1, from: stream.addPart())
        let task = Task { await stream.makeAsyncIterator().next() }
        task.cancel()
        #expect(await task.value == nil)
        await confirmation { ended in stream.onEnd { ended() } }
    }
}

@Suite struct RecoveryBufferTests {
    private func packet(_ counter: UInt64) -> BroadcastPacket {
        BroadcastPacket(
            EncodedPacket(message: .init(string: "2[\"n\",\(counter)]"), isBinary: false),
            offset: MessageID(seconds: 1, process: 2, counter: counter)
        )
    }

    private func counters(_ packets: [BroadcastPacket]?) -> [String]? { packets?.map { String(buffer: $0.encoded.message) } }

    @Test func `packets after the offset are missed`() {
        var buffer = RecoveryBuffer()
        for n in 1...4 { buffer.append(packet(UInt64(n)), pings: 0) }
        #expect(counters(buffer.packets(after: packet(2).offset)) == ["2[\"n\",3]", "2[\"n\",4]"])
        #expect(buffer.packets(after: packet(4).offset)?.isEmpty == true)
        #expect(buffer.packets(after: nil)?.count == 4)
        #expect(buffer.packets(after: packet(9).offset) == nil)
    }

    @Test func `an answered ping lets go what was sent before it`() {
        var buffer = RecoveryBuffer()
        buffer.append(packet(1), pings: 0)
        buffer.append(packet(2), pings: 1)
        buffer.pongReceived(for: 1)
        #expect(buffer.count == 1)
        #expect(buffer.packets(after: packet(1).offset)?.count == 1)
        #expect(buffer.packets(after: nil) == nil)
    }

    @Test func `the limit costs the session not its correctness`() {
        var buffer = RecoveryBuffer(limit: .init(packets: 2, bytes: 1_000))
        for n in 1...4 { buffer.append(packet(UInt64(n)), pings: 0) }
        #expect(buffer.packets(after: packet(1).offset) == nil)
        #expect(buffer.packets(after: packet(2).offset)?.count == 2)
    }

    @Test func `ids round trip`() {
        let id = MessageID(seconds: 0x0102_0304, process: 0xa0b0_c0d0_e0, counter: 0xffff_ffff)
        #expect(id.description == "01020304a0b0c0d0e0ffffff")
        #expect(MessageID(id.description) == id)
        #expect(MessageID(bytes: id.bytes) == id)
        #expect(MessageID("xyz") == nil)
        #expect(MessageID(id.description + "0") == nil)
    }
}
