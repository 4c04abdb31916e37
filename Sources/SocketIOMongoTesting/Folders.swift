// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import NIOPosix
import SocketIOText

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Creates a folder with a unique name under `TMPDIR` or `/tmp`.
func makeTemporaryFolder() throws -> String {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/swift-socketio-mongod.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw MongoHarnessError("no temporary folder under \(parent): errno \(errno)") }
    return template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
}

/// Makes a folder and those above it.
func makeFolder(_ path: String) throws {
    var current = ""
    for part in path.split(separator: "/") {
        current += "/" + part
        guard mkdir(current, 0o700) == 0 || errno == EEXIST else { throw MongoHarnessError("no folder \(current): errno \(errno)") }
    }
}

/// Removes a folder with everything in it.
func removeFolder(_ path: String) async throws {
    try await NIOThreadPool.singleton.runIfActive { removeTree(path) }
}

private func removeTree(_ path: String) {
    guard let folder = opendir(path) else {
        unlink(path)
        return
    }
    while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name == "." || name == ".." { continue }
        removeTree("\(path)/\(name)")
    }
    closedir(folder)
    rmdir(path)
}

func writeFile(_ path: String, _ text: String, mode: mode_t) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode)
    guard file >= 0 else { throw MongoHarnessError("cannot write \(path): errno \(errno)") }
    defer { close(file) }
    let bytes = Array(text.utf8)
    guard write(file, bytes, bytes.count) == bytes.count else { throw MongoHarnessError("cannot write \(path): errno \(errno)") }
}

/// Reads at most the last 64 KiB of a file; empty if it does not exist.
func readFile(_ path: String) -> String {
    let file = open(path, O_RDONLY)
    guard file >= 0 else { return "" }
    defer { close(file) }
    let size = lseek(file, 0, SEEK_END)
    lseek(file, Swift.max(0, size - 65_536), SEEK_SET)
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = read(file, &bytes, bytes.count)
    return String(decoding: bytes.prefix(Swift.max(0, count)), as: UTF8.self)
}

#endif
