// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import SocketIOConcurrency
import SocketIOCore

extension ClusterAdapter {
    /// Applies a message of another node. Called by the task that reads the stream, in the stream's order; it must not wait.
    func apply(_ header: ClusterHeader, _ body: ClusterBody) {
        switch body {
        case .broadcast(let packet, let options):
            guard !packet.encoded.isPlaceMarker else { return pass(packet, header) }
            guard isUnderstood(packet, header) else { return }
            if local.recovers { deliverInOrder(packet, to: options, header) } else { local.deliver(packet, to: options) }
        case .broadcastWithAck(let packet, let options): ask(packet, options, header)
        case .addSockets(let options, let rooms): local.enqueueAdd(options, to: rooms)
        case .removeSockets(let options, let rooms): local.enqueueRemove(options, from: rooms)
        case .disconnectSockets(let options, let closeConnection): local.enqueueDisconnect(options, closeConnection: closeConnection)
        case .fetchSockets(let options):
            answer(header, bytes: body.estimatedByteCount) { [self] in try await describe(options, header) }
        case .rooms(let options):
            answer(header, bytes: body.estimatedByteCount) { [self] in
                try node.answer(header, with: .roomsAnswer(await local.rooms(options)))
            }
        case .serverSideEmit(let arguments): context.onServerSideEmit(arguments, nil)
        case .serverSideEmitWithAck(let arguments, _):
            context.onServerSideEmit(arguments) { [node] in node.answer(header, with: .serverSideEmitAnswer($0)) }
        case .claimSession(let pid, let offset): surrender(pid: pid, offset: offset, header)
        default: break
        }
    }

    /// Clients understand one parser only, and whoever writes to the backend could write anything.
    private func isUnderstood(_ packet: BroadcastPacket, _ header: ClusterHeader) -> Bool {
        if packet.encoded.isEvent(for: local.format, in: namespace) { return true }
        let isOfOtherParser = packet.encoded.isBinary != (local.format == .messagePack)
        let reason = isOfOtherParser ? "its parser is another than this node's; use one in all nodes" : "its packet is no event"
        node.report(.skipped("\(header.kind) of \(header.origin): \(reason)"))
        return false
    }

    /// A session from elsewhere, without packets that must not be given to a client.
    func understood(_ session: ClaimedSession) -> ClaimedSession {
        var sound = session
        sound.missed.removeAll { !$0.encoded.isEvent(for: local.format, in: namespace) }
        let skipped = session.missed.count - sound.missed.count
        if skipped > 0 { node.report(.skipped("\(skipped) packet(s) of a session from another node: they are no events")) }
        return sound
    }

    /// The first place of a node in the stream: no client gets anything.
    private func pass(_ packet: BroadcastPacket, _ header: ClusterHeader) {
        guard local.recovers else { return }
        let room = header.id.description
        deliverInOrder(packet, to: BroadcastOptions(rooms: [room], except: [room]), header)
    }

    /// - Parameter bytes: The size of what the job holds.
    /// - Returns: Whether there was room for it.
    @discardableResult
    private func answer(
        _ header: ClusterHeader,
        _ queue: JobQueue? = nil,
        bytes: Int = 0,
        _ job: @escaping @Sendable () async throws -> Void
    ) -> Bool {
        let isAccepted = (queue ?? node.responders).add(bytes: bytes) { [node] in
            do { try await job() } catch { node.answer(header, with: .errorAnswer("\(error)")) }
        }
        if !isAccepted { node.answer(header, with: .errorAnswer("the node has too many requests to answer")) }
        return isAccepted
    }

    private func describe(_ options: BroadcastOptions, _ header: ClusterHeader) async throws {
        let sockets = try await local.fetchSockets(options)
        let countLimit = max(1, node.configuration.maximumSocketsPerAnswer)
        // Half a batch at most, so that other messages are not held up.
        let byteLimit = max(0, min(node.driver.messageLimit, node.configuration.maximumBatchBytes / 2) - 512)
        var answers = SocketAnswers(countLimit: countLimit, byteLimit: countLimit == .max ? .max : byteLimit)
        for socket in sockets { answers.add(socket) }
        for (index, part) in answers.parts.enumerated() {
            let hasMore = index + 1 < answers.parts.count || answers.tooLarge != nil
            node.answer(header, with: .fetchSocketsAnswer(part, hasMore: hasMore))
        }
        if let tooLarge = answers.tooLarge { throw tooLarge }
    }

    // MARK: Acknowledgements

    private func ask(_ packet: BroadcastPacket, _ options: BroadcastOptions, _ header: ClusterHeader) {
        guard isUnderstood(packet, header) else {
            return node.answer(header, with: .errorAnswer("the packet is no event for the clients of this node"))
        }
        let stream = BroadcastAcknowledgements()
        let counting = local.beginDelivery(packet, to: options, acknowledgements: stream, part: stream.addPart())
        // Not for longer, whatever the message says: those who wait for answers have a limit.
        let timeout = min(options.flags.timeout ?? node.configuration.requestTimeout, Self.longestRelay)
        let isAccepted = answer(header, node.relays) { [self] in
            await counting()
            stream.seal()
            await relay(stream, header, timeout: timeout)
        }
        if !isAccepted { stream.cancel() }
    }

    private static var longestRelay: Duration { .seconds(3_600) }

    /// Tells the asking node how many clients were asked, then what they answer.
    private func relay(_ stream: BroadcastAcknowledgements, _ header: ClusterHeader, timeout: Duration) async {
        let expected = stream.summary.expected
        node.answer(header, with: .acknowledgementCount(expected))
        guard expected > 0 else { return }
        // So many are on their way at once; then the backend sets the pace, and the stream keeps what comes meanwhile, or counts it.
        let window = max(1, min(512, node.configuration.maximumQueuedMessages / 4))
        var relayed = 0
        await withDiscardingTaskGroup { group in
            group.addTask {
                try? await self.node.sleep(for: timeout)
                stream.timeOut()
            }
            for await arguments in stream {
                relayed += 1
                if relayed.isMultiple(of: window) {
                    guard await node.answerAndWait(header, with: .acknowledgement(arguments)) else { break }
                } else {
                    node.answer(header, with: .acknowledgement(arguments))
                }
            }
            stream.cancel()
            group.cancelAll()
        }
        if relayed < expected { node.answer(header, with: .acknowledgementsEnd) }
    }
}
