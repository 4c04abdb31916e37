// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

// The code of the article "Writing a driver", between the marks, and a test that runs it: three nodes on one journal.
import DequeModule
import NIOCore
import SocketIOCluster
import SocketIOCore
import SocketIOTestSupport
import SocketIOTesting
import Synchronization
import Testing

// MARK: The journal

/// A record of the journal: a message's header, which routes it, and its body in the native encoding.
struct JournalRecord: Sendable {
    var header: ClusterHeader
    var payload: ByteBuffer
}

protocol Journal: Sendable {
    /// Appends the records that are not stored yet, in order and atomically.
    func append(_ records: [JournalRecord]) async throws
    /// The positions of the stored records.
    func kept() async throws -> Range<Int>
    /// The records from a position on; waits until there is at least one.
    func records(from position: Int) async throws -> [JournalRecord]
}

// MARK: Writing

struct JournalDriver: Driver {
    var journal: any Journal
    let position = JournalPosition()
    let messageLimit = 1_000_000

    func emit(_ batch: [ClusterMessage]) async -> BatchOutcome {
        var records: [JournalRecord] = []
        for (index, message) in batch.enumerated() {
            do {
                let payload = try ClusterPayloadCoder.encode(message.body)
                records.append(JournalRecord(header: message.header, payload: payload))
            } catch {
                // The messages before it must be written; this one and those after it must not.
                return await write(records) ?? .refused(index: index, error: error)
            }
        }
        return await write(records) ?? .written
    }

    private func write(_ records: [JournalRecord]) async -> BatchOutcome? {
        do {
            try await journal.append(records)
            return nil
        } catch {
            // The records may be stored although the response was lost; the node will send the same batch again.
            return .unknown(error)
        }
    }
}

// MARK: Reading

extension JournalDriver {
    func watch(as node: NodeID) async throws -> AsyncThrowingStream<DriverItem, any Error> {
        let kept = try await journal.kept()
        let start = position.value ?? kept.upperBound
        let isLost = !kept.contains(start) && start != kept.upperBound
        position.value = isLost ? kept.upperBound : start
        let reader = JournalReader(journal: journal, position: position, node: node, isLost: isLost)
        return AsyncThrowingStream { try await reader.next() }
    }
}

/// The position at which the stream resumes when it is reopened.
final class JournalPosition: Sendable {
    private let stored = Mutex<Int?>(nil)

    var value: Int? {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }
}

actor JournalReader {
    private let journal: any Journal
    private let position: JournalPosition
    private let node: NodeID
    private var items: Deque<DriverItem>

    init(journal: any Journal, position: JournalPosition, node: NodeID, isLost: Bool) {
        self.journal = journal
        self.position = position
        self.node = node
        self.items = [.opened(lost: isLost)]
    }

    func next() async throws -> DriverItem? {
        while items.isEmpty {
            let start = position.value ?? 0
            let records = try await journal.records(from: start)
            items += records.compactMap(item)
            position.value = start + records.count
        }
        return items.popFirst()
    }

    private func item(_ record: JournalRecord) -> DriverItem? {
        let header = record.header
        if header.origin.id == node { return .own(header.id, origin: header.origin) }
        guard header.target == nil || header.target == node else { return nil }
        return .message(header, .encoded(record.payload))
    }
}

// MARK: The test

/// A journal in memory whose connections break now and then.
actor BrittleJournal: Journal {
    struct Broken: Error {}

    private var records: [JournalRecord] = []
    private var ids: Set<MessageID> = []
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var calls = 0

    private func breakNowAndThen() throws {
        calls += 1
        if calls.isMultiple(of: 7) { throw Broken() }
    }

    func append(_ new: [JournalRecord]) throws {
        for record in new where ids.insert(record.header.id).inserted { records.append(record) }
        for reader in waiting { reader.resume() }
        waiting = []
        try breakNowAndThen()
    }

    func kept() -> Range<Int> { 0..<records.count }

    func records(from position: Int) async throws -> [JournalRecord] {
        try breakNowAndThen()
        while position >= records.count {
            guard !Task.isCancelled else { throw CancellationError() }
            await withTaskCancellationHandler {
                await withCheckedContinuation { waiting.append($0) }
            } onCancel: {
                Task { await self.wake() }
            }
        }
        return Array(records[position...])
    }

    private func wake() {
        for reader in waiting { reader.resume() }
        waiting = []
    }
}

@Suite("Example of the article about drivers")
struct WritingADriverExampleTests {
    @Test(.timeLimit(.minutes(1)))
    func `Nothing is lost or doubled on a journal that breaks`() async throws {
        let journal = BrittleJournal()
        let nodes = (0..<3).map { TestNode("node\($0)", driver: JournalDriver(journal: journal)) }
        for node in nodes { try await node.start() }
        let socket = try await nodes[2].connect("s", rooms: ["room"])
        for number in 0..<50 {
            let sender = nodes[number % 2]
            try await sender.adapter.broadcast(TestNode.packet("\(number)"), to: BroadcastOptions(rooms: ["room"]))
        }
        try await eventually { socket.received.count >= 50 }
        for sender in 0..<2 {
            #expect(socket.received.compactMap(Int.init).filter { $0 % 2 == sender } == (0..<50).filter { $0 % 2 == sender })
        }
        #expect(try await nodes[0].adapter.rooms(BroadcastOptions()) == ["s", "room"])
        for node in nodes { await node.node.close() }
    }
}
