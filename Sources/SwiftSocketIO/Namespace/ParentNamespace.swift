// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore
import Synchronization

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

    /// Called for every client that connects to a child; see `onConnect` of ``Namespace``.
    public func onConnect(_ handler: @escaping @Sendable (Socket) async -> Void) {
        handlers.withLock { $0.connect.append(.async(handler)) }
    }

    /// Called in place for every client that connects to a child; see `onConnect` of ``Namespace``.
    public func onConnect(_ handler: @escaping @Sendable (Socket) -> Void) {
        handlers.withLock { $0.connect.append(.sync(handler)) }
    }

    /// Called for every child that is made, before its first client connects.
    public func onNamespace(_ hook: @escaping @Sendable (Namespace) -> Void) { onNamespace.withLock { $0.append(hook) } }

    // MARK: Sending

    /// The children that there are now.
    var children: [Namespace] { server.namespaces.all.filter { $0.isChild(of: self) } }

    /// All clients of all children.
    private var everybody: ParentBroadcastOperator { ParentBroadcastOperator(parent: self) }

    /// The clients of all children that are in these rooms. Repeated calls add rooms.
    public func to(_ rooms: Room...) -> ParentBroadcastOperator { everybody.to(rooms) }
    /// The clients of all children that are in these rooms. Repeated calls add rooms.
    public func to(_ rooms: [Room]) -> ParentBroadcastOperator { everybody.to(rooms) }
    /// The same as ``to(_:)-(Room...)``.
    public func `in`(_ rooms: Room...) -> ParentBroadcastOperator { everybody.to(rooms) }
    /// The same as ``to(_:)-([Room])``.
    public func `in`(_ rooms: [Room]) -> ParentBroadcastOperator { everybody.to(rooms) }
    /// The clients of all children but those in these rooms.
    public func except(_ rooms: Room...) -> ParentBroadcastOperator { everybody.except(rooms) }
    /// The clients of all children but those in these rooms.
    public func except(_ rooms: [Room]) -> ParentBroadcastOperator { everybody.except(rooms) }
    /// Only clients of this process.
    public var local: ParentBroadcastOperator { everybody.local }
    /// The event may be dropped for clients that are not ready to receive.
    public var volatile: ParentBroadcastOperator { everybody.volatile }

    /// Sends an event to the clients of all children that this process knows.
    ///
    /// - Throws: As ``BroadcastOperator/emit(_:_:)``, once it has been tried for all children.
    public func emit<each A: Encodable & Sendable>(_ event: String, _ arguments: repeat each A) async throws {
        try await everybody.emit(event, repeat each arguments)
    }

    /// Sends an event named `message` to the clients of all children that this process knows.
    ///
    /// - Throws: As ``emit(_:_:)``.
    public func send<each A: Encodable & Sendable>(_ arguments: repeat each A) async throws {
        try await everybody.emit("message", repeat each arguments)
    }
}

/// Selected clients of all children of a dynamic namespace, and modifiers for what they are sent.
///
/// Another process may have other children: what must reach those is to be sent there, or to a namespace by its name.
public struct ParentBroadcastOperator: Sendable {
    private let parent: ParentNamespace
    private var options = BroadcastOptions()

    init(parent: ParentNamespace) { self.parent = parent }

    private func with(_ change: (inout BroadcastOptions) -> Void) -> ParentBroadcastOperator {
        var copy = self
        change(&copy.options)
        return copy
    }

    /// The clients in these rooms. Repeated calls add rooms.
    public func to(_ rooms: Room...) -> ParentBroadcastOperator { to(rooms) }
    /// The clients in these rooms. Repeated calls add rooms.
    public func to(_ rooms: [Room]) -> ParentBroadcastOperator { with { $0.rooms += rooms } }
    /// The same as ``to(_:)-(Room...)``.
    public func `in`(_ rooms: Room...) -> ParentBroadcastOperator { to(rooms) }
    /// The same as ``to(_:)-([Room])``.
    public func `in`(_ rooms: [Room]) -> ParentBroadcastOperator { to(rooms) }
    /// Not the clients in these rooms.
    public func except(_ rooms: Room...) -> ParentBroadcastOperator { except(rooms) }
    /// Not the clients in these rooms.
    public func except(_ rooms: [Room]) -> ParentBroadcastOperator { with { $0.except += rooms } }
    /// Only clients of this process.
    public var local: ParentBroadcastOperator { with { $0.flags.local = true } }
    /// The event may be dropped for clients that are not ready to receive.
    public var volatile: ParentBroadcastOperator { with { $0.flags.volatile = true } }

    /// Sends an event to the selected clients.
    ///
    /// - Throws: As ``BroadcastOperator/emit(_:_:)``, once it has been tried for all children.
    public func emit<each A: Encodable & Sendable>(_ event: String, _ arguments: repeat each A) async throws {
        var failure: (any Error)?
        for child in parent.children {
            do {
                try await BroadcastOperator(namespace: child, options: options).emit(event, repeat each arguments)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }
}
