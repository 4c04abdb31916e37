// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import SocketIOCluster
@testable import SocketIOCore

@Suite("Writer of a lane")
struct SendLaneTests {
    private struct Failure: Error {}
    private let origin = NodeIdentity(id: "me", epoch: 1)
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private func configuration(_ change: (inout ClusterConfiguration) -> Void = { _ in }) -> ClusterConfiguration {
        var configuration = ClusterConfiguration()
        change(&configuration)
        return configuration
    }

    private func lane(_ configuration: ClusterConfiguration) -> SendLaneStateMachine {
        SendLaneStateMachine(lane: 0, configuration: configuration, messageLimit: 10_000)
    }

    private func message(
        _ ticket: UInt64,
        _ body: ClusterBody = .serverSideEmit(.empty(.json)),
        target: NodeID? = nil,
        certainty: Outgoing.Certainty = .confirmed,
        after seconds: Int64 = 30
    )
        -> Outgoing
    {
        Outgoing(
            namespace: "/",
            target: target,
            body: body,
            ticket: ticket,
            certainty: certainty,
            deadline: start + .seconds(seconds)
        )
    }

    private let broadcast = ClusterBody.broadcast(
        BroadcastPacket(EncodedPacket(message: ByteBuffer(string: "2[\"x\"]"), isBinary: false)),
        BroadcastOptions()
    )

    private final class IDs {
        var last: UInt64 = 0
        func make() -> MessageID {
            last += 1
            return MessageID(seconds: 0, process: 0, counter: last)
        }
    }

    private func batch(_ lane: inout SendLaneStateMachine, at time: NIODeadline? = nil, _ ids: IDs = IDs()) -> [ClusterMessage]? {
        guard case .write(let batch) = lane.next(origin: origin, now: time ?? start, makeID: ids.make) else { return nil }
        return batch
    }

    private func fates(_ settlement: SendLaneStateMachine.Settlement) -> [UInt64: String] {
        let pairs = settlement.writes.map { write -> (UInt64, String) in
            switch write.fate {
            case .accepted: (write.ticket, "accepted")
            case .sent: (write.ticket, "sent")
            case .notSent: (write.ticket, "notSent")
            case .unknown: (write.ticket, "unknown")
            }
        }
        return Dictionary(pairs) { first, _ in first + " twice" }
    }

    @Test
    func `What comes while a batch is written is the next batch, in order`() throws {
        var lane = lane(configuration())
        guard case .place(wakesWriter: true) = lane.send(message(1)) else { throw Failure() }
        #expect(batch(&lane)?.map(\.header.stamp?.number) == [1])
        for ticket: UInt64 in 2...4 { guard case .place(wakesWriter: false) = lane.send(message(ticket)) else { throw Failure() } }
        #expect(batch(&lane) == nil)
        #expect(fates(lane.complete(.written, now: start, jitter: 0)) == [1: "sent"])
        #expect(batch(&lane)?.map(\.header.stamp?.number) == [2, 3, 4])
    }

    @Test
    func `Batches are bounded in messages and bytes`() {
        var lane = lane(configuration { $0.maximumBatchMessages = 3 })
        for ticket: UInt64 in 1...5 { _ = lane.send(message(ticket)) }
        #expect(batch(&lane)?.count == 3)
        var small = self.lane(configuration { $0.maximumBatchBytes = 600 })
        for ticket: UInt64 in 1...5 { _ = small.send(message(ticket)) }
        #expect(batch(&small)?.count == 2)
    }

    private var paced: ClusterConfiguration {
        configuration { $0.pacing = WritePacing(batchMessages: 4, messagesPerSecond: 100) }
    }

    @Test
    func `With pacing, batches are smaller, and each waits in proportion to the one before it`() {
        var lane = lane(paced)
        for ticket: UInt64 in 1...6 { _ = lane.send(message(ticket, broadcast)) }
        #expect(batch(&lane)?.count == 4)
        let written = start + .milliseconds(7)
        _ = lane.complete(.written, now: written, jitter: 0)
        guard case .pause(let until) = lane.next(origin: origin, now: written, makeID: IDs().make) else {
            Issue.record("no pause")
            return
        }
        #expect(until == written + .milliseconds(40))
        #expect(batch(&lane, at: until)?.count == 2)
        _ = lane.complete(.written, now: until, jitter: 0)
        // Nothing to write: it can sleep, and after the pause the next message goes at once.
        #expect(batch(&lane, at: until) == nil)
        _ = lane.send(message(7, broadcast))
        #expect(batch(&lane, at: until + .milliseconds(19)) == nil)
        #expect(batch(&lane, at: until + .milliseconds(20))?.count == 1)
    }

    private func kinds(_ batch: [ClusterMessage]?) -> [ClusterMessageKind]? { batch?.map(\.header.kind) }

    @Test
    func `Pacing delays broadcasts and what must stay behind them, and nothing else`() throws {
        var lane = lane(paced)
        for ticket: UInt64 in 1...6 { _ = lane.send(message(ticket, broadcast)) }
        _ = batch(&lane)
        _ = lane.complete(.written, now: start, jitter: 0)
        guard case .pause = lane.next(origin: origin, now: start, makeID: IDs().make) else { throw Failure() }
        // The writer sleeps, and another broadcast does not wake it.
        guard case .place(wakesWriter: false) = lane.send(message(7, broadcast)) else { throw Failure() }
        guard case .place(wakesWriter: true) = lane.send(message(8, .rooms(.init()))) else { throw Failure() }
        guard case .place(wakesWriter: true) = lane.send(message(9, .roomsAnswer([]), target: "x")) else { throw Failure() }
        _ = lane.send(Outgoing(namespace: "", body: .heartbeat(ClusterHeartbeat(beat: 1)), deadline: start + .seconds(9)))
        #expect(kinds(batch(&lane)) == [.rooms, .roomsAnswer])
        _ = lane.complete(.written, now: start, jitter: 0)
        #expect(kinds(batch(&lane)) == [.heartbeat])
        _ = lane.complete(.written, now: start, jitter: 0)
        #expect(batch(&lane) == nil)
        // A request must see what the commands before it do, which do not overtake broadcasts.
        _ = lane.send(message(10, .addSockets(.init(), rooms: ["a"])))
        _ = lane.send(message(11, .fetchSockets(.init())))
        #expect(batch(&lane) == nil)
        #expect(kinds(batch(&lane, at: start + .seconds(1))) == [.broadcast, .broadcast, .broadcast, .addSockets, .fetchSockets])
        // What was written without broadcasts among it delays nothing.
        _ = lane.complete(.written, now: start + .seconds(1), jitter: 0)
        let later = start + .seconds(2)
        _ = lane.send(message(12, .addSockets(.init(), rooms: ["a"])))
        _ = batch(&lane, at: later)
        _ = lane.complete(.written, now: later, jitter: 0)
        _ = lane.send(message(13, broadcast))
        #expect(kinds(batch(&lane, at: later)) == [.broadcast])
        #expect(lane.complete(.written, now: later, jitter: 0).writes.count == 1 && lane.isIdle)
    }

    @Test
    func `A lane full of broadcasts has room for the answers that pacing does not delay`() throws {
        var configuration = paced
        configuration.maximumQueuedMessages = 2
        var lane = lane(configuration)
        for ticket: UInt64 in 1...3 { _ = lane.send(message(ticket, broadcast)) }
        guard case .place = lane.send(message(4, .rooms(.init()))) else { throw Failure() }
        #expect(kinds(batch(&lane)) == [.rooms, .broadcast, .broadcast])
    }

    @Test
    func `Volatile messages have a part of their own: they are dropped beyond it, and no sender waits because of them`() throws {
        var lane = lane(configuration { $0.maximumQueuedMessages = 8 })
        for ticket: UInt64 in 1...2 {
            guard case .place = lane.send(message(ticket, certainty: .volatile)) else { throw Failure() }
        }
        guard case .drop = lane.send(message(3, certainty: .volatile)) else { throw Failure() }
        for ticket: UInt64 in 4...11 {
            guard case .place = lane.send(message(ticket, certainty: .accepted)) else { throw Failure() }
        }
        guard case .wait = lane.send(message(12, certainty: .accepted)) else { throw Failure() }
        #expect(batch(&lane)?.count == 10)
        #expect(lane.takeAdmitted().map(\.ticket) == [12])
        // What is written makes room.
        _ = lane.complete(.written, now: start, jitter: 0)
        guard case .place = lane.send(message(13, certainty: .volatile)) else { throw Failure() }
    }

    @Test
    func `The number at a mark is that of the last message before it, whatever is sent later`() {
        var lane = lane(configuration { $0.maximumBatchMessages = 3 })
        let empty = lane.markEnd()
        #expect(lane.number(at: empty, in: 1) == 0)
        for ticket: UInt64 in 1...2 { _ = lane.send(message(ticket)) }
        _ = lane.send(message(3, target: "x"))
        _ = batch(&lane)
        for ticket: UInt64 in 4...5 { _ = lane.send(message(ticket)) }
        let mark = lane.markEnd()
        for ticket: UInt64 in 6...9 { _ = lane.send(message(ticket)) }
        #expect(lane.number(at: mark, in: 1) == nil)
        _ = lane.complete(.written, now: start, jitter: 0)
        // One batch has messages from before and after the mark.
        #expect(batch(&lane)?.count == 3)
        #expect(lane.number(at: mark, in: 1) == nil)
        _ = lane.complete(.written, now: start, jitter: 0)
        #expect(lane.number(at: mark, in: 1) == 4)
        #expect(lane.number(at: empty, in: 1) == 0)
        while batch(&lane) != nil { _ = lane.complete(.written, now: start, jitter: 0) }
        #expect(lane.number(at: mark, in: 1) == 4)
        #expect(lane.number(at: lane.markEnd(), in: 1) == 8)
    }

    @Test
    func `A mark is settled when what was sent before it has failed`() {
        var lane = lane(configuration { $0.maximumQueuedMessages = 1 })
        _ = lane.send(message(1))
        _ = batch(&lane)
        for ticket: UInt64 in 2...3 { _ = lane.send(message(ticket, after: 2)) }
        let mark = lane.markEnd()
        _ = lane.send(message(4))
        _ = lane.complete(.written, now: start, jitter: 0)
        #expect(!lane.isSettled(upTo: mark))
        _ = lane.expire(now: start + .seconds(3))
        #expect(lane.number(at: mark, in: 1) == 1)
        #expect(batch(&lane)?.count == 1)
        #expect(lane.number(at: mark, in: 1) == 1)
    }

    @Test
    func `What expires tells the last error of the backend, or else to look whether it can be reached`() {
        for error in [Failure(), nil] {
            var lane = lane(configuration())
            _ = lane.send(message(1))
            _ = batch(&lane)
            if let error { _ = lane.complete(.notWritten(error), now: start, jitter: 0) } else { _ = lane.send(message(2)) }
            let fates = lane.expire(now: start + .seconds(31)).writes.map(\.fate)
            guard case .notSent(let last)? = fates.last else {
                Issue.record("\(fates)")
                continue
            }
            #expect((last.cause != nil) == (error != nil))
            #expect(last.message.contains("reachable") == (error == nil))
        }
    }

    @Test
    func `After an unknown outcome exactly the same batch is written again, before anything else`() {
        var lane = lane(configuration())
        let ids = IDs()
        for ticket: UInt64 in 1...3 { _ = lane.send(message(ticket)) }
        let first = batch(&lane, ids)
        _ = lane.send(message(4))
        #expect(lane.complete(.unknown(Failure()), now: start, jitter: 1).writes.isEmpty)
        guard case .pause(let until) = lane.next(origin: origin, now: start, makeID: ids.make) else {
            Issue.record("no pause")
            return
        }
        let second = batch(&lane, at: until, ids)
        #expect(second?.map(\.header) == first?.map(\.header))
        #expect(fates(lane.complete(.written, now: until, jitter: 0)) == [1: "sent", 2: "sent", 3: "sent"])
    }

    @Test
    func `The pause between attempts grows to its limit`() {
        var lane = lane(configuration())
        _ = lane.send(message(1))
        var now = start
        var pauses: [Int64] = []
        for _ in 0..<9 {
            _ = batch(&lane, at: now)
            _ = lane.complete(.notWritten(Failure()), now: now, jitter: 1)
            guard case .pause(let until) = lane.next(origin: origin, now: now, makeID: IDs().make) else { break }
            pauses.append((until - now).nanoseconds / 1_000_000)
            now = until
        }
        #expect(pauses == [20, 40, 80, 160, 320, 640, 1_000, 1_000, 1_000])
    }

    @Test
    func `A refused message is not sent; the others are, and its number is void`() {
        var lane = lane(configuration())
        for ticket: UInt64 in 1...4 { _ = lane.send(message(ticket)) }
        _ = batch(&lane)
        #expect(fates(lane.complete(.refused(index: 1, error: Failure()), now: start, jitter: 0)) == [1: "sent", 2: "notSent"])
        let rest = batch(&lane)
        #expect(rest?.map(\.header.stamp) == [NumberStamp(lane: 0, number: 3, void: [2...2]), NumberStamp(lane: 0, number: 4)])
        #expect(fates(lane.complete(.written, now: start, jitter: 0)) == [3: "sent", 4: "sent"])
        _ = lane.send(message(5))
        #expect(batch(&lane)?.first?.header.stamp == NumberStamp(lane: 0, number: 5))
    }

    @Test
    func `Past the deadline: unknown if it may have been written, not sent if it certainly was not`() {
        for isDoubtful in [true, false] {
            var lane = lane(configuration())
            _ = lane.send(message(1))
            _ = batch(&lane)
            _ = lane.send(message(2))
            let late = start + .seconds(31)
            let outcome: BatchOutcome = isDoubtful ? .unknown(Failure()) : .notWritten(Failure())
            let expected = [1: isDoubtful ? "unknown" : "notSent", 2: "notSent"] as [UInt64: String]
            #expect(fates(lane.complete(outcome, now: late, jitter: 0)) == expected)
            _ = lane.send(message(3, after: 60))
            #expect(batch(&lane, at: late)?.first?.header.stamp == NumberStamp(lane: 0, number: 2, void: [1...1]))
        }
    }

    @Test
    func `A deadline that passes while the batch is being written tells unknown, once`() {
        var lane = lane(configuration())
        _ = lane.send(message(1))
        _ = batch(&lane)
        #expect(fates(lane.expire(now: start + .seconds(31))) == [1: "unknown"])
        #expect(lane.complete(.written, now: start + .seconds(32), jitter: 0).writes.isEmpty)
        #expect(lane.isIdle)
    }

    @Test
    func `What is too late is taken out of a batch of which nothing was written`() {
        var lane = lane(configuration())
        _ = lane.send(message(1))
        _ = lane.send(message(2, after: 5))
        _ = lane.send(message(3))
        _ = batch(&lane)
        #expect(fates(lane.complete(.notWritten(Failure()), now: start + .seconds(6), jitter: 0)) == [2: "notSent"])
        let stamps = batch(&lane, at: start + .seconds(7))?.map(\.header.stamp)
        #expect(stamps == [NumberStamp(lane: 0, number: 1), NumberStamp(lane: 0, number: 3, void: [2...2])])
    }

    @Test
    func `When the queue is full, senders wait in order, and heartbeats do not`() {
        var lane = lane(
            configuration {
                $0.maximumQueuedMessages = 2; $0.maximumBatchMessages = 2
            }
        )
        for ticket: UInt64 in 1...5 { _ = lane.send(message(ticket)) }
        _ = lane.send(Outgoing(namespace: "", body: .heartbeat(ClusterHeartbeat(beat: 1)), deadline: start + .seconds(9)))
        #expect(lane.hasWaitingMembership)
        #expect(lane.waitingCount == 6)
        var order: [UInt64] = []
        while let next = batch(&lane) {
            order += next.compactMap(\.header.stamp?.number)
            let sent = lane.complete(.written, now: start, jitter: 0)
            #expect(sent.writes.map(\.ticket) == sent.writes.map(\.ticket).sorted())
        }
        #expect(order == [1, 2, 3, 4, 5])
    }

    @Test
    func `An accepted message has no sender; what waits for room is accepted when there is some, in order`() throws {
        var lane = lane(
            configuration {
                $0.maximumQueuedMessages = 2; $0.maximumBatchMessages = 2
            }
        )
        for ticket: UInt64 in 1...2 {
            guard case .place = lane.send(message(ticket, certainty: .accepted)) else { throw Failure() }
        }
        for ticket: UInt64 in 3...4 {
            guard case .wait = lane.send(message(ticket, certainty: .accepted)) else { throw Failure() }
        }
        guard case .drop = lane.send(message(5, certainty: .volatile)) else { throw Failure() }
        #expect(batch(&lane)?.count == 2)
        #expect(lane.takeAdmitted().map(\.ticket) == [3, 4])
        // Its sender has been notified already.
        #expect(lane.complete(.written, now: start, jitter: 0).writes.isEmpty)
        #expect(batch(&lane)?.compactMap(\.header.stamp?.number) == [3, 4])
    }

    @Test(arguments: [BatchOutcome.unknown(Failure()), .notWritten(Failure())])
    func `What fails after it was accepted is reported once; what is volatile is counted`(outcome: BatchOutcome) {
        var lane = lane(configuration())
        _ = lane.send(message(1, certainty: .accepted))
        _ = lane.send(message(2, certainty: .volatile))
        _ = batch(&lane)
        _ = lane.send(message(3, certainty: .accepted))
        let settlement = lane.complete(outcome, now: start + .seconds(31), jitter: 0)
        let code: ClusterError.Code = if case .unknown = outcome { .unknown } else { .notSent }
        #expect(settlement.undelivered.map(\.error.code) == [code, .notSent])
        #expect(settlement.dropped == 1 && settlement.writes.isEmpty)
        #expect(lane.isIdle)
        #expect(lane.close().undelivered.isEmpty)
    }

    @Test
    func `A refused message that was accepted is reported, and so is what is left when the lane is closed`() {
        var lane = lane(configuration { $0.maximumQueuedMessages = 1 })
        _ = lane.send(message(1, certainty: .accepted))
        _ = batch(&lane)
        _ = lane.send(message(2, certainty: .accepted))
        _ = lane.send(message(3, certainty: .accepted))
        #expect(lane.complete(.refused(index: 0, error: Failure()), now: start, jitter: 0).undelivered.map(\.error.code) == [.notSent])
        _ = batch(&lane)
        let settlement = lane.close()
        #expect(settlement.undelivered.map(\.error.code) == [.unknown, .closed])
        #expect(settlement.writes.isEmpty)
    }

    @Test
    func `A heartbeat begins a batch and tells the numbers before it`() {
        var lane = lane(configuration())
        _ = lane.send(message(1))
        _ = lane.send(message(2, target: "x"))
        _ = lane.send(Outgoing(namespace: "", body: .heartbeat(ClusterHeartbeat(beat: 1)), deadline: start + .seconds(9)))
        _ = lane.send(message(3))
        #expect(batch(&lane)?.count == 2)
        _ = lane.complete(.written, now: start, jitter: 0)
        let next = batch(&lane)
        guard case .heartbeat(let heartbeat) = next?.first?.body else {
            Issue.record("no heartbeat")
            return
        }
        #expect(heartbeat.positions.map(\.target) == [nil, "x"])
        #expect(heartbeat.positions.map(\.stamp.number) == [1, 1])
        #expect(next?.count == 2)
    }

    @Test
    func `A message that is too large is refused before it gets a number`() {
        var lane = lane(configuration())
        guard case .refuse(let error) = lane.send(message(1, .errorAnswer(String(repeating: "x", count: 10_000)))) else {
            Issue.record("accepted")
            return
        }
        #expect(error.code == .tooLarge)
        _ = lane.send(message(2))
        #expect(batch(&lane)?.first?.header.stamp?.number == 1)
    }

    @Test
    func `Closing tells everybody`() {
        var lane = lane(configuration { $0.maximumQueuedMessages = 1 })
        for ticket: UInt64 in 1...1 { _ = lane.send(message(ticket)) }
        _ = batch(&lane)
        for ticket: UInt64 in 2...3 { _ = lane.send(message(ticket)) }
        #expect(fates(lane.close()) == [1: "unknown", 2: "notSent", 3: "notSent"])
    }

    @Test
    func `What is too late is taken out wherever it waits, and gets no number`() {
        var lane = lane(configuration { $0.maximumQueuedMessages = 2 })
        for (ticket, seconds) in [1: 30, 2: 2, 3: 30, 4: 2, 5: 30].sorted(by: { $0.key < $1.key }) {
            _ = lane.send(message(UInt64(ticket), after: Int64(seconds)))
        }
        #expect(fates(lane.expire(now: start + .seconds(3))) == [2: "notSent", 4: "notSent"])
        #expect(lane.waitingCount == 3)
        #expect(batch(&lane)?.map(\.header.stamp?.number) == [1, 2])
        _ = lane.complete(.written, now: start, jitter: 0)
        #expect(batch(&lane)?.map(\.header.stamp?.number) == [3])
    }

    @Test
    func `Answers are bounded in number and bytes, error answers have room left, and senders still wait`() {
        var lane = lane(
            configuration {
                $0.maximumQueuedMessages = 3; $0.maximumQueuedBytes = 4_000
            }
        )
        func isRefused(_ ticket: UInt64, _ body: ClusterBody) -> Bool {
            if case .refuse = lane.send(message(ticket, body, target: "x")) { true } else { false }
        }
        #expect(!isRefused(1, .roomsAnswer([String(repeating: "x", count: 3_000)])))
        #expect(isRefused(2, .roomsAnswer([String(repeating: "x", count: 3_000)])))
        #expect(!isRefused(3, .acknowledgementsEnd))
        #expect(!isRefused(4, .acknowledgementsEnd))
        #expect(isRefused(5, .acknowledgementsEnd))
        for ticket: UInt64 in 6...8 { #expect(!isRefused(ticket, .errorAnswer("no"))) }
        #expect(isRefused(9, .errorAnswer("no")))
        for ticket: UInt64 in 10...20 { #expect(!isRefused(ticket, .serverSideEmit(.empty(.json)))) }
        // What is written makes room.
        while let next = batch(&lane), !next.isEmpty { _ = lane.complete(.written, now: start, jitter: 0) }
        #expect(!isRefused(21, .roomsAnswer([String(repeating: "x", count: 3_000)])))
    }

    @Test
    func `What waits behind messages that were withdrawn is written without another wake`() {
        var lane = lane(configuration { $0.maximumQueuedMessages = 2 })
        for ticket: UInt64 in 1...5 { _ = lane.send(message(ticket)) }
        for ticket: UInt64 in [1, 2, 4] { _ = lane.withdraw(ticket) }
        #expect(batch(&lane)?.count == 1)
        #expect(fates(lane.complete(.written, now: start, jitter: 0)) == [3: "sent"])
        #expect(batch(&lane)?.count == 1)
        #expect(fates(lane.complete(.written, now: start, jitter: 0)) == [5: "sent"])
        #expect(batch(&lane) == nil)
        #expect(lane.isIdle)
    }

    @Test
    func `Heartbeats to newcomers are bounded`() {
        var lane = lane(configuration { $0.maximumNodes = 4 })
        for _ in 0..<100 {
            _ = lane.send(Outgoing(namespace: "", target: "x", body: .heartbeat(ClusterHeartbeat(beat: 1)), deadline: start + .seconds(9)))
        }
        #expect(lane.waitingCount == 10)
    }
}
