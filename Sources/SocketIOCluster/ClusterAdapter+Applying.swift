import NIOCore
import SocketIOCore

extension ClusterAdapter {
    /// Applies a message of another node. Called by the task that reads the stream, in the stream's order; it must not wait.
    func apply(_ header: ClusterHeader, _ body: ClusterBody) {
        switch body {
        case .broadcast(let packet, let options):
            guard isUnderstood(packet, header) else { return }
            if local.recovers { deliverInOrder(packet, to: options, header) } else { local.deliver(packet, to: options) }
        case .broadcastWithAck(let packet, let options): ask(packet, options, header)
        case .addSockets(let options, let rooms): local.enqueueAdd(options, to: rooms)
        case .removeSockets(let options, let rooms): local.enqueueRemove(options, from: rooms)
        case .disconnectSockets(let options, let closeConnection): local.enqueueDisconnect(options, closeConnection: closeConnection)
        case .fetchSockets(let options): answer(header) { [self] in await describe(options, header) }
        case .rooms(let options): answer(header) { [self] in try node.answer(header, with: .roomsAnswer(await local.rooms(options))) }
        case .serverSideEmit(let arguments): context.onServerSideEmit(arguments, nil)
        case .serverSideEmitWithAck(let arguments, _):
            context.onServerSideEmit(arguments) { [node] in node.answer(header, with: .serverSideEmitAnswer($0)) }
        case .claimSession(let pid, let offset): surrender(pid: pid, offset: offset, header)
        default: break
        }
    }

    /// Clients understand one parser only.
    private func isUnderstood(_ packet: BroadcastPacket, _ header: ClusterHeader) -> Bool {
        guard packet.encoded.isBinary != (local.format == .messagePack) else { return true }
        node.report(.skipped("\(header.kind) of \(header.origin): its parser is another than this node's; use one in all nodes"))
        return false
    }

    private func answer(_ header: ClusterHeader, _ job: @escaping @Sendable () async throws -> Void) {
        let isAccepted = node.responders.add { [node] in
            do { try await job() } catch { node.answer(header, with: .errorAnswer("\(error)")) }
        }
        if !isAccepted { node.answer(header, with: .errorAnswer("the node has too many requests to answer")) }
    }

    private func describe(_ options: BroadcastOptions, _ header: ClusterHeader) async {
        guard let sockets = try? await local.fetchSockets(options) else { return }
        let size = max(1, node.configuration.socketsPerAnswer)
        var rest = sockets[...]
        repeat {
            let part = rest.prefix(size)
            rest = rest.dropFirst(size)
            node.answer(header, with: .fetchSocketsAnswer(Array(part), hasMore: !rest.isEmpty))
        } while !rest.isEmpty
    }

    // MARK: Acknowledgements

    private func ask(_ packet: BroadcastPacket, _ options: BroadcastOptions, _ header: ClusterHeader) {
        guard isUnderstood(packet, header) else { return node.answer(header, with: .errorAnswer("the node uses another parser")) }
        let stream = BroadcastAcknowledgements()
        let counting = local.beginDelivery(packet, to: options, acknowledgements: stream, part: stream.addPart())
        answer(header) { [self] in
            await counting()
            stream.seal()
            await relay(stream, header, timeout: options.flags.timeout ?? node.configuration.requestTimeout)
        }
    }

    /// Tells the asking node how many clients were asked, then what they answer.
    private func relay(_ stream: BroadcastAcknowledgements, _ header: ClusterHeader, timeout: Duration) async {
        let expected = stream.summary.expected
        node.answer(header, with: .acknowledgementCount(expected))
        guard expected > 0 else { return }
        await withDiscardingTaskGroup { group in
            group.addTask {
                try? await self.node.sleep(for: timeout)
                stream.timeOut()
            }
            for await arguments in stream { node.answer(header, with: .acknowledgement(arguments)) }
            group.cancelAll()
        }
        let summary = stream.summary
        if summary.answered < summary.expected { node.answer(header, with: .acknowledgementsEnd) }
    }
}
