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
        /// The number of namespaces that clients have brought about, those included whose adapter is being closed.
        var children = 0
        /// Children that are gone, until their adapter is closed: one of the same name must not start before.
        var closing: [Name: Closing] = [:]
        /// Children that were seen to be empty, and may be forgotten when there are too many.
        var vacant = Set<Name>()
        var isRunning = false
        var isClosed = false

        /// Forgets a namespace, which may then have a successor once its adapter is closed.
        mutating func remove(_ namespace: Namespace) -> Gate {
            let name = Name(namespace.name)
            let closing = Closing(allowance: namespace.allowance)
            namespaces[name] = nil
            vacant.remove(name)
            self.closing[name] = closing
            return closing.gate
        }

        /// A child that has no clients, any or of these names.
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

    /// The namespace of this name, held for a client that is about to join it; the caller releases it.
    func held(_ name: String) -> Namespace? {
        state.withLock { state in
            let namespace = state.namespaces[Name(name)]
            namespace?.hold()
            return namespace
        }
    }

    var all: [Namespace] { state.withLock { Array($0.namespaces.values) } }

    /// The namespace of this name, made if it is new.
    ///
    /// - Parameters:
    ///   - make: Makes a namespace, which must not start before the gate is open.
    ///   - makeDetached: Makes one for a server that is closed.
    ///   - startLate: Gets a new namespace if the server runs already.
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

    /// The server starts: the namespaces so far must be started now, later ones when they are made.
    func run() -> [Namespace] {
        state.withLock { state in
            state.isRunning = true
            return Array(state.namespaces.values)
        }
    }

    /// The namespace that a client asks for, started and held; nil if there is none. The caller releases it.
    ///
    /// - Parameter allowance: What the client may bring about; asked for only if that may be needed.
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
        /// This one must go first.
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

    /// Forgets a child whose last socket is gone, if nobody is about to join it.
    ///
    /// - Returns: Whether it was there and is empty; the caller then closes its adapter and tells ``closed(_:)``.
    func removeIfEmpty(_ namespace: Namespace) -> Bool {
        state.withLock { state in
            guard namespace.isVacant, state.namespaces[Name(namespace.name)] === namespace else { return false }
            _ = state.remove(namespace)
            return true
        }
    }

    /// A child has no clients, and stays until its place is needed.
    func becameVacant(_ namespace: Namespace) {
        state.withLock { state in
            if state.namespaces[Name(namespace.name)] === namespace { state.vacant.insert(Name(namespace.name)) }
        }
    }

    /// The adapter of a child that was removed is closed: there may be a new child of this name.
    func closed(_ name: String) {
        let closing = state.withLock { state in
            state.children -= 1
            return state.closing.removeValue(forKey: Name(name))
        }
        closing?.allowance?.remove(Name(name))
        closing?.gate.open()
    }

    /// The server closes: there will be no new namespaces.
    ///
    /// - Returns: Those that there are.
    func close() -> [Namespace] {
        state.withLock { state in
            state.isClosed = true
            return Array(state.namespaces.values)
        }
    }

    /// The server is closed: it and its namespaces must not keep each other alive.
    func removeAll() {
        state.withLock { state in
            state.namespaces = [:]
            state.parents = []
            state.vacant = []
        }
    }

}
