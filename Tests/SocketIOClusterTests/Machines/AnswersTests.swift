// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import SocketIOCluster
@testable import SocketIOCore

/// Answers that cannot be sent.
@Suite("Answers of the cluster's state machine")
struct AnswersTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private let identity = NodeIdentity(id: "me", epoch: 1)
    private let id = MessageID(seconds: 0, process: 0, counter: 77)

    private func makeID() -> MessageID { id }

    private func machine(_ change: (inout ClusterConfiguration) -> Void = { _ in }) -> ClusterStateMachine {
        var configuration = ClusterConfiguration()
        change(&configuration)
        return ClusterStateMachine(configuration: configuration, identity: identity, messageLimit: 10_000, now: start)
    }

    private func header(_ kind: ClusterMessageKind, _ number: UInt64) -> ClusterHeader {
        let request = ClusterRequestID(high: number, low: 0)
        return ClusterHeader(id: id, kind: kind, namespace: "/", origin: NodeIdentity(id: "other", epoch: 9), request: request)
    }

    private func failures(_ actions: [ClusterStateMachine.Action]) -> Int {
        actions.count { action in
            if case .report(.answerFailed("me", _)) = action { true } else { false }
        }
    }

    private func writeAll(_ machine: inout ClusterStateMachine) -> [ClusterMessage] {
        var all: [ClusterMessage] = []
        while case .write(let batch) = machine.nextBatch(lane: 0, now: start, makeID: makeID).0 {
            all += batch
            _ = machine.batchCompleted(lane: 0, .written, now: start, jitter: 0)
        }
        return all
    }

    @Test
    func `When too many answers wait, the request gets an error answer, once, and nothing after it`() {
        var machine = machine { $0.maximumQueuedMessages = 3 }
        let asked = header(.broadcastWithAck, 1)
        #expect(failures(machine.answer(asked, with: .acknowledgementCount(9), now: start)) == 0)
        var told = 0
        for _ in 0..<9 { told += failures(machine.answer(asked, with: .acknowledgement(.empty(.json)), now: start)) }
        #expect(told == 1)
        // There is room again, but the stream of this request has a hole.
        #expect(writeAll(&machine).map(\.header.kind) == [.acknowledgementCount, .acknowledgement, .acknowledgement, .errorAnswer])
        _ = machine.answer(asked, with: .acknowledgement(.empty(.json)), now: start)
        #expect(writeAll(&machine).isEmpty)
        _ = machine.answer(header(.rooms, 2), with: .roomsAnswer([]), now: start)
        #expect(writeAll(&machine).map(\.header.kind) == [.roomsAnswer])
    }

    @Test(arguments: [true, false])
    func `Whoever waits for the fate of an answer learns it`(isSent: Bool) {
        var machine = machine()
        let text = String(repeating: "x", count: isSent ? 10 : 20_000)
        let actions = machine.answer(header(.rooms, 1), with: .roomsAnswer([text]), ticket: 5, now: start)
        var settled = actions
        if case .write = machine.nextBatch(lane: 0, now: start, makeID: makeID).0 {
            settled += machine.batchCompleted(lane: 0, .written, now: start, jitter: 0)
        }
        let fates = settled.compactMap { action -> Bool? in
            guard case .settle(let write) = action, write.ticket == 5 else { return nil }
            if case .sent = write.fate { return true }
            return false
        }
        #expect(fates == [isSent])
        // The next one of a request that has failed is not sent, and that is told too.
        guard !isSent else { return }
        let next = machine.answer(header(.rooms, 1), with: .roomsAnswer([]), ticket: 6, now: start)
        guard case .settle(let write) = next.first, case .notSent = write.fate else {
            Issue.record("\(next)")
            return
        }
    }

    @Test
    func `A session that is too large to be sent is answered with an error: the client starts anew`() {
        var machine = machine()
        let session = ClaimedSession(
            state: SessionState(id: "s", rooms: [String(repeating: "x", count: 20_000)], data: EncodedObject.empty)
        )
        #expect(failures(machine.answer(header(.claimSession, 1), with: .sessionAnswer(session), now: start)) == 1)
        #expect(writeAll(&machine).map(\.header.kind) == [.errorAnswer])
    }
}
