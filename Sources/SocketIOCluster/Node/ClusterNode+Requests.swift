// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCore
import Synchronization

extension ClusterNode {
    static var notStarted: ClusterError { ClusterError(.notSent, "the node has not been started; start the server first") }

    /// Makes a request and waits for its answers.
    func request(
        _ body: ClusterBody,
        namespace: String,
        target: NodeID?,
        timeout: Duration?
    ) async -> PendingRequestsStateMachine.RequestResult {
        let id = Self.makeRequestID()
        let timeout = timeout ?? configuration.requestTimeout
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let actions = step { state in
                    state.requests[id] = continuation
                    guard state.isStarted else { return [.request(.complete(id, .init(error: Self.notStarted)))] }
                    return state.machine.request(
                        id,
                        .answers,
                        namespace: namespace,
                        target: target,
                        body: body,
                        timeout: timeout,
                        now: now
                    )
                }
                perform(actions)
                // The handler may have been called before there was anything to cancel.
                if Task.isCancelled { cancel(id) }
            }
        } onCancel: {
            cancel(id)
        }
    }

    private func cancel(_ id: ClusterRequestID) {
        var mayBeSent = false
        var continuation: CheckedContinuation<PendingRequestsStateMachine.RequestResult, Never>?
        let actions = step { state in
            continuation = state.requests.removeValue(forKey: id)
            guard continuation != nil else { return [] }
            let result = state.machine.cancel(id)
            mayBeSent = result.mayBeSent
            return result.actions
        }
        perform(actions)
        let text = "the task that waits for the answers was cancelled"
        let error =
            mayBeSent
            ? ClusterError(.unknown, text + "; other nodes may have got the request")
            : ClusterError(.notSent, text + " before the request was sent")
        continuation?.resume(returning: .init(error: error))
    }

    /// Makes a request for acknowledgements, which go to the stream until it ends.
    func requestAcknowledgements(_ body: ClusterBody, options: BroadcastOptions, namespace: String, stream: BroadcastAcknowledgements) {
        let id = Self.makeRequestID()
        let actions = step { state in
            state.streams[id] = AcknowledgementCollector(stream)
            guard state.isStarted else { return [.started(id, nodes: []), .request(.timeOut(id))] }
            return state.machine.request(
                id,
                .acknowledgements(single: options.flags.expectSingleResponse),
                namespace: namespace,
                target: options.node,
                body: body,
                timeout: options.flags.timeout ?? configuration.requestTimeout,
                now: now
            )
        }
        perform(actions)
        stream.onEnd { [weak self] in self?.forget(id) }
    }

    private func forget(_ id: ClusterRequestID) {
        let actions = step { state in
            state.streams[id] = nil
            return state.machine.cancel(id).actions
        }
        perform(actions)
    }

    private static func makeRequestID() -> ClusterRequestID {
        // 96 random bits, which is what all wire formats can carry.
        ClusterRequestID(high: UInt64.random(in: .min ... .max), low: UInt64.random(in: 1...0xffff_ffff) << 32)
    }

    /// Answers a request without waiting.
    func answer(_ header: ClusterHeader, with body: ClusterBody) {
        perform { machine, now in machine.answer(header, with: body, now: now) }
    }

    /// Answers a request and waits until it is known what became of the answer.
    ///
    /// - Returns: Whether it may have been sent.
    func answerAndWait(_ header: ClusterHeader, with body: ClusterBody) async -> Bool {
        let fate = await write { machine, ticket, now in machine.answer(header, with: body, ticket: ticket, now: now) }
        if case .notSent = fate { return false }
        return true
    }
}
