// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import SocketIOMongoTesting

/// A replica set that lives as long as this process, for scripts and for tests in other languages.
///
/// It prints `ready CONNECTION-STRING`, reads a command a line from standard input, answers each with a line, and ends with the input.
@main
struct SocketIOReplicaSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "SocketIOReplicaSet",
        abstract: "A MongoDB replica set in a temporary folder.",
        discussion: """
            Commands on standard input: step-down, kill-primary, restart (members that are down), pause-primary, resume (members that are \
            paused), kill-cursors DATABASE.COLLECTION, count-sessions DATABASE.COLLECTION TEXT (whose data has the text in it), primary, \
            stop. Each is answered with a line that begins with `done` or `failed`.
            """
    )

    @Option(help: "Members, 1 to 7.") var members = 3

    func run() async throws {
        #if MongoDB
        if let reason = MongoBinary.reasonForAbsence { throw ValidationError(reason) }
        var configuration = MongoReplicaSetConfiguration()
        configuration.members = members
        let set = try await MongoReplicaSet.start(configuration)
        Self.say("ready \(set.connectionString)")
        for await line in Self.standardInput() {
            guard line != "stop" else { break }
            await Self.obey(line, set)
        }
        await set.stop()
        #else
        throw ValidationError("built without the trait MongoDB")
        #endif
    }

    #if MongoDB
    private static func standardInput() -> AsyncStream<String> {
        AsyncStream { lines in
            Thread.detachNewThread {
                while let line = readLine() { lines.yield(line) }
                lines.finish()
            }
        }
    }

    private static func obey(_ command: String, _ set: MongoReplicaSet) async {
        do {
            guard let answer = try await perform(command, set) else { return say("failed: unknown command \(command)") }
            say("done: \(answer)")
        } catch {
            say("failed: \(error)")
        }
    }

    private static func perform(_ command: String, _ set: MongoReplicaSet) async throws -> String? {
        let words = command.split(separator: " ").map(String.init)
        if words.count == 2, words[0] == "kill-cursors" { return "\(try await set.killCursors(of: words[1])) cursors were killed" }
        if words.count == 3, words[0] == "count-sessions" { return "\(try await set.countSessions(in: words[1], containing: words[2]))" }
        switch command {
        case "primary": return try await set.primary().address
        case "step-down": return "\(try await set.stepDown().address) is the primary now"
        case "kill-primary":
            let primary = try await set.primary()
            try await primary.kill()
            return "\(primary.address) is dead, \(try await set.primary(otherThan: primary).address) is the primary now"
        case "pause-primary":
            let primary = try await set.primary()
            try primary.pause()
            return "\(primary.address) is paused"
        case "resume":
            for member in set.members where member.isRunning { try member.resume() }
            return "nobody is paused"
        case "restart":
            for member in set.members where !member.isRunning { try await member.restart() }
            return "all members run"
        default: return nil
        }
    }
    #endif

    /// Written at once, unlike what is printed into a pipe.
    private static func say(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }
}
