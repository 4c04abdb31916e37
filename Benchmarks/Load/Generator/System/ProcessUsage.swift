// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What a process has used so far. The process must run on this machine.
struct ProcessUsage {
    /// User and system time of all its threads, in nanoseconds.
    var cpu: UInt64
    /// Resident memory, in bytes.
    var resident: Int

    init(pid: pid_t) throws {
        cpu = try Self.cpu(of: pid)
        resident = try Self.resident(of: pid)
    }

    static func cpu(of pid: pid_t) throws -> UInt64 {
        var clock = clockid_t()
        let code = clock_getcpuclockid(pid, &clock)
        guard code == 0 else { throw LoadError.system("the CPU time of process \(pid)", code) }
        return Clock.read(clock)
    }

    /// What `smaps_rollup` says, which is exact; `statm` may be off by some pages per thread.
    static func resident(of pid: pid_t) throws -> Int {
        let text = try contents("/proc/\(pid)/smaps_rollup")
        for line in text.split(separator: "\n") where line.hasPrefix("Rss:") {
            if let size = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) { return size * 1024 }
        }
        throw LoadError("the memory of process \(pid) cannot be read")
    }

    static func contents(_ path: String) throws -> String {
        let file = open(path, O_RDONLY)
        guard file >= 0 else { throw LoadError.system(path) }
        defer { Glibc.close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = read(file, &chunk, chunk.count), count > 0 { bytes += chunk[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func own() -> UInt64 { Clock.read(CLOCK_PROCESS_CPUTIME_ID) }
}
