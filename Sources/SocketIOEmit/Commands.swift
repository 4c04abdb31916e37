// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import SocketIOEmitter

struct Emit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sends an event to clients.",
        discussion: """
            Example: socketio-emit emit --room lobby --except muted news '"The doors are open."' '{"at": 7}'
            """
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var selection: SelectionOptions
    @Flag(help: "The event may be dropped for clients that are not ready to receive.") var volatile = false
    @Flag(help: "Do not compress the event.") var noCompress = false
    @Argument(help: "The event's name.") var event: String
    @Argument(help: ArgumentHelp("The event's arguments, each a JSON value; quote strings twice.", valueName: "json"))
    var arguments: [String] = []

    func run() async throws {
        let arguments = try JSONArguments(arguments).encoded(for: connection.parser.format)
        try await connection.perform(selection.target) { target in
            var target = target
            if volatile { target = target.volatile }
            if noCompress { target = target.compress(false) }
            try await target.emit(event, raw: arguments)
        }
    }
}

struct Join: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Adds the selected sockets to rooms.")

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var selection: SelectionOptions
    @Argument(help: "The rooms to join.") var rooms: [String]

    func run() async throws { try await connection.perform(selection.target) { try await $0.socketsJoin(rooms) } }
}

struct Leave: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Removes the selected sockets from rooms.")

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var selection: SelectionOptions
    @Argument(help: "The rooms to leave.") var rooms: [String]

    func run() async throws { try await connection.perform(selection.target) { try await $0.socketsLeave(rooms) } }
}

struct Disconnect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Disconnects the selected sockets; with --all, those of the whole namespace."
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var selection: SelectionOptions
    @Flag(help: "Close the clients' connections, with all their namespaces.") var close = false
    @Flag(help: "Disconnect all sockets of the namespace; required without --room.") var all = false

    func validate() throws {
        guard selection.room.isEmpty, !all else { return }
        throw ValidationError("Without --room, all sockets of \(selection.namespace) are disconnected; pass --all to confirm.")
    }

    func run() async throws { try await connection.perform(selection.target) { try await $0.disconnectSockets(close: close) } }
}

struct ServerEmit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Sends an event to the servers, not to their clients.")

    @OptionGroup var connection: ConnectionOptions
    @Option(name: .shortAndLong, help: "The namespace.") var namespace = "/"
    @Argument(help: "The event's name.") var event: String
    @Argument(help: ArgumentHelp("The event's arguments, each a JSON value.", valueName: "json")) var arguments: [String] = []

    func run() async throws {
        let arguments = try JSONArguments(arguments).encoded(for: connection.parser.format)
        try await connection.perform({ $0.of(namespace) }) { try await $0.serverSideEmit(event, raw: arguments) }
    }
}
