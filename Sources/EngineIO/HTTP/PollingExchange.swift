// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// A polling request that waits for its answer, as its session knows it.
struct PollingExchange: Sendable {
    let home: EngineLoopHandle
    let handler: NIOLoopBound<EngineHTTPHandler>
    /// Unique in this process.
    let id: Int

    private static let lastID = Atomic(0)

    static func nextID() -> Int {
        lastID.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// Answers the request, from the session's event loop.
    func answer(_ answer: Answer, from loop: EngineLoop) {
        let (handler, id) = (handler, id)
        loop.perform(on: home) { _ in handler.value.answer(answer, to: id) }
    }

    /// The answer to a polling request.
    enum Answer: Sendable {
        /// 200 with a payload, the answer to a GET.
        case payload(ByteBuffer)
        /// 200 with `ok`, the answer to a POST.
        case ok
        case refused(EngineRefusal)
    }
}

extension HTTPConnectionStateMachine.Loss {
    /// Notifies the session.
    func notify(from loop: EngineLoop) {
        switch self {
        case .post(let handle, let id): loop.perform(on: handle) { $0.postFailed(id) }
        case .poll(let handle, let id): loop.perform(on: handle) { $0.pollAborted(id) }
        }
    }
}
