// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What a server cannot be faster than: it looks for the names of events by comparing bytes and makes nothing but system calls.
/// It keeps no promise of a real server, and serves this load generator only.
final class BareServer {
    private final class Peer {
        let index: Int
        let file: Int32
        var isUpgraded = false
        var isMember = false
        var leftover = Bytes()
        var output = Bytes()
        var waitsToWrite = false

        init(index: Int, file: Int32) {
            self.index = index
            self.file = file
        }

        deinit {
            leftover.deallocate()
            output.deallocate()
        }
    }

    private static let inboundSize = 1 << 20

    private let listener: Int32
    private let poller: Poller
    /// How many messages to a room go into one write per receiver.
    private let batch: Int
    private var peers: [Peer?] = [nil]
    /// Free places in ``peers``.
    private var free: [Int] = []
    private var members: [Peer] = []
    private let inbound = UnsafeMutablePointer<UInt8>.allocate(capacity: inboundSize)
    private var frame = Bytes()
    private var batched = Bytes()
    private var batchedCount = 0

    var port: UInt16 { TCP.port(of: listener) }

    init(_ address: Address, batch: Int) throws {
        signal(SIGPIPE, SIG_IGN)
        self.batch = batch
        poller = try Poller()
        listener = try TCP.listen(on: address)
        poller.add(listener, index: 0)
    }

    deinit {
        inbound.deallocate()
        frame.deallocate()
        batched.deallocate()
        Glibc.close(listener)
    }

    /// Serves until the process ends.
    func run() -> Never {
        while true {
            poller.wait(until: Clock.now + Clock.second) { readiness in
                guard readiness.index > 0 else { return acceptAll() }
                guard let peer = peers[readiness.index] else { return }
                if readiness.canWrite { drain(peer) }
                if readiness.canRead { read(peer) }
            }
        }
    }

    private func acceptAll() {
        while let file = TCP.accept(listener) {
            let index = free.popLast() ?? peers.count
            let peer = Peer(index: index, file: file)
            if index == peers.count { peers.append(peer) } else { peers[index] = peer }
            poller.add(file, index: index)
        }
    }

    private func close(_ peer: Peer) {
        Glibc.close(peer.file)
        peers[peer.index] = nil
        free.append(peer.index)
        if peer.isMember { members.removeAll { $0 === peer } }
    }

    // MARK: Reading

    private func read(_ peer: Peer) {
        let kept = peer.leftover.count
        memcpy(inbound, peer.leftover.start, kept)
        let count = Glibc.read(peer.file, inbound + kept, Self.inboundSize - kept)
        guard count > 0 else {
            if count == 0 || errno != EAGAIN { close(peer) }
            return
        }
        let available = kept + count
        let used = peer.isUpgraded ? scan(peer, available) : upgrade(peer, available)
        guard used >= 0 else { return close(peer) }
        peer.leftover.removeAll()
        peer.leftover.append(inbound + used, available - used)
        drain(peer)
    }

    private func upgrade(_ peer: Peer, _ available: Int) -> Int {
        guard UnsafeBufferPointer(start: inbound, count: available).suffix(4).elementsEqual("\r\n\r\n".utf8) else { return 0 }
        peer.isUpgraded = true
        peer.output.append("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        send(#"0{"sid":"bare","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#, to: peer)
        return available
    }

    private func send(_ text: StaticString, to peer: Peer) {
        frame.removeAll()
        frame.append(text)
        WebSocketFrames.appendUnmasked(frame, opcode: WebSocketFrames.text, to: &peer.output)
    }

    /// - Returns: The number of bytes that were complete frames, or -1 to end the connection.
    private func scan(_ peer: Peer, _ available: Int) -> Int {
        var position = 0
        while let received = ReceivedFrame(inbound + position, available - position) {
            let payload = inbound + position + received.header
            position += received.header + received.length
            if let mask = received.mask { WebSocketFrames.apply(mask, to: payload, received.length) }
            switch received.opcode {
            case 1: message(UnsafeBufferPointer(start: payload, count: received.length), from: peer)
            case 8: return -1
            default: break
            }
        }
        return position
    }

    private func message(_ text: UnsafeBufferPointer<UInt8>, from peer: Peer) {
        guard text.first == UInt8(ascii: "4"), let packet = ReceivedPacket(json: UnsafeBufferPointer(rebasing: text[1...])) else { return }
        switch packet.kind {
        case .connect: send(#"40{"sid":"bare"}"#, to: peer)
        case .event:
            if let arguments = packet.arguments(of: "echo") {
                acknowledge(packet.id, arguments, to: peer)
            } else if let arguments = packet.arguments(of: "roomcast"), let comma = arguments.firstIndex(of: UInt8(ascii: ",")) {
                cast(UnsafeBufferPointer(rebasing: arguments[(comma + 1)...]))
            } else if packet.arguments(of: "join") != nil {
                members.append(peer)
                peer.isMember = true
                acknowledge(packet.id, UnsafeBufferPointer(start: nil, count: 0), to: peer)
            }
        default: break
        }
    }

    // MARK: Writing

    /// - Parameter arguments: What follows the event's name, with the closing bracket.
    private func acknowledge(_ id: Int, _ arguments: UnsafeBufferPointer<UInt8>, to peer: Peer) {
        frame.removeAll()
        frame.append("43")
        frame.append(decimal: UInt64(max(0, id)))
        frame.append("[")
        if let base = arguments.baseAddress { frame.append(base, arguments.count) } else { frame.append("]") }
        WebSocketFrames.appendUnmasked(frame, opcode: WebSocketFrames.text, to: &peer.output)
    }

    private func cast(_ payload: UnsafeBufferPointer<UInt8>) {
        guard let base = payload.baseAddress else { return }
        frame.removeAll()
        frame.append("42[\"msg\",")
        frame.append(base, payload.count)
        WebSocketFrames.appendUnmasked(frame, opcode: WebSocketFrames.text, to: &batched)
        batchedCount += 1
        guard batchedCount >= batch else { return }
        for member in members {
            member.output.append(batched.start, batched.count)
            if !member.waitsToWrite { drain(member) }
        }
        batched.removeAll()
        batchedCount = 0
    }

    private func drain(_ peer: Peer) {
        while !peer.output.isEmpty {
            let written = write(peer.file, peer.output.start, peer.output.count)
            if written > 0 {
                peer.output.removeFirst(written)
                continue
            }
            if errno == EAGAIN, !peer.waitsToWrite {
                peer.waitsToWrite = true
                poller.change(peer.file, index: peer.index, reading: true, writing: true)
            }
            return
        }
        if peer.waitsToWrite {
            peer.waitsToWrite = false
            poller.change(peer.file, index: peer.index, reading: true, writing: false)
        }
    }
}

extension ReceivedPacket {
    /// What follows the name of an event, if it is this one.
    fileprivate func arguments(of event: StaticString) -> UnsafeBufferPointer<UInt8>? {
        let length = event.utf8CodeUnitCount
        // ["name",
        guard let base = body.baseAddress, body.count > length + 4, base[length + 2] == UInt8(ascii: "\"") else { return nil }
        guard memcmp(base + 2, event.utf8Start, length) == 0 else { return nil }
        return UnsafeBufferPointer(rebasing: body[(length + 4)...])
    }
}
