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
        var closing: [Name: Gate] = [:]
        var isRunning = false
        var isClosed = false
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
            let namespace = make(state.closing[Name(name)])
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
    func find(_ name: String, auth: EncodedValue?) async throws -> Namespace? {
        if let existing = held(name) {
            do { try await existing.start() } catch {
                existing.release()
                throw error
            }
            return existing
        }
        guard NamespaceName.problem(of: name) == nil else { return nil }
        for parent in state.withLock({ $0.parents }) where await parent.matches(name, auth) {
            return try await child(name, of: parent)
        }
        return nil
    }

    private func child(_ name: String, of parent: ParentNamespace) async throws -> Namespace {
        let namespace = try await heldChild(name, of: parent)
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
            state.namespaces[Name(namespace.name)] = nil
            state.closing[Name(namespace.name)] = Gate()
            return true
        }
        guard isFirst else { return }
        await namespace.adapter.close()
        closed(namespace.name)
    }

    private enum Child {
        case held(Namespace)
        case closing(Gate)
    }

    private func heldChild(_ name: String, of parent: ParentNamespace) async throws -> Namespace {
        while true {
            let child = try state.withLock { state -> Child in
                if let existing = state.namespaces[Name(name)] {
                    existing.hold()
                    return .held(existing)
                }
                if let closed = state.closing[Name(name)] { return .closing(closed) }
                guard !state.isClosed, state.children < parent.limit else { throw ConnectError("Too many namespaces") }
                let namespace = parent.makeChild(name)
                namespace.hold()
                state.namespaces[Name(name)] = namespace
                state.children += 1
                return .held(namespace)
            }
            switch child {
            case .held(let namespace): return namespace
            case .closing(let closed):
                await closed.wait()
                try Task.checkCancellation()
            }
        }
    }

    /// Forgets a child whose last socket is gone, if nobody is about to join it.
    ///
    /// - Returns: Whether it was there and is empty; the caller then closes its adapter and tells ``closed(_:)``.
    func removeIfEmpty(_ namespace: Namespace) -> Bool {
        state.withLock { state in
            // In this order: who takes the last socket out of the adapter holds the namespace before.
            guard namespace.localAdapter.isEmpty, !namespace.isHeld, state.namespaces[Name(namespace.name)] === namespace else {
                return false
            }
            state.namespaces[Name(namespace.name)] = nil
            state.closing[Name(namespace.name)] = Gate()
            return true
        }
    }

    /// The adapter of a child that was removed is closed: there may be a new child of this name.
    func closed(_ name: String) {
        let gate = state.withLock { state in
            state.children -= 1
            return state.closing.removeValue(forKey: Name(name))
        }
        gate?.open()
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
        }
    }

}
