// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// The connections of one HTTP server.
final class OpenConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isClosing = false
        var whenEmpty: EventLoopPromise<Void>?
    }

    private let state = Mutex(State())

    /// Adds a connection until it has ended.
    ///
    /// - Returns: false if the server is shutting down, so that it is to be closed.
    func add(_ channel: any Channel) -> Bool {
        let id = ObjectIdentifier(channel)
        let isAccepted = state.withLock { state in
            guard !state.isClosing else { return false }
            state.channels[id] = channel
            return true
        }
        if isAccepted { channel.closeFuture.whenComplete { _ in self.remove(id) } }
        return isAccepted
    }

    private func remove(_ id: ObjectIdentifier) {
        let promise = state.withLock { state -> EventLoopPromise<Void>? in
            state.channels[id] = nil
            return state.channels.isEmpty ? state.whenEmpty.take() : nil
        }
        promise?.succeed()
    }

    /// Accepts no more connections and asks those that are open to finish.
    ///
    /// - Parameter promise: Succeeds when none is left.
    func beginClosing(_ promise: EventLoopPromise<Void>) {
        let channels = state.withLock { state in
            state.isClosing = true
            if !state.channels.isEmpty { state.whenEmpty = promise }
            return Array(state.channels.values)
        }
        if channels.isEmpty { promise.succeed() }
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
    }

    /// Cuts the connections that are left.
    func closeAll() {
        for channel in state.withLock({ Array($0.channels.values) }) {
            channel.pipeline.fireUserInboundEventTriggered(ConnectionCut())
            channel.close(promise: nil)
        }
    }
}
