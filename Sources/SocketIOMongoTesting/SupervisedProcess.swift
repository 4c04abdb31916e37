// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import CSocketIOSystem
import NIOPosix
import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A child process that cannot outlive this one, nor leave its folder behind.
///
/// A small shell stands between: it starts the child, passes on the signals that it reads from a pipe, and when the pipe ends because
/// this process is gone, however that happened, it kills the child and removes the folder.
final class SupervisedProcess: Sendable {
    private struct Pipes {
        var commands: CInt
        var answers: CInt
    }

    /// Process id of the child, not of the shell.
    let processID: pid_t
    private let shell: pid_t
    private let pipes: Mutex<Pipes?>

    private static let script = """
        exec 2>/dev/null
        trap '' INT TERM HUP QUIT PIPE
        log=$1 folder=$2
        shift 2
        "$@" </dev/null >>"$log" 2>&1 &
        child=$!
        echo "$child"
        while read -r signal; do
            kill -s "$signal" "$child" 2>/dev/null
            case $signal in STOP | CONT) continue ;; esac
            kill -s CONT "$child" 2>/dev/null
            wait "$child"
            echo "$?"
            exit 0
        done
        kill -s KILL "$child" 2>/dev/null
        wait "$child"
        for attempt in 1 2 3 4 5 6 7 8 9 10; do
            rm -rf "$folder"
            [ -e "$folder" ] || break
            sleep 0.2
        done
        rmdir "$(dirname "$folder")"
        """

    /// Removes a folder when this process dies, also the files of those that were killed before.
    static func janitor(of folder: String) async throws -> SupervisedProcess {
        try await SupervisedProcess(["/bin/sleep", "1000000"], log: "/dev/null", folder: folder)
    }

    /// Starts the child.
    /// - Parameters:
    ///   - arguments: Path of the binary and its arguments.
    ///   - log: Its output is appended to this file.
    ///   - folder: What is removed if this process dies.
    init(_ arguments: [String], log: String, folder: String) async throws {
        let command = try Self.makePipe()
        let answer = try Self.makePipe()
        shell = try Self.spawn(["/bin/sh", "-c", Self.script, "supervisor", log, folder] + arguments, command.reading, answer.writing)
        close(command.reading)
        close(answer.writing)
        pipes = Mutex(Pipes(commands: command.writing, answers: answer.reading))
        guard let processID = try await Self.readLine(from: answer.reading).flatMap({ pid_t($0) }) else {
            throw MongoHarnessError("the supervisor of \(arguments.first ?? "") did not start")
        }
        self.processID = processID
    }

    // Without pipes the shell cleans up by itself.
    deinit {
        self.pipes.withLock { pipes in
            if let pipes {
                close(pipes.commands)
                close(pipes.answers)
            }
        }
    }

    /// Sends `STOP` or `CONT`.
    func send(_ signal: String) throws {
        try self.pipes.withLock { pipes in
            guard let pipes else { throw MongoHarnessError("the process has ended") }
            try Self.writeLine(signal, to: pipes.commands)
        }
    }

    /// Sends a signal that ends the child and waits for its end. The folder stays.
    /// - Returns: The exit status as a shell gives it: 128 + the signal's number after a signal.
    @discardableResult
    func end(_ signal: String) async throws -> Int {
        let pipes = self.pipes.withLock { pipes in
            defer { pipes = nil }
            return pipes
        }
        guard let pipes else { throw MongoHarnessError("the process has ended") }
        defer {
            close(pipes.commands)
            close(pipes.answers)
        }
        try Self.writeLine(signal, to: pipes.commands)
        let status = try await Self.readLine(from: pipes.answers).flatMap { Int($0) }
        let shell = self.shell
        try await NIOThreadPool.singleton.runIfActive { _ = waitpid(shell, nil, 0) }
        return status ?? -1
    }

    // MARK: - System calls

    private static func makePipe() throws -> (reading: CInt, writing: CInt) {
        var ends: [CInt] = [0, 0]
        guard pipe(&ends) == 0 else { throw MongoHarnessError("no pipe: errno \(errno)") }
        // The write end must not reach another child, or the shell would never see this process go.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private static func spawn(_ arguments: [String], _ input: CInt, _ output: CInt) throws -> pid_t {
        #if canImport(Darwin)
        var actions: posix_spawn_file_actions_t?
        var attributes: posix_spawnattr_t?
        #else
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        Self.isolate(&attributes)
        // Sockets of the tests' clients must not stay open in the shell: their servers would never see them close.
        #if canImport(Glibc)
        _ = socketio_close_files_from(&actions, 3)
        #elseif canImport(Musl)
        for file in 3..<min(getdtablesize(), 65_536) { posix_spawn_file_actions_addclose(&actions, file) }
        #endif

        var child = pid_t()
        var strings = arguments.map { strdup($0) }
        strings.append(nil)
        defer { strings.forEach { free($0) } }
        let status = posix_spawn(&child, "/bin/sh", &actions, &attributes, strings, environ)
        guard status == 0 else { throw MongoHarnessError("/bin/sh does not start: error \(status)") }
        return child
    }

    #if canImport(Darwin)
    private typealias Attributes = posix_spawnattr_t?
    #else
    private typealias Attributes = posix_spawnattr_t
    #endif

    private static func isolate(_ attributes: inout Attributes) {
        // A group of its own: what kills the group of the tests must leave the supervisor to clean up. No inherited signal mask: the
        // threads of a test block signals that a shell needs.
        var flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        #if canImport(Darwin)
        flags |= POSIX_SPAWN_CLOEXEC_DEFAULT
        #endif
        posix_spawnattr_setflags(&attributes, Int16(flags))
        posix_spawnattr_setpgroup(&attributes, 0)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
    }

    private static func writeLine(_ line: String, to file: CInt) throws {
        let bytes = Array((line + "\n").utf8)
        guard write(file, bytes, bytes.count) == bytes.count else { throw MongoHarnessError("the supervisor is gone: errno \(errno)") }
    }

    private static func readLine(from file: CInt) async throws -> String? {
        try await NIOThreadPool.singleton.runIfActive {
            var bytes: [UInt8] = []
            var byte: UInt8 = 0
            while true {
                let count = read(file, &byte, 1)
                if count < 0 && errno == EINTR { continue }
                if count <= 0 { return nil }
                if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
                bytes.append(byte)
            }
        }
    }
}

#endif
