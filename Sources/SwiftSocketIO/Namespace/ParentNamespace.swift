// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore
import Synchronization

/// A family of namespaces: the rule for their names, and the middleware and handlers that they share.
///
/// Middleware and handlers of the parent run before those of the child.
public final class ParentNamespace: BroadcastModifying {
    /// Decides whether a client may have a namespace of this name, given the `auth` that the client sent.
    public typealias Rule = @Sendable (_ name: String, _ auth: EncodedValue?) async -> Bool

    private let rule: Rule
    private let server: SocketIOServer
    private let handlers = Mutex(NamespaceHandlers())
    private let onNamespace: Mutex<[@Sendable (Namespace) -> Void]> = Mutex([])

    init(server: SocketIOServer, rule: @escaping Rule) {
        self.server = server
        self.rule = rule
    }

    /// The number of children that all parents of the server may have together.
    var limit: Int { server.configuration.limits.childNamespaces }

    func matches(_ name: String, _ auth: EncodedValue?) async -> Bool { await rule(name, auth) }

    func makeChild(_ name: String, for allowance: ChildAllowance) -> Namespace {
        server.makeNamespace(name, parent: self, allowance: allowance)
    }

    func announce(_ child: Namespace) { for hook in onNamespace.withLock({ $0 }) { hook(child) } }

    var middleware: [NamespaceHandlers.Middleware] { handlers.withLock { $0.middleware } }
    var connectHandlers: [NamespaceHandlers.Connect] { handlers.withLock { $0.connect } }

    /// Adds middleware for all children; see ``Namespace/use(_:)``.
    public func use(_ middleware: @escaping @Sendable (Socket) async throws -> Void) {
        handlers.withLock { $0.middleware.append(middleware) }
    }

    /// Adds a handler that is called for every client that connects to a child; see `onConnect` of ``Namespace``.
    public func onConnect(_ handler: @escaping @Sendable (Socket) async throws -> Void) {
        handlers.withLock { $0.connect.append(.async(handler)) }
    }

    /// Adds a handler that is called in place for every client that connects to a child; see `onConnect` of ``Namespace``.
    public func onConnect(_ handler: @escaping @Sendable (Socket) throws -> Void) {
        handlers.withLock { $0.connect.append(.sync(handler)) }
    }

    /// Adds a handler that is called on the main actor for every client that connects to a child.
    public func onConnect(isolation: MainActor = .shared, _ handler: @escaping @MainActor @Sendable (Socket) throws -> Void) {
        handlers.withLock { $0.connect.append(.async { try await handler($0) }) }
    }

    /// Adds a controller, which registers what it handles on every child that is created and on every client that connects to one.
    ///
    /// - Parameter controller: The controller; the parent keeps it.
    public func register(_ controller: some SocketController) {
        onNamespace { controller.register(on: $0) }
        onConnect { socket in try await controller.register(on: socket) }
    }

    /// Adds a hook that is called for every child that is created, before its first client connects.
    public func onNamespace(_ hook: @escaping @Sendable (Namespace) -> Void) { onNamespace.withLock { $0.append(hook) } }

    // MARK: Sending

    var confirmsBroadcasts: Bool { server.configuration.confirmsBroadcasts }

    /// The existing children.
    var children: [Namespace] { server.namespaces.all.filter { $0.isChild(of: self) } }

    /// All clients of all children.
    private var allClients: ParentBroadcastOperator { ParentBroadcastOperator(parent: self) }

    /// Returns a selection of the clients of all children, with changed options.
    public func selecting(_ change: (inout BroadcastOptions) -> Void) -> ParentBroadcastOperator { allClients.selecting(change) }

    /// Sends an event to the clients of all children that this process knows.
    ///
    /// - Throws: As ``BroadcastOperator/emit(_:_:)``: the first error, after all children have been tried.
    public func emit<each A: Encodable & Sendable>(_ event: String, _ arguments: repeat each A) async throws {
        try await allClients.emit(event, repeat each arguments)
    }

    /// Sends an event with encoded arguments to the clients of all children that this process knows.
    ///
    /// - Throws: As ``emit(_:_:)``.
    public func emit(_ event: String, raw arguments: EventArguments) async throws {
        try await allClients.emit(event, raw: arguments)
    }

    /// Sends an event named `message` to the clients of all children that this process knows.
    ///
    /// - Throws: As ``emit(_:_:)``.
    public func send<each A: Encodable & Sendable>(_ arguments: repeat each A) async throws {
        try await allClients.emit("message", repeat each arguments)
    }
}

/// Selected clients of all children of a dynamic namespace, and modifiers for what they are sent.
///
/// Another process may have other children. To reach their clients, emit there, or to a namespace by its name.
public struct ParentBroadcastOperator: BroadcastModifying {
    private let parent: ParentNamespace
    private var options = BroadcastOptions()

    init(parent: ParentNamespace) { self.parent = parent }

    /// Returns the selection with changed options.
    public func selecting(_ change: (inout BroadcastOptions) -> Void) -> ParentBroadcastOperator {
        var copy = self
        change(&copy.options)
        return copy
    }

    /// Sends an event to the selected clients.
    ///
    /// - Throws: As ``BroadcastOperator/emit(_:_:)``: the first error, after all children have been tried.
    public func emit<each A: Encodable & Sendable>(_ event: String, _ arguments: repeat each A) async throws {
        let children = parent.children
        guard let encoder = children.first?.encoder else { return }
        let encoded = try encoder.arguments { writer in repeat try writer.append(each arguments) }
        try await emit(event, encoded, to: children)
    }

    /// Sends an event with encoded arguments to the selected clients.
    ///
    /// - Throws: As ``emit(_:_:)``.
    public func emit(_ event: String, raw arguments: EventArguments) async throws {
        try await emit(event, arguments, to: parent.children)
    }

    private func emit(_ event: String, _ arguments: EventArguments, to children: [Namespace]) async throws {
        let selections = children.map { BroadcastOperator(namespace: $0, options: options) }
        let failure = isConfirmed ? await emitTogether(event, arguments, selections) : await emitInTurn(event, arguments, selections)
        if let failure { throw failure }
    }

    private var isConfirmed: Bool { !options.flags.volatile && (options.flags.confirmed || parent.confirmsBroadcasts) }

    private func emitInTurn(_ event: String, _ arguments: EventArguments, _ selections: [BroadcastOperator]) async -> (any Error)? {
        var failure: (any Error)?
        for selection in selections {
            do { try await selection.emit(event, raw: arguments) } catch { failure = failure ?? error }
        }
        return failure
    }

    /// All are accepted before the first is waited for, so it takes as long as one write.
    private func emitTogether(_ event: String, _ arguments: EventArguments, _ selections: [BroadcastOperator]) async -> (any Error)? {
        await withTaskGroup(of: (any Error)?.self) { group in
            for selection in selections {
                group.addTask {
                    do { try await selection.emit(event, raw: arguments) } catch { return error }
                    return nil
                }
            }
            return await group.reduce(nil) { $0 ?? $1 }
        }
    }
}

extension BroadcastModifying where Selection == ParentBroadcastOperator {
    /// Only clients of this process.
    public var local: ParentBroadcastOperator { selecting { $0.flags.local = true } }
    /// Waits until the other processes are certain to receive what follows, for all children together; see `confirmed` of
    /// ``BroadcastOperator``.
    public var confirmed: ParentBroadcastOperator { selecting { $0.flags.confirmed = true } }
}
