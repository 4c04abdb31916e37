// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCore

/// Connects a client to a namespace: finds or creates the namespace, restores the session, runs the middleware. The client owns and cancels
/// it.
struct ConnectAttempt: Sendable {
    let id: Client.AttemptID
    let server: SocketIOServer
    let eventLoop: any EventLoop
    let client: NIOLoopBound<Client>
    let name: String
    let auth: EncodedValue?

    func run() async {
        let mayJoin = await server.waitUntilStarted()
        if mayJoin {
            await join()
        } else if !Task.isCancelled {
            // The client reconnects by itself, here or elsewhere.
            await onLoop { $0.close(.serverShuttingDown) }
        }
        await onLoop { [id, name] in $0.attemptEnded(id, name) }
    }

    private func join() async {
        var cause = ClientRefusal.limit
        do {
            let found = try await server.namespaces.find(name, auth: auth) { await onLoop { $0.children } }
            guard let namespace = found else { return await refuse(.unknownNamespace, ConnectError("Invalid namespace")) }
            defer { namespace.release() }
            cause = .middleware
            try await join(namespace)
        } catch {
            await refuse(error is ConnectError ? cause : .failure, refusal(for: error))
        }
    }

    private func refuse(_ cause: ClientRefusal, _ error: ConnectError) async {
        await onLoop { [id, name] in $0.finishConnecting(name, attempt: id, refusedBy: error, cause) }
    }

    private func join(_ namespace: Namespace) async throws {
        let skipsMiddleware = server.configuration.connectionStateRecovery?.skipMiddlewares ?? false
        if skipsMiddleware, await restore(in: namespace) { return }
        let socket = await onLoop { [auth] in Socket(client: $0, namespace: namespace, auth: auth) }
        do {
            try await namespace.runMiddleware(socket)
        } catch {
            await onLoop { _ in socket.close() }
            throw error
        }
        // The session has a socket of its own.
        if !skipsMiddleware, await restore(in: namespace) { return await onLoop { _ in socket.close() } }
        await onLoop { [id] in $0.finishConnecting(socket, attempt: id) }
    }

    private func refusal(for error: any Error) -> ConnectError {
        if let error = error as? ConnectError { return error }
        if !(error is CancellationError) { server.errors.report(error, from: .middleware, namespace: name) }
        // Internal errors are not revealed to clients.
        return ConnectError("Connection refused")
    }

    private func restore(in namespace: Namespace) async -> Bool {
        guard server.configuration.connectionStateRecovery != nil, let claim = auth.flatMap(RecoveryClaim.init) else { return false }
        // Invalid ids are not sent to the other nodes or the database.
        guard claim.isOurs(namespace.sessionIDs), await mayClaim() else {
            server.metrics.refusedClaims.increment()
            return false
        }
        let claimant = RecoveryClaimant(namespace: namespace, attempt: self)
        let isRestored = await namespace.adapter.restoreSession(pid: claim.pid, offset: claim.offset, to: claimant)
        await onLoop { $0.claims.end(isRestored: isRestored) }
        return isRestored
    }

    /// Waits until the client may claim another session, and returns false if it may not.
    private func mayClaim() async -> Bool {
        await withCheckedContinuation { continuation in
            if eventLoop.inEventLoop { return client.value.claims.begin(continuation) }
            eventLoop.execute { client.value.claims.begin(continuation) }
        }
    }

    func onLoop<T: Sendable>(_ body: @escaping @Sendable (Client) -> T) async -> T {
        if eventLoop.inEventLoop { return body(client.value) }
        return await withCheckedContinuation { continuation in
            eventLoop.execute { continuation.resume(returning: body(client.value)) }
        }
    }
}
