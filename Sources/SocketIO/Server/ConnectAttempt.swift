import NIOCore
import SocketIOCore

/// Takes a client into a namespace: finds or makes the namespace, restores the session, runs the middleware. Owned and cancelled by
/// the client.
struct ConnectAttempt: Sendable {
    let server: SocketIOServer
    let eventLoop: any EventLoop
    let client: NIOLoopBound<Client>
    let name: String
    let auth: EncodedValue?

    func run() async {
        do {
            guard let namespace = try await server.namespaces.find(name, auth: auth) else { throw ConnectError("Invalid namespace") }
            let socket = await onLoop { Socket(client: $0, namespace: namespace, auth: auth) }
            if let recovery = server.configuration.connectionStateRecovery, recovery.skipMiddlewares, await restore(in: namespace) {
                return
            }
            do {
                try await namespace.runMiddleware(socket)
            } catch {
                await onLoop { _ in socket.close() }
                throw error
            }
            if await restore(in: namespace) { return }
            await onLoop { $0.finishConnecting(socket) }
        } catch {
            let refusal = refusal(for: error)
            await onLoop { $0.finishConnecting(name, refusedBy: refusal) }
        }
    }

    private func refusal(for error: any Error) -> ConnectError {
        if let error = error as? ConnectError { return error }
        if !(error is CancellationError) { server.report(error, event: nil, socket: nil) }
        // What went wrong inside is none of the client's business.
        return ConnectError("Connection refused")
    }

    private func restore(in namespace: Namespace) async -> Bool {
        guard server.configuration.connectionStateRecovery != nil, let claim = auth.flatMap(RecoveryClaim.init) else { return false }
        let claimant = RecoveryClaimant(namespace: namespace, client: client, eventLoop: eventLoop, auth: auth, offset: claim.offset)
        return await namespace.adapter.restoreSession(pid: claim.pid, offset: claim.offset, to: claimant)
    }

    func onLoop<T: Sendable>(_ body: @escaping @Sendable (Client) -> T) async -> T {
        if eventLoop.inEventLoop { return body(client.value) }
        return await withCheckedContinuation { continuation in
            eventLoop.execute { continuation.resume(returning: body(client.value)) }
        }
    }
}
