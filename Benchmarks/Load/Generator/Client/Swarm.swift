// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Events that a swarm reports to its mode.
protocol SwarmDelegate: AnyObject {
    /// The client is in the main namespace.
    func clientIsReady(_ client: ClientConnection, now: UInt64)
    /// An event or an acknowledgement has arrived.
    func client(_ client: ClientConnection, received packet: ReceivedPacket, now: UInt64)
    /// The connection has ended, and this side has not ended it.
    func clientWasClosed(_ client: ClientConnection, now: UInt64)
}

extension SwarmDelegate {
    func clientIsReady(_ client: ClientConnection, now: UInt64) {}
    func clientWasClosed(_ client: ClientConnection, now: UInt64) {}
}

/// Many clients on one thread.
final class Swarm<Delegate: SwarmDelegate> {
    private static var inboundSize: Int { 1 << 20 }

    let writer: PacketWriter
    private(set) var clients: [ClientConnection] = []
    /// The number of clients in the namespace.
    private(set) var readyCount = 0
    /// The number of connections that ended without being asked to, or could not be made.
    private(set) var lostCount = 0
    private(set) var lastFailure: String?
    /// Does not keep it alive.
    unowned var delegate: Delegate?
    private let poller: Poller
    private let inbound = UnsafeMutablePointer<UInt8>.allocate(capacity: inboundSize)
    private var dirty: [ClientConnection] = []
    private var scratch = Bytes()
    private var pendingConnects = 0
    private var mask: UInt32 = 0x9d3b_5c71

    init(format: WireFormat) throws {
        self.writer = PacketWriter(format: format)
        self.poller = try Poller()
        signal(SIGPIPE, SIG_IGN)
    }

    deinit {
        inbound.deallocate()
        scratch.deallocate()
    }

    // MARK: Connecting

    /// Adds clients, not yet connected, spread over the servers.
    func add(_ count: Int, to servers: [ServerURL]) {
        for number in 0..<count { clients.append(ClientConnection(index: clients.count, server: servers[number % servers.count])) }
    }

    /// Adds a client whose index is the number of clients so far.
    func add(_ client: ClientConnection) { clients.append(client) }

    /// Connects the clients that are not connected, a limited number at a time.
    ///
    /// - Throws: If they are not all in the namespace within `timeout` seconds.
    func connectAll(atOnce: Int = 128, timeout: UInt64 = 60, givingUpAfter failures: Int = 0) throws {
        let deadline = Clock.now + timeout * Clock.second
        var waiting = clients.filter { $0.phase == .idle || $0.phase == .closed }
        waiting.reverse()
        let lostBefore = lostCount
        while readyCount < clients.count {
            while pendingConnects < atOnce, let client = waiting.popLast() { try connect(client) }
            poll(until: min(deadline, Clock.now + 10 * Clock.millisecond))
            if lostCount - lostBefore > failures { throw LoadError("a client could not connect: \(lastFailure ?? "closed by the server")") }
            guard Clock.now < deadline else {
                throw LoadError("only \(readyCount) of \(clients.count) clients are connected after \(timeout) s")
            }
        }
    }

    func connect(_ client: ClientConnection) throws {
        client.began = Clock.now
        client.file = try TCP.connect(to: client.server.address, receiveBuffer: client.receiveBuffer)
        client.phase = .connecting
        client.leftover.removeAll()
        client.output.removeAll()
        client.isReading = true
        client.waitsToWrite = true
        pendingConnects += 1
        poller.add(client.file, index: client.index, reading: true, writing: true)
    }

    private func setPhase(_ phase: ClientConnection.Phase, of client: ClientConnection) {
        switch client.phase {
        case .connecting, .upgrading, .opening, .joining: pendingConnects -= 1
        case .ready: readyCount -= 1
        case .idle, .closed: break
        }
        client.phase = phase
        switch phase {
        case .connecting, .upgrading, .opening, .joining: pendingConnects += 1
        case .ready: readyCount += 1
        case .idle, .closed: break
        }
    }

    // MARK: Closing

    /// Ends a client's connection.
    ///
    /// - Parameter cut: Whether the connection is cut off, as by a network that fails, instead of being ended in order.
    func close(_ client: ClientConnection, cut: Bool = false) {
        guard client.file >= 0 else { return }
        if cut {
            TCP.cutOnClose(client.file)
        } else if client.phase == .ready {
            var code = Bytes()
            code.append(0x03)
            code.append(0xe8)
            WebSocketFrames.append(code, opcode: WebSocketFrames.close, mask: mask, to: &client.output)
            code.deallocate()
            _ = write(client)
        }
        release(client)
    }

    func closeAll(cut: Bool = false) {
        for client in clients { close(client, cut: cut) }
    }

    private func release(_ client: ClientConnection) {
        client.wasReady = client.phase == .ready
        Glibc.close(client.file)
        client.file = -1
        setPhase(.closed, of: client)
    }

    private func lost(_ client: ClientConnection, _ reason: String) {
        guard client.file >= 0 else { return }
        release(client)
        lostCount += 1
        lastFailure = reason
        delegate?.clientWasClosed(client, now: Clock.now)
    }

    /// Stops or starts to read what the server sends.
    func setReading(_ isReading: Bool, _ client: ClientConnection) {
        guard client.isReading != isReading, client.file >= 0 else { return }
        client.isReading = isReading
        poller.change(client.file, index: client.index, reading: isReading, writing: client.waitsToWrite)
    }

    // MARK: Sending

    /// Sends a message at the end of this round of the loop.
    func send(_ message: Bytes, from client: ClientConnection) {
        mask = mask &* 1_664_525 &+ 1_013_904_223
        WebSocketFrames.append(message, opcode: writer.opcode, mask: mask | 0x0101_0101, to: &client.output)
        markDirty(client)
    }

    private func sendText(_ text: StaticString, from client: ClientConnection) {
        scratch.removeAll()
        scratch.append(text)
        WebSocketFrames.append(scratch, opcode: WebSocketFrames.text, mask: mask, to: &client.output)
        markDirty(client)
    }

    private func markDirty(_ client: ClientConnection) {
        guard !client.isDirty else { return }
        client.isDirty = true
        dirty.append(client)
    }

    /// Writes what was sent since the last flush: one write per client.
    func flush() {
        for client in dirty {
            client.isDirty = false
            if !client.waitsToWrite, client.file >= 0 { _ = write(client) }
        }
        dirty.removeAll(keepingCapacity: true)
    }

    private func write(_ client: ClientConnection) -> Bool {
        while !client.output.isEmpty {
            let written = Glibc.write(client.file, client.output.start, client.output.count)
            if written < 0 {
                guard errno == EAGAIN else {
                    lost(client, String(cString: strerror(errno)))
                    return false
                }
                if !client.waitsToWrite {
                    client.waitsToWrite = true
                    poller.change(client.file, index: client.index, reading: client.isReading, writing: true)
                }
                return true
            }
            client.output.removeFirst(written)
        }
        if client.waitsToWrite {
            client.waitsToWrite = false
            poller.change(client.file, index: client.index, reading: client.isReading, writing: false)
        }
        return true
    }

    // MARK: Receiving

    /// Waits until something happens, at most until `deadline`, and handles it.
    func poll(until deadline: UInt64) {
        flush()
        poller.wait(until: deadline) { readiness in
            let client = clients[readiness.index]
            guard client.file >= 0 else { return }
            if readiness.canWrite { becameWritable(client) }
            if readiness.canRead, client.file >= 0 { read(client) }
        }
        flush()
    }

    private func becameWritable(_ client: ClientConnection) {
        if client.phase == .connecting {
            setPhase(.upgrading, of: client)
            client.output.append(client.server.upgradeRequest)
        }
        _ = write(client)
    }

    private func read(_ client: ClientConnection) {
        let kept = client.leftover.count
        if kept > 0 { memcpy(inbound, client.leftover.start, kept) }
        guard kept < Self.inboundSize else { return lost(client, "a message is too large") }
        let count = Glibc.read(client.file, inbound + kept, Self.inboundSize - kept)
        guard count > 0 else {
            if count < 0, errno == EAGAIN { return }
            return lost(client, count == 0 ? "closed by the server" : String(cString: strerror(errno)))
        }
        let available = kept + count
        var position = 0
        if client.phase == .upgrading { position = upgraded(client, available) }
        if client.phase.isWebSocket { position += scan(client, inbound + position, available - position) }
        guard client.file >= 0 else { return }
        client.leftover.removeAll()
        client.leftover.append(inbound + position, available - position)
    }

    /// Looks for the end of the answer to the handshake.
    private func upgraded(_ client: ClientConnection, _ available: Int) -> Int {
        let received = UnsafeBufferPointer(start: inbound, count: available)
        guard let end = received.firstRange(of: "\r\n\r\n".utf8)?.upperBound else { return 0 }
        let head = String(decoding: received[..<end], as: UTF8.self)
        guard head.hasPrefix("HTTP/1.1 101") else {
            lost(client, "the server refused the upgrade: \(head)")
            return available
        }
        setPhase(.opening, of: client)
        return end
    }

    private func scan(_ client: ClientConnection, _ bytes: UnsafeMutablePointer<UInt8>, _ available: Int) -> Int {
        let now = Clock.now
        var position = 0
        while let frame = ReceivedFrame(bytes + position, available - position) {
            let payload = UnsafeBufferPointer(start: bytes + position + frame.header, count: frame.length)
            position += frame.header + frame.length
            switch frame.opcode {
            case 1: text(client, payload, now)
            case 2: binary(client, payload, now)
            case 8: lost(client, "closed by the server")
            case 9:
                scratch.removeAll()
                if let base = payload.baseAddress { scratch.append(base, payload.count) }
                WebSocketFrames.append(scratch, opcode: WebSocketFrames.pong, mask: mask, to: &client.output)
                markDirty(client)
            default: break
            }
            if client.file < 0 { return available }
        }
        return position
    }

    @inline(__always)
    private func text(_ client: ClientConnection, _ payload: UnsafeBufferPointer<UInt8>, _ now: UInt64) {
        guard let first = payload.first else { return }
        switch first {
        case UInt8(ascii: "4"):
            if let packet = ReceivedPacket(json: UnsafeBufferPointer(rebasing: payload[1...])) { received(client, packet, now) }
        case UInt8(ascii: "2"): sendText("3", from: client)
        case UInt8(ascii: "0"): opened(client)
        case UInt8(ascii: "1"): lost(client, "closed by the server")
        default: break
        }
    }

    private func binary(_ client: ClientConnection, _ payload: UnsafeBufferPointer<UInt8>, _ now: UInt64) {
        guard writer.format == .msgpack else { return }
        if let packet = ReceivedPacket(messagePack: payload) { received(client, packet, now) }
    }

    private func opened(_ client: ClientConnection) {
        setPhase(.joining, of: client)
        let packet = writer.connect(auth: client.recovery?.auth)
        send(packet, from: client)
        packet.deallocate()
    }

    @inline(__always)
    private func received(_ client: ClientConnection, _ packet: ReceivedPacket, _ now: UInt64) {
        switch packet.kind {
        case .event, .acknowledgement, .binaryEvent, .binaryAcknowledgement: delegate?.client(client, received: packet, now: now)
        case .connect:
            guard client.phase == .joining else { return }
            setPhase(.ready, of: client)
            client.recovery?.connected(packet.body)
            delegate?.clientIsReady(client, now: now)
        case .connectError, .disconnect: lost(client, String(decoding: packet.body, as: UTF8.self))
        }
    }
}

extension ClientConnection.Phase {
    fileprivate var isWebSocket: Bool {
        switch self {
        case .opening, .joining, .ready: true
        default: false
        }
    }
}
