// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOConcurrency
import SocketIOText
import Synchronization

/// A session as other event loops know it.
struct SessionHandle: Sendable {
    let home: EngineLoopHandle
    let session: NIOLoopBound<EngineSession>
}

/// All sessions of a server by their id, for whichever event loop a request arrives on.
final class SessionRegistry: Sendable {
    private struct State {
        var sessions: [Name: SessionHandle] = [:]
        var isDraining = false
        var pendingHandshakes = 0
    }

    private let state = Mutex(State())
    /// Opens when the server is shutting down and no session is left.
    let drained = Gate()

    /// How many bytes an id may have. A request with another `sid` need not be looked up.
    private let lengths: ClosedRange<Int>

    /// - Parameter lengths: How many bytes an id may have.
    init(lengths: ClosedRange<Int>) { self.lengths = lengths }

    enum Insertion: Sendable { case inserted, duplicate, refused, unfit }

    /// Adds a session, unless its id is in use or not a valid one, `limit` is reached or the server is shutting down.
    func insert(_ handle: SessionHandle, id: String, limit: Int) -> Insertion {
        guard lengths.contains(id.utf8.count) else { return .unfit }
        return state.withLock { state in
            guard !state.isDraining, state.sessions.count < limit else { return .refused }
            guard state.sessions[Name(id)] == nil else { return .duplicate }
            state.sessions[Name(id)] = handle
            return .inserted
        }
    }

    /// The session with this id. An id of another length is neither hashed nor looked up.
    func find(_ id: String) -> SessionHandle? {
        guard lengths.contains(id.utf8.count) else { return nil }
        return state.withLock { $0.sessions[Name(id)] }
    }

    func remove(_ id: String) {
        let isDrained = state.withLock { state in
            state.sessions[Name(id)] = nil
            return state.isDraining && state.sessions.isEmpty
        }
        if isDrained { drained.open() }
    }

    var count: Int { state.withLock { $0.sessions.count } }

    var isDraining: Bool { state.withLock { $0.isDraining } }

    /// Refuses sessions from now on and returns those that are open.
    func drain() -> [SessionHandle] {
        let sessions = state.withLock { state in
            state.isDraining = true
            return Array(state.sessions.values)
        }
        if sessions.isEmpty { drained.open() }
        return sessions
    }

    /// Asks whether a handshake is accepted, in a task of its own.
    ///
    /// - Parameters:
    ///   - handshake: The handshake.
    ///   - allowRequest: Decides.
    ///   - limit: How many handshakes may wait for a decision.
    ///   - eventLoop: Where `completion` is called.
    ///   - completion: Gets the decision, unless the task has been cancelled.
    /// - Returns: The task; nil if too many handshakes wait or the server is shutting down.
    func decide(
        _ handshake: EngineHandshake,
        _ allowRequest: @escaping @Sendable (EngineHandshake) async -> EngineRequestDecision,
        limit: Int,
        on eventLoop: any EventLoop,
        _ completion: @escaping @Sendable (EngineRequestDecision) -> Void
    ) -> Task<Void, Never>? {
        let mayWait = state.withLock { state in
            guard !state.isDraining, state.pendingHandshakes < limit else { return false }
            state.pendingHandshakes += 1
            return true
        }
        guard mayWait else { return nil }
        return Task {
            let decision = await allowRequest(handshake)
            state.withLock { $0.pendingHandshakes -= 1 }
            // The connection has ended; its event loop may have as well.
            guard !Task.isCancelled else { return }
            eventLoop.execute { completion(decision) }
        }
    }
}
