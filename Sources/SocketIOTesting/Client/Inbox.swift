// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import DequeModule
import NIOCore
import SocketIOCore
import SocketIOText
import Synchronization

/// Hands what arrives at a test client to the tasks that wait for it. A task that waits for something particular, such as an
/// acknowledgement, gets it first; everything else is kept in its order.
final class Inbox: Sendable {
    /// What arrived together: a packet with its attachments, or a message that is none.
    struct Item: Sendable {
        var messages: [TestClient.Message]
        /// Nil if the message is not one of Socket.IO.
        var packet: Result<Packet, any Error>?
    }

    typealias Condition = @Sendable (Item) -> Bool

    /// A place in the queue for the next item that meets a condition.
    private struct Claim {
        let id: UInt64
        /// Nil for any item.
        let accepts: Condition?
        var item: Item?
        var continuation: CheckedContinuation<Item?, Never>?
    }

    private struct State {
        var machine: PacketDecoderStateMachine
        /// Messages of a packet whose attachments have not all arrived.
        var incomplete: [TestClient.Message] = []
        var items: Deque<Item> = []
        var claims: [Claim] = []
        var lastID: UInt64 = 0
        var isFinished = false
    }

    private let format: PacketFormat
    private let state: Mutex<State>

    init(format: PacketFormat) {
        self.format = format
        self.state = Mutex(State(machine: Self.makeMachine(format)))
    }

    private static func makeMachine(_ format: PacketFormat) -> PacketDecoderStateMachine {
        let limits = PacketDecoderStateMachine.Limits(attachments: 1_000, bytes: 1 << 30, values: .max, eventName: 1 << 20)
        return PacketDecoderStateMachine(format: format, limits: limits)
    }

    // MARK: Arriving

    func append(_ message: TestClient.Message) {
        let (continuation, item) = state.withLock { state -> (CheckedContinuation<Item?, Never>?, Item?) in
            guard let item = Self.item(for: message, &state, format) else { return (nil, nil) }
            let index = state.claims.firstIndex { $0.item == nil && $0.accepts?(item) ?? false }
            guard let index = index ?? state.claims.firstIndex(where: { $0.item == nil && $0.accepts == nil }) else {
                state.items.append(item)
                return (nil, nil)
            }
            guard let continuation = state.claims[index].continuation else {
                state.claims[index].item = item
                return (nil, nil)
            }
            state.claims.remove(at: index)
            return (continuation, item)
        }
        continuation?.resume(returning: item)
    }

    private static func item(for message: TestClient.Message, _ state: inout State, _ format: PacketFormat) -> Item? {
        state.incomplete.append(message)
        let packet: Result<Packet, any Error>?
        do {
            switch message {
            case .binary(let bytes): packet = try state.machine.receive(binary: bytes).map { .success($0) }
            case .text(let text) where text.utf8.first == UInt8(ascii: "4"):
                packet = try state.machine.receive(text: ByteBuffer(string: String(text.dropFirst()))).map { .success($0) }
            case .text:
                state.incomplete.removeLast()
                return Item(messages: [message], packet: nil)
            }
            // Attachments follow.
            guard packet != nil else { return nil }
        } catch {
            packet = .failure(error)
            state.machine = makeMachine(format)
        }
        defer { state.incomplete = [] }
        return Item(messages: state.incomplete, packet: packet)
    }

    /// Nothing more will arrive.
    func finish() {
        let claims = state.withLock { state in
            state.isFinished = true
            state.items += state.incomplete.map { Item(messages: [$0], packet: nil) }
            state.incomplete = []
            let waiting = state.claims.filter { $0.continuation != nil }
            state.claims.removeAll { $0.continuation != nil }
            return waiting
        }
        for claim in claims { claim.continuation?.resume(returning: nil) }
    }

    /// Puts something back that was taken from the front.
    func putBack(_ item: Item) { state.withLock { $0.items.prepend(item) } }

    /// What has arrived and was not taken, for messages of failures.
    var unread: [Item] { state.withLock { Array($0.items) } }

    // MARK: Taking

    /// Reserves the next item that meets a condition, or any. It must be taken, or given up.
    func claim(_ accepts: Condition? = nil) -> UInt64 {
        state.withLock { state in
            state.lastID += 1
            var claim = Claim(id: state.lastID, accepts: accepts)
            if let index = state.items.firstIndex(where: { accepts?($0) ?? true }) { claim.item = state.items.remove(at: index) }
            state.claims.append(claim)
            return claim.id
        }
    }

    func giveUp(_ id: UInt64) {
        let continuation = state.withLock { state -> CheckedContinuation<Item?, Never>? in
            guard let index = state.claims.firstIndex(where: { $0.id == id }) else { return nil }
            let claim = state.claims.remove(at: index)
            if let item = claim.item { state.items.prepend(item) }
            return claim.continuation
        }
        continuation?.resume(returning: nil)
    }

    /// Takes what was claimed. Nil if it does not arrive in time, or nothing more arrives.
    func take(_ id: UInt64, within timeout: Duration) async -> Item? {
        await withTaskGroup(of: Item?.self) { group in
            group.addTask { await self.take(id) }
            group.addTask {
                try? await Task.sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    private func take(_ id: UInt64) async -> Item? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state -> Item?? in
                    guard let index = state.claims.firstIndex(where: { $0.id == id }) else { return .some(nil) }
                    if let item = state.claims[index].item {
                        state.claims.remove(at: index)
                        return .some(item)
                    }
                    guard !state.isFinished, !Task.isCancelled else {
                        state.claims.remove(at: index)
                        return .some(nil)
                    }
                    state.claims[index].continuation = continuation
                    return .none
                }
                if case .some(let item) = ready { continuation.resume(returning: item) }
            }
        } onCancel: {
            giveUp(id)
        }
    }
}
