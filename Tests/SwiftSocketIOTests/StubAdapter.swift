// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import SocketIOCore

/// Makes adapters for one process whose life a test takes part in.
struct StubAdapterFactory: AdapterFactory {
    var onStart: @Sendable () async throws -> Void = {}
    var onDrain: @Sendable () async -> Void = {}
    var onMake: @Sendable (AdapterContext) -> Void = { _ in }
    var onAdapterStart: @Sendable (String) async throws -> Void = { _ in }
    var onAdapterClose: @Sendable (String) async -> Void = { _ in }

    var adapterProblem: @Sendable () -> String? = { nil }
    var onLogger: @Sendable (Logger) -> Void = { _ in }

    /// Restores a session in place of the local adapter; nil leaves it to that.
    var onRestore: @Sendable (CoreLocalAdapter, String, any SessionClaimant) async -> Bool? = { _, _, _ in nil }

    func start() async throws { try await onStart() }
    func drain() async { await onDrain() }
    var problem: String? { adapterProblem() }
    func useLogger(_ logger: Logger) { onLogger(logger) }

    func makeAdapter(_ context: AdapterContext) -> any Adapter {
        onMake(context)
        return StubAdapter(factory: self, context: context)
    }
}

private final class StubAdapter: Adapter {
    let local: CoreLocalAdapter
    private let namespace: String
    private let factory: StubAdapterFactory

    init(factory: StubAdapterFactory, context: AdapterContext) {
        self.factory = factory
        self.local = context.local
        self.namespace = context.namespace
    }

    func start() async throws { try await factory.onAdapterStart(namespace) }
    func close() async { await factory.onAdapterClose(namespace) }
    func serverSideEmit(_ arguments: EventArguments, confirmed: Bool) async throws {}

    func restoreSession(pid: String, offset: String?, to claimant: any SessionClaimant) async -> Bool {
        if let outcome = await factory.onRestore(local, pid, claimant) { return outcome }
        return await local.restoreSession(pid: pid, offset: offset, to: claimant)
    }
}
