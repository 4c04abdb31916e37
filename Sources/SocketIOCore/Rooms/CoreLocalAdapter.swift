// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
public import NIOCore
import SocketIOConcurrency
public import SocketIOText
import Synchronization

/// The rooms of one namespace in one process.
///
/// Sockets belong to event loops, and so do their rooms: each loop has an index of its own, and an operation on rooms is one hop for
/// each loop. On the calling loop it is applied at once, so that what one task does stays in order.
public final class CoreLocalAdapter: Adapter {
    let loops: [any EventLoop]
    let shards: [LoopBound<RoomIndex>]
    fileprivate let counts: Counts
    private let ackIDs = Atomic<UInt64>(0)
    private let encoder: PacketEncoder
    let handover: RecoveryHandover
    private let budget: RecoveryBudget?
    /// Bounds of rooms.
    package let limits: RoomLimits
    let descriptionBytes: Int
    let onLimit: (@Sendable (LocalLimit) -> Void)?

    /// Counts that can be read without a hop to the loops.
    fileprivate final class Counts: Sendable {
        let sockets = Atomic<Int>(0)
        let parked = Atomic<Int>(0)
        let roomLoops = Mutex<[Name: Int]>([:])
    }

    /// Creates the rooms of a namespace.
    ///
    /// - Parameters:
    ///   - eventLoops: The loops that sockets can belong to.
    ///   - format: The parser of the clients.
    ///   - recovery: The limits of parked sessions; nil if connection state recovery is off.
    ///   - limits: How many rooms there may be.
    ///   - onRoomEvent: Called for every change of a room, on the loop where it happens. A room is created and deleted once, whatever the number of loops.
    ///   - onRoomCount: Gets the change of the number of rooms, those of single sockets left out. A room counts once for each event loop.
    public convenience init(
        eventLoops: [any EventLoop],
        format: PacketFormat,
        recovery: RecoveryLimits? = nil,
        limits: RoomLimits = .init(),
        onRoomEvent: (@Sendable (RoomEvent) -> Void)? = nil,
        onRoomCount: (@Sendable (Int) -> Void)? = nil
    ) {
        self.init(
            eventLoops: eventLoops,
            format: format,
            recovery: recovery,
            limits: limits,
            budget: nil,
            onRoomEvent: onRoomEvent,
            onRoomCount: onRoomCount,
            descriptionBytes: SocketDescription.defaultByteLimit,
            onLimit: nil
        )
    }

    /// The same with a budget for what sessions keep, and a hook for what was not done because of a limit.
    package init(
        eventLoops: [any EventLoop],
        format: PacketFormat,
        recovery: RecoveryLimits?,
        limits: RoomLimits,
        budget: RecoveryBudget?,
        onRoomEvent: (@Sendable (RoomEvent) -> Void)?,
        onRoomCount: (@Sendable (Int) -> Void)?,
        descriptionBytes: Int,
        onLimit: (@Sendable (LocalLimit) -> Void)?
    ) {
        let counts = Counts()
        self.counts = counts
        self.loops = eventLoops
        self.encoder = PacketEncoder(format: format)
        self.handover = RecoveryHandover(limits: recovery)
        self.budget = budget
        self.limits = limits
        self.descriptionBytes = descriptionBytes
        self.onLimit = onLimit
        self.shards = eventLoops.map { loop in
            let index = RoomIndex(limits: limits)
            index.onRoomCount = onRoomCount
            if let onLimit { index.onRefusal = { onLimit(.rooms($0)) } }
            index.onWork = { Self.work(LoopBound($0, to: loop), on: loop) }
            if let onRoomEvent {
                index.onEvent = eventLoops.count == 1 ? onRoomEvent : { counts.forward($0, to: onRoomEvent) }
            }
            return LoopBound(index, to: loop)
        }
    }

    /// This adapter itself.
    public var local: CoreLocalAdapter { self }

    /// The parser of the clients.
    public var format: PacketFormat { encoder.format }

    /// The number of sockets that are connected to the namespace in this process.
    public var socketCount: Int { counts.sockets.load(ordering: .relaxed) }

    /// Whether no socket is connected, and no session is kept.
    public var isEmpty: Bool { socketCount == 0 && counts.parked.load(ordering: .relaxed) == 0 }

    /// The next acknowledgement id. The ids of a namespace in one process are unique, so that those of broadcasts and of single
    /// emits do not meet.
    public func nextAcknowledgementID() -> UInt64 { ackIDs.wrappingAdd(1, ordering: .relaxed).oldValue & 0x7fff_ffff }

    // MARK: Sockets; on their event loop

    /// Adds a socket, which is then in its own room. On the socket's loop.
    ///
    /// - Parameters:
    ///   - socket: The socket.
    ///   - pid: The private session id by which the client can recover the session; nil if it cannot.
    /// - Returns: Whether it was added; false if the id is taken on this loop.
    @discardableResult
    public func add(_ socket: any LocalSocket, pid: String? = nil) -> Bool {
        let added = index(of: socket.eventLoop).add(socket, pid: pid)
        if added { counts.sockets.wrappingAdd(1, ordering: .relaxed) }
        return added
    }

    /// Removes a socket from the namespace and all its rooms. On the socket's loop. Does nothing if it has been removed already.
    public func remove(_ socket: any LocalSocket) {
        let index = index(of: socket.eventLoop)
        let before = index.count
        index.remove(socket.id, ifOwnedBy: socket)
        counts.sockets.wrappingAdd(index.count - before, ordering: .relaxed)
    }

    /// Puts a socket into rooms. On the socket's loop. What a limit does not allow is reported to the server's error hook.
    public func join(_ socket: any LocalSocket, rooms: [Room]) {
        let index = index(of: socket.eventLoop)
        var refusal: RoomRefusal?
        for room in rooms {
            guard case .refused(let reason) = index.join(socket.id, room: room) else { continue }
            refusal = RoomRefusal(reason: refusal?.reason ?? reason, count: (refusal?.count ?? 0) + 1, socket: socket.id)
        }
        if let refusal { onLimit?(.rooms(refusal)) }
    }

    /// Takes a socket out of a room. On the socket's loop.
    public func leave(_ socket: any LocalSocket, room: Room) {
        index(of: socket.eventLoop).leave(socket.id, room: room)
    }

    /// The rooms of a socket, its own included. On the socket's loop.
    public func rooms(of socket: any LocalSocket) -> NameSet {
        index(of: socket.eventLoop).rooms(of: socket.id)
    }

    /// The number of rooms that a socket is in, without its own. On the socket's loop.
    package func roomCount(of socket: any LocalSocket) -> Int { index(of: socket.eventLoop).member(socket.id)?.memberships.count ?? 0 }

    func index(of loop: any EventLoop) -> RoomIndex {
        // A handful of loops: a search by identity beats a dictionary.
        for (position, candidate) in loops.enumerated() where candidate === loop { return shards[position].value }
        preconditionFailure("a socket's event loop must be one of the server's")
    }

    func countSockets(_ change: Int) { counts.sockets.wrappingAdd(change, ordering: .relaxed) }

    func countParked(_ change: Int) { counts.parked.wrappingAdd(change, ordering: .relaxed) }

    // MARK: Adapter

    /// One: this process.
    public func serverCount() async throws -> Int { 1 }

    /// Hands the packet to the selected sockets of this process.
    public func broadcast(_ packet: BroadcastPacket, to options: BroadcastOptions) async throws {
        deliver(packet, to: options)
    }

    /// Hands a packet to the selected sockets of this process: at once on the calling event loop, in one hop on the others.
    public func deliver(_ packet: BroadcastPacket, to options: BroadcastOptions) {
        guard isAllowed(options) else { return }
        let packet = charged(packet)
        // A parked session gets what it would have got, unless it could not be replayed anyhow.
        let includingParked = packet.offset != nil
        onEachLoop { index in
            index.forEach(rooms: options.rooms, except: options.except, includingParked: includingParked) { member in
                member.socket.deliver(packet, flags: options.flags)
            }
        }
    }

    /// A packet of another process counts from here on if sessions may keep it.
    func charged(_ packet: BroadcastPacket) -> BroadcastPacket {
        guard let budget, packet.offset != nil, packet.charge == nil else { return packet }
        var packet = packet
        packet.charge = budget.charge(packet.encoded.byteCount)
        return packet
    }

    /// Hands the packet to the selected sockets of this process and collects their acknowledgements.
    public func broadcastWithAck(_ packet: BroadcastPacket, to options: BroadcastOptions) async throws -> BroadcastAcknowledgements {
        let stream = BroadcastAcknowledgements()
        await deliver(packet, to: options, acknowledgements: stream, part: stream.addPart())
        stream.seal()
        return stream
    }

    /// Hands a packet to the selected sockets of this process and reports their acknowledgements to one part of a stream.
    ///
    /// - Parameters:
    ///   - packet: The packet, encoded without an acknowledgement id.
    ///   - options: The selection.
    ///   - stream: Gets the acknowledgements. When it ends, the sockets forget them.
    ///   - part: The part of the stream that stands for this process. It learns how many sockets were asked.
    public func deliver(
        _ packet: BroadcastPacket,
        to options: BroadcastOptions,
        acknowledgements stream: BroadcastAcknowledgements,
        part: BroadcastAcknowledgements.PartID
    ) async {
        await beginDelivery(packet, to: options, acknowledgements: stream, part: part)()
    }

    /// The same in two steps, for a caller that must not wait: when this returns, the packet is on its way in order.
    ///
    /// - Returns: A closure that counts the addressed sockets; it must be called once.
    package func beginDelivery(
        _ packet: BroadcastPacket,
        to options: BroadcastOptions,
        acknowledgements stream: BroadcastAcknowledgements,
        part: BroadcastAcknowledgements.PartID
    ) -> @Sendable () async -> Void {
        let id = nextAcknowledgementID()
        let numbered = BroadcastPacket(encoder.adding(acknowledgementID: id, to: packet.encoded))
        let sink = stream.sink(for: part)
        let isAllowed = isAllowed(options)
        let scattered = scatter { index in
            var sockets: [any LocalSocket] = []
            guard isAllowed else { return sockets }
            index.forEach(rooms: options.rooms, except: options.except) { member in
                sockets.append(member.socket)
                member.socket.deliver(numbered, acknowledgement: id, to: sink)
            }
            return sockets
        }
        return {
            let asked = await scattered.gathered()
            stream.onEnd {
                for sockets in asked {
                    guard let loop = sockets.first?.eventLoop else { continue }
                    let forget = { @Sendable in for socket in sockets { socket.forgetAcknowledgement(id) } }
                    if loop.inEventLoop { forget() } else { loop.execute(forget) }
                }
            }
            stream.expect(asked.reduce(0) { $0 + $1.count }, from: part)
        }
    }

    /// Makes the selected sockets of this process join rooms.
    public func addSockets(_ options: BroadcastOptions, to rooms: [Room]) async throws { enqueueAdd(options, to: rooms) }

    /// Makes the selected sockets of this process leave rooms.
    public func removeSockets(_ options: BroadcastOptions, from rooms: [Room]) async throws { enqueueRemove(options, from: rooms) }

    /// Ends the selected sockets of this process.
    public func disconnectSockets(_ options: BroadcastOptions, closeConnection: Bool) async throws {
        enqueueDisconnect(options, closeConnection: closeConnection)
    }

    package func enqueueAdd(_ options: BroadcastOptions, to rooms: [Room]) {
        guard isAllowed(options, adding: rooms) else { return }
        onEachLoop { $0.change(.join, options, rooms: rooms) }
    }

    package func enqueueRemove(_ options: BroadcastOptions, from rooms: [Room]) {
        guard isAllowed(options, adding: rooms) else { return }
        onEachLoop { $0.change(.leave, options, rooms: rooms) }
    }

    package func enqueueDisconnect(_ options: BroadcastOptions, closeConnection: Bool) {
        guard isAllowed(options) else { return }
        onEachLoop { $0.disconnect(options, closeConnection: closeConnection) }
    }

    /// Whether an operation names no more rooms than it may. The API has checked it; others are reported.
    func isAllowed(_ options: BroadcastOptions, adding rooms: [Room] = []) -> Bool {
        guard limits.areExceeded(by: options, adding: rooms) else { return true }
        onLimit?(.rooms(RoomRefusal(reason: .operationTooLarge, count: 1)))
        return false
    }

    /// The pause between two slices of work, in which a loop reads and writes; work without a delay would run before that.
    package static let pause = TimeAmount.microseconds(500)

    /// Goes on with what is applied in slices.
    private static func work(_ index: LoopBound<RoomIndex>, on loop: any EventLoop) {
        loop.scheduleTask(in: pause) { if index.value.work() { work(index, on: loop) } }
    }

    /// The rooms that the selected sockets of this process are in.
    public func rooms(_ options: BroadcastOptions) async throws -> NameSet {
        guard isAllowed(options) else { return [] }
        let isAll = options.rooms.isEmpty && options.except.isEmpty
        return await gather { index in
            isAll ? index.roomNames() : index.selected(options).reduce(into: []) { $0.formUnion(index.rooms(of: $1.id)) }
        }.reduce(into: []) { $0.formUnion($1) }
    }

    /// Does nothing: there are no other processes.
    public func serverSideEmit(_ arguments: EventArguments, confirmed: Bool) async throws {}

    /// Returns no answers: there are no other processes.
    public func serverSideEmitWithAck(_ arguments: EventArguments, timeout: Duration?) async throws -> [EventArguments] { [] }

    /// Finds the selected sockets, with their event loops.
    public func sockets(_ options: BroadcastOptions) async -> [any LocalSocket] {
        await gather { $0.selected(options) }.flatMap { $0 }
    }

    // MARK: Visiting the loops

    /// Runs `body` for the index of each loop: at once on the calling loop, in one hop on the others.
    ///
    /// The other loops come first, under the lock of the hand-over; see ``RecoveryHandover``.
    func onEachLoop(_ body: @escaping @Sendable (RoomIndex) -> Void) {
        var own: LoopBound<RoomIndex>?
        handover.fanOut(loops: loops.count) {
            for (loop, shard) in zip(loops, shards) {
                if loop.inEventLoop { own = shard } else { loop.execute { body(shard.value) } }
            }
        }
        if let own { body(own.value) }
    }

    /// Asks all loops, once what was started before is applied.
    func gather<T: Sendable>(_ body: @escaping @Sendable (RoomIndex) -> T) async -> [T] {
        var scattered = Scattered<T>()
        for (loop, shard) in zip(loops, shards) {
            if loop.inEventLoop, shard.value.isSettled {
                scattered.results.append(body(shard.value))
            } else {
                scattered.pending.append(
                    loop.flatSubmit {
                        let index = shard.value
                        if index.isSettled { return loop.makeSucceededFuture(body(index)) }
                        let promise = loop.makePromise(of: T.self)
                        index.whenSettled { promise.succeed(body(shard.value)) }
                        return promise.futureResult
                    }
                )
            }
        }
        return await scattered.gathered()
    }

    /// Starts on all loops, in order with what was started before.
    private func scatter<T: Sendable>(_ body: @escaping @Sendable (RoomIndex) -> T) -> Scattered<T> {
        var scattered = Scattered<T>()
        for (loop, shard) in zip(loops, shards) {
            if loop.inEventLoop {
                scattered.results.append(body(shard.value))
            } else {
                scattered.pending.append(loop.submit { body(shard.value) })
            }
        }
        return scattered
    }

    private struct Scattered<T: Sendable>: Sendable {
        var pending: [EventLoopFuture<T>] = []
        var results: [T] = []

        func gathered() async -> [T] {
            var result = results
            // A loop that is shut down has no sockets left.
            for future in pending { if let value = try? await future.get() { result.append(value) } }
            return result
        }
    }
}

extension CoreLocalAdapter.Counts {
    /// Passes an event on, but of the creations and deletions of a room on several loops only the first and the last.
    fileprivate func forward(_ event: RoomEvent, to observer: (RoomEvent) -> Void) {
        let isEdge =
            switch event {
            case .create(let room):
                roomLoops.withLock { loops in
                    let before = loops[Name(room)] ?? 0
                    loops[Name(room)] = before + 1
                    return before == 0
                }
            case .delete(let room):
                roomLoops.withLock { loops in
                    let left = (loops[Name(room)] ?? 1) - 1
                    loops[Name(room)] = left > 0 ? left : nil
                    return left <= 0
                }
            case .join, .leave: true
            }
        if isEdge { observer(event) }
    }
}
