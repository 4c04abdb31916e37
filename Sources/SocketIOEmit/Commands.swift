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
    @Flag(help: "Transports do not compress the event.") var noCompress = false
    @Argument(help: "The event's name.") var event: String
    @Argument(help: ArgumentHelp("The event's arguments, each a JSON text; quote strings twice.", valueName: "json"))
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
    static let configuration = CommandConfiguration(abstract: "Makes the selected sockets join rooms.")

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var selection: SelectionOptions
    @Argument(help: "The rooms to join.") var rooms: [String]

    func run() async throws { try await connection.perform(selection.target) { try await $0.socketsJoin(rooms) } }
}

struct Leave: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Makes the selected sockets leave rooms.")

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var selection: SelectionOptions
    @Argument(help: "The rooms to leave.") var rooms: [String]

    func run() async throws { try await connection.perform(selection.target) { try await $0.socketsLeave(rooms) } }
}

struct Disconnect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Disconnects the selected sockets; all of the namespace if none are selected."
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var selection: SelectionOptions
    @Flag(help: "End the clients' whole connections, with all their namespaces.") var close = false
    @Flag(help: "Really disconnect everybody in the namespace; needed if no room is given.") var all = false

    func validate() throws {
        guard selection.room.isEmpty, !all else { return }
        throw ValidationError("Without --room, everybody in \(selection.namespace) is disconnected: give --all if that is meant.")
    }

    func run() async throws { try await connection.perform(selection.target) { try await $0.disconnectSockets(close: close) } }
}

struct ServerEmit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Sends an event to the servers themselves.")

    @OptionGroup var connection: ConnectionOptions
    @Option(name: .shortAndLong, help: "The namespace.") var namespace = "/"
    @Argument(help: "The event's name.") var event: String
    @Argument(help: ArgumentHelp("The event's arguments, each a JSON text.", valueName: "json")) var arguments: [String] = []

    func run() async throws {
        let arguments = try JSONArguments(arguments).encoded(for: connection.parser.format)
        try await connection.perform({ $0.of(namespace) }) { try await $0.serverSideEmit(event, raw: arguments) }
    }
}
