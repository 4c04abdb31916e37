// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import EngineIO
import HTTPTypes
import SocketIOCore
import SocketIOText

/// Whether a server serves, for readiness probes and for code that waits for it.
extension SocketIOServer {
    /// The states of a server, in their order. A server never goes back to an earlier one.
    public enum State: String, Sendable, Hashable, Comparable, CustomStringConvertible {
        /// The server has not been started, or is starting: clients that connect wait.
        case starting
        /// The server has started: clients may connect. The standalone server opens its port immediately afterwards.
        case serving
        /// The server is closing, or its start has failed: it refuses new clients and disconnects the others.
        case draining
        /// The server is closed.
        case closed

        /// The state's name.
        public var description: String { rawValue }

        /// Whether a state comes before another.
        public static func < (left: State, right: State) -> Bool { left.order < right.order }

        private var order: Int {
            switch self {
            case .starting: 0
            case .serving: 1
            case .draining: 2
            case .closed: 3
            }
        }
    }

    /// The server's state now.
    public var state: State { lifecycle.state }

    /// The server's state now and each later one, until it is closed. Each call returns a sequence of its own.
    ///
    /// ```swift
    /// for await state in io.states where state == .serving { break }
    /// ```
    ///
    /// The loop also ends if the start fails: check ``state`` after it.
    public var states: AsyncStream<State> { lifecycle.states() }

    /// Whether new clients should be routed to this process: the answer to a readiness probe. It combines the server's ``state`` with what
    /// its adapter reports, such as a lost connection to the database. Asking costs no I/O.
    public var readiness: Readiness { Readiness(state: state, adapterProblem: adapters.problem) }
}

/// Whether new clients should be routed to a process.
public struct Readiness: Sendable, Hashable, CustomStringConvertible {
    /// The server's state.
    public let state: SocketIOServer.State
    /// What the adapter reports, such as a lost connection to the database; nil if it reports nothing.
    public let adapterProblem: String?

    /// Whether the server serves and its adapter has no problem.
    public var isReady: Bool { state == .serving && adapterProblem == nil }

    /// The server's state, and the adapter's problem if there is one while it serves.
    public var description: String {
        guard state == .serving, let adapterProblem else { return state.description }
        return adapterProblem
    }

    /// The answer to a probe: 200 if the process is ready, else 503; with the ``description`` as text.
    public var response: EngineHTTPResponse {
        EngineHTTPResponse(status: isReady ? .ok : .serviceUnavailable, text: description + "\n")
    }
}
