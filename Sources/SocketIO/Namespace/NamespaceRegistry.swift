public import SocketIOCore
import Synchronization

/// The namespaces of a server: those that the application named, and the children of dynamic ones.
final class NamespaceRegistry: Sendable {
    private struct State {
        var namespaces: [String: Namespace] = [:]
        var parents: [ParentNamespace] = []
        /// The number of namespaces that clients have brought about, those included whose adapter is being closed.
        var children = 0
        /// Children that are gone, until their adapter is closed: one of the same name must not start before.
        var closing: [String: Gate] = [:]
        var isRunning = false
        var isClosed = false
    }

    private let state = Mutex(State())

    /// The namespace of this name, held for a client that is about to join it; the caller releases it.
    func held(_ name: String) -> Namespace? {
        state.withLock { state in
            let namespace = state.namespaces[name]
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
            if let existing = state.namespaces[name] { return (existing, false) }
            if state.isClosed { return (makeDetached(), false) }
            let namespace = make(state.closing[name])
            state.namespaces[name] = namespace
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
            state.withLock { state in
                guard state.namespaces[name] === namespace else { return }
                state.namespaces[name] = nil
                state.children -= 1
            }
            throw error
        }
        return namespace
    }

    private enum Child {
        case held(Namespace)
        case closing(Gate)
    }

    private func heldChild(_ name: String, of parent: ParentNamespace) async throws -> Namespace {
        while true {
            let child = try state.withLock { state -> Child in
                if let existing = state.namespaces[name] {
                    existing.hold()
                    return .held(existing)
                }
                if let closed = state.closing[name] { return .closing(closed) }
                guard !state.isClosed, state.children < parent.limit else { throw ConnectError("Too many namespaces") }
                let namespace = parent.makeChild(name)
                namespace.hold()
                state.namespaces[name] = namespace
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
            guard !namespace.isHeld, namespace.localAdapter.isEmpty, state.namespaces[namespace.name] === namespace else { return false }
            state.namespaces[namespace.name] = nil
            state.closing[namespace.name] = Gate()
            return true
        }
    }

    /// The adapter of a child that was removed is closed: there may be a new child of this name.
    func closed(_ name: String) {
        let gate = state.withLock { state in
            state.children -= 1
            return state.closing.removeValue(forKey: name)
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

/// The rule for a family of namespaces, and what its children have in common.
///
/// Middleware and handlers of the parent run before those of the child.
public final class ParentNamespace: Sendable {
    /// Tells whether a client may have a namespace of this name. Gets the `auth` that the client sent.
    public typealias Rule = @Sendable (_ name: String, _ auth: EncodedValue?) async -> Bool

    private let rule: Rule
    private let server: SocketIOServer
    private let handlers = Mutex(NamespaceHandlers())
    private let onNamespace: Mutex<[@Sendable (Namespace) -> Void]> = Mutex([])

    init(server: SocketIOServer, rule: @escaping Rule) {
        self.server = server
        self.rule = rule
    }

    /// How many children all parents of the server may have together.
    var limit: Int { server.configuration.maxChildNamespaces }

    func matches(_ name: String, _ auth: EncodedValue?) async -> Bool { await rule(name, auth) }

    func makeChild(_ name: String) -> Namespace { server.makeNamespace(name, parent: self) }

    func announce(_ child: Namespace) { for hook in onNamespace.withLock({ $0 }) { hook(child) } }

    var middleware: [NamespaceHandlers.Middleware] { handlers.withLock { $0.middleware } }
    var connectHandlers: [NamespaceHandlers.Connect] { handlers.withLock { $0.connect } }

    /// Adds middleware for all children; see ``Namespace/use(_:)``.
    public func use(_ middleware: @escaping @Sendable (Socket) async throws -> Void) {
        handlers.withLock { $0.middleware.append(middleware) }
    }

    /// Called for every client that connects to a child; see ``Namespace/onConnect(_:)``.
    public func onConnect(_ handler: @escaping @Sendable (Socket) async -> Void) {
        handlers.withLock { $0.connect.append(.async(handler)) }
    }

    /// Called in place for every client that connects to a child; see ``Namespace/onConnect(_:)``.
    public func onConnect(_ handler: @escaping @Sendable (Socket) -> Void) {
        handlers.withLock { $0.connect.append(.sync(handler)) }
    }

    /// Called for every child that is made, before its first client connects.
    public func onNamespace(_ hook: @escaping @Sendable (Namespace) -> Void) { onNamespace.withLock { $0.append(hook) } }

    /// Sends an event to the clients of all children.
    ///
    /// - Throws: As ``BroadcastOperator/emit(_:_:)``.
    public func emit<each A: Encodable & Sendable>(_ event: String, _ arguments: repeat each A) async throws {
        for child in server.namespaces.all where child.isChild(of: self) {
            try await child.broadcastOperator.emit(event, repeat each arguments)
        }
    }
}
