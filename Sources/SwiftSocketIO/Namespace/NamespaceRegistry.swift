// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOConcurrency
import SocketIOCore
import SocketIOText
import Synchronization

/// The namespaces of a server: those that the application named, and the children of dynamic ones.
final class NamespaceRegistry: Sendable {
    private struct State {
        var namespaces: [Name: Namespace] = [:]
        var parents: [ParentNamespace] = []
        /// The number of namespaces that clients have created, including those whose adapter is being closed.
        var children = 0
        /// Removed children whose adapter is being closed: a new one of the same name must not start before that.
        var closing: [Name: Closing] = [:]
        /// Children that became empty and may be removed when there are too many.
        var vacant = Set<Name>()
        var isRunning = false
        var isClosed = false

        /// Removes a namespace. A new one of the same name can start once its adapter is closed.
        mutating func remove(_ namespace: Namespace) -> Gate {
            let name = Name(namespace.name)
            let closing = Closing(allowance: namespace.allowance)
            namespaces[name] = nil
            vacant.remove(name)
            self.closing[name] = closing
            return closing.gate
        }

        /// A child without clients, of any name or of these names.
        mutating func takeVacant(of names: Set<Name>? = nil) -> Namespace? {
            for name in names ?? [] {
                if let namespace = namespaces[name], namespace.isVacant { return namespace }
            }
            guard names == nil else { return nil }
            while let name = vacant.popFirst() {
                if let namespace = namespaces[name], namespace.isVacant { return namespace }
            }
            return nil
        }
    }

    /// A child whose adapter is being closed.
    private struct Closing {
        let gate = Gate()
        let allowance: ChildAllowance?
    }

    private let state = Mutex(State())

    /// The namespace of this name, held for a client that is about to join it. The caller must release it.
    func held(_ name: String) -> Namespace? {
        state.withLock { state in
            let namespace = state.namespaces[Name(name)]
            namespace?.hold()
            return namespace
        }
    }

    var all: [Namespace] { state.withLock { Array($0.namespaces.values) } }

    /// Returns the namespace of this name, and creates it if there is none.
    ///
    /// - Parameters:
    ///   - make: Creates a namespace, which must not start before the gate is open.
    ///   - makeDetached: Creates one for a closed server.
    ///   - startLate: Called with a new namespace if the server runs already.
    func named(
        _ name: String,
        make: (Gate?) -> Namespace,
        makeDetached: () -> Namespace,
        startLate: (Namespace) -> Void
    ) -> Namespace {
        let (namespace, isLate) = state.withLock { state in
            if let existing = state.namespaces[Name(name)] { return (existing, false) }
            if state.isClosed { return (makeDetached(), false) }
            let namespace = make(state.closing[Name(name)]?.gate)
            state.namespaces[Name(name)] = namespace
            return (namespace, state.isRunning)
        }
        if isLate { startLate(namespace) }
        return namespace
    }

    func add(_ parent: ParentNamespace) {
        state.withLock { state in
            if !state.isClosed { state.parents.append(parent) }
        }
    }

    /// Marks the server as running: the existing namespaces must be started now, later ones when they are created.
    func run() -> [Namespace] {
        state.withLock { state in
            state.isRunning = true
            return Array(state.namespaces.values)
        }
    }

    /// Returns the namespace that a client asks for, started and held; nil if there is none. The caller must release it.
    ///
    /// - Parameter allowance: Returns the children that the client may still create; called only if it may be needed.
    func find(_ name: String, auth: EncodedValue?, for allowance: () async -> ChildAllowance) async throws -> Namespace? {
        if let existing = held(name) {
            do { try await existing.start() } catch {
                existing.release()
                throw error
            }
            return existing
        }
        guard NamespaceName.problem(of: name) == nil else { return nil }
        for parent in state.withLock({ $0.parents }) where await parent.matches(name, auth) {
            return try await child(name, of: parent, for: await allowance())
        }
        return nil
    }

    private func child(_ name: String, of parent: ParentNamespace, for allowance: ChildAllowance) async throws -> Namespace {
        let namespace = try await heldChild(name, of: parent, for: allowance)
        do {
            try await namespace.start()
        } catch {
            await remove(failed: namespace)
            throw error
        }
        return namespace
    }

    /// The next child of this name starts when the adapter of this one is closed.
    private func remove(failed namespace: Namespace) async {
        let isFirst = state.withLock { state in
            guard state.namespaces[Name(namespace.name)] === namespace else { return false }
            _ = state.remove(namespace)
            return true
        }
        guard isFirst else { return }
        await namespace.adapter.close()
        closed(namespace.name)
    }

    private enum Child {
        case held(Namespace)
        case closing(Gate)
        /// This one must be removed first.
        case full(Namespace, Gate)
    }

    private func heldChild(_ name: String, of parent: ParentNamespace, for allowance: ChildAllowance) async throws -> Namespace {
        while true {
            let child = try state.withLock { state in try Self.heldChild(Name(name), of: parent, for: allowance, &state) }
            switch child {
            case .held(let namespace): return namespace
            case .closing(let closed): await closed.wait()
            case .full(let vacant, let closed):
                vacant.closeRemoved()
                await closed.wait()
            }
            try Task.checkCancellation()
        }
    }

    private static func heldChild(
        _ name: Name,
        of parent: ParentNamespace,
        for allowance: ChildAllowance,
        _ state: inout State
    ) throws -> Child {
        if let existing = state.namespaces[name] {
            existing.hold()
            return .held(existing)
        }
        if let closing = state.closing[name] { return .closing(closing.gate) }
        let tooMany = ConnectError("Too many namespaces")
        guard !state.isClosed else { throw tooMany }
        if allowance.isUsedUp || state.children >= parent.limit {
            guard let vacant = state.takeVacant(of: allowance.isUsedUp ? allowance.names : nil) else { throw tooMany }
            return .full(vacant, state.remove(vacant))
        }
        let namespace = parent.makeChild(name.text, for: allowance)
        namespace.hold()
        state.namespaces[name] = namespace
        state.children += 1
        allowance.add(name)
        return .held(namespace)
    }

    /// Removes a child whose last socket has left, unless a client is about to join it.
    ///
    /// - Returns: Whether it was removed; the caller then closes its adapter and calls ``closed(_:)``.
    func removeIfEmpty(_ namespace: Namespace) -> Bool {
        state.withLock { state in
            guard namespace.isVacant, state.namespaces[Name(namespace.name)] === namespace else { return false }
            _ = state.remove(namespace)
            return true
        }
    }

    /// Marks a child as empty. It stays until its place is needed.
    func becameVacant(_ namespace: Namespace) {
        state.withLock { state in
            if state.namespaces[Name(namespace.name)] === namespace { state.vacant.insert(Name(namespace.name)) }
        }
    }

    /// Records that the adapter of a removed child is closed: a new child of this name can start.
    func closed(_ name: String) {
        let closing = state.withLock { state in
            state.children -= 1
            return state.closing.removeValue(forKey: Name(name))
        }
        closing?.allowance?.remove(Name(name))
        closing?.gate.open()
    }

    /// Prevents new namespaces, since the server closes.
    ///
    /// - Returns: The existing ones.
    func close() -> [Namespace] {
        state.withLock { state in
            state.isClosed = true
            return Array(state.namespaces.values)
        }
    }

    /// Removes all namespaces of a closed server: it and they would keep each other alive.
    func removeAll() {
        state.withLock { state in
            state.namespaces = [:]
            state.parents = []
            state.vacant = []
        }
    }
}
