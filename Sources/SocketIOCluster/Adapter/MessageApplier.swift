// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import SocketIOConcurrency
import SocketIOCore

/// Applies the messages of other nodes to one namespace.
struct MessageApplier: Sendable {
    let node: ClusterNode
    let context: AdapterContext
    let mover: SessionMover?

    private var namespace: String { context.namespace }
    private var local: CoreLocalAdapter { context.local }
    private var runner: MachineRunner { node.runner }

    /// Applies a message of another node. Called by the task that reads the stream, in the stream's order; it must not block.
    func apply(_ header: ClusterHeader, _ body: ClusterBody) {
        switch body {
        case .broadcast(let packet, let options):
            guard !packet.encoded.isPlaceMarker else { return mover?.receivePlaceMarker(packet, header) ?? () }
            guard isUnderstood(packet, header) else { return }
            if let mover { mover.receive(packet, to: options, header) } else { local.deliver(packet, to: options) }
        case .broadcastWithAck(let packet, let options): ask(packet, options, header)
        case .addSockets(let options, let rooms): local.enqueueAdd(options, to: rooms)
        case .removeSockets(let options, let rooms): local.enqueueRemove(options, from: rooms)
        case .disconnectSockets(let options, let closeConnection): local.enqueueDisconnect(options, closeConnection: closeConnection)
        case .fetchSockets(let options):
            answer(header, bytes: body.estimatedByteCount) { [self] in try await describe(options, header) }
        case .rooms(let options):
            answer(header, bytes: body.estimatedByteCount) { [self] in
                runner.answer(header, with: .roomsAnswer(try await local.rooms(options)))
            }
        case .serverSideEmit(let arguments): context.onServerSideEmit(arguments, nil)
        case .serverSideEmitWithAck(let arguments, _):
            context.onServerSideEmit(arguments) { [runner] in runner.answer(header, with: .serverSideEmitAnswer($0)) }
        case .claimSession(let pid, let offset):
            if let mover { mover.handOver(pid: pid, offset: offset, header) } else { runner.answer(header, with: .sessionAnswer(nil)) }
        default: break
        }
    }

    /// Clients understand one parser only, and other programs that write to the backend could write anything.
    private func isUnderstood(_ packet: BroadcastPacket, _ header: ClusterHeader) -> Bool {
        if packet.encoded.isEvent(for: local.format, in: namespace) { return true }
        let isOfOtherParser = packet.encoded.isBinary != (local.format == .messagePack)
        let reason = isOfOtherParser ? "its parser is not that of this node; use the same in all nodes" : "its packet is not an event"
        runner.report(.skipped("\(header.kind) of \(header.origin): \(reason)"))
        return false
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
        let isAccepted = (queue ?? node.responders).add(bytes: bytes) { [runner] in
            do { try await job() } catch { runner.answer(header, with: .errorAnswer("\(error)")) }
        }
        if !isAccepted { runner.answer(header, with: .errorAnswer("the node has too many requests to answer")) }
        return isAccepted
    }

    private func describe(_ options: BroadcastOptions, _ header: ClusterHeader) async throws {
        let sockets = try await local.fetchSockets(options)
        let countLimit = max(1, node.configuration.maximumSocketsPerAnswer)
        // At most half a batch, so that other messages are not delayed.
        let byteLimit = max(0, min(node.driver.messageLimit, node.configuration.maximumBatchBytes / 2) - 512)
        var answers = SocketAnswers(countLimit: countLimit, byteLimit: countLimit == .max ? .max : byteLimit)
        for socket in sockets { answers.add(socket) }
        for (index, part) in answers.parts.enumerated() {
            let hasMore = index + 1 < answers.parts.count || answers.tooLarge != nil
            runner.answer(header, with: .fetchSocketsAnswer(part, hasMore: hasMore))
        }
        if let tooLarge = answers.tooLarge { throw tooLarge }
    }

    // MARK: Acknowledgements

    private func ask(_ packet: BroadcastPacket, _ options: BroadcastOptions, _ header: ClusterHeader) {
        guard isUnderstood(packet, header) else {
            return runner.answer(header, with: .errorAnswer("the packet is not an event for the clients of this node"))
        }
        let stream = BroadcastAcknowledgements()
        let counting = local.beginDelivery(packet, to: options, acknowledgements: stream, part: stream.addPart())
        // Bounded, whatever the message says, because the number of requests that wait for clients is limited.
        let timeout = min(options.flags.timeout ?? node.configuration.requestTimeout, Self.longestRelay)
        let isAccepted = answer(header, node.relays) { [self] in
            await counting()
            stream.seal()
            await relay(stream, header, timeout: timeout)
        }
        if !isAccepted { stream.cancel() }
    }

    private static var longestRelay: Duration { .seconds(3_600) }

    /// Reports to the requesting node how many clients were asked, then their acknowledgements.
    private func relay(_ stream: BroadcastAcknowledgements, _ header: ClusterHeader, timeout: Duration) async {
        let expected = stream.summary.expected
        runner.answer(header, with: .acknowledgementCount(expected))
        guard expected > 0 else { return }
        // This many are in flight at a time; then the backend sets the pace, and the stream buffers what arrives in the meantime, or counts
        // it.
        let window = max(1, min(512, node.configuration.maximumQueuedMessages / 4))
        var relayed = 0
        await withDiscardingTaskGroup { group in
            group.addTask {
                try? await node.clock.sleep(for: timeout)
                stream.timeOut()
            }
            for await arguments in stream {
                relayed += 1
                if relayed.isMultiple(of: window) {
                    guard await runner.answerAndWait(header, with: .acknowledgement(arguments)) else { break }
                } else {
                    runner.answer(header, with: .acknowledgement(arguments))
                }
            }
            stream.cancel()
            group.cancelAll()
        }
        guard relayed < expected else { return }
        let reports = node.configuration.reportsEachMissingAcknowledgement ? min(expected - relayed, Self.missingReports) : 1
        for number in 1...reports {
            if number.isMultiple(of: window) {
                guard await runner.answerAndWait(header, with: .acknowledgementsEnd) else { return }
            } else {
                runner.answer(header, with: .acknowledgementsEnd)
            }
        }
    }

    /// More would be in the way of other messages, and the request ends with its timeout anyway.
    private static let missingReports = 1_000
}
