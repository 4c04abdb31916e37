// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOText

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Which MongoDB the tests can use on this machine.
public enum MongoBinary {
    /// The connection string in `MONGODB_URI`: an existing deployment, for tests that do not have to break it.
    public static var externalConnectionString: String? {
        environment("MONGODB_URI")
    }

    /// The `mongod` that the harness starts: the one that `MONGOD` names, else the one on the `PATH`, else the one that
    /// `scripts/fetch-mongod` has put into `.cache/mongod` of the current folder or one above it.
    public static var path: String? {
        candidates.first { access($0, X_OK) == 0 }
    }

    /// Why a test that needs a `mongod` of its own cannot run here; `nil` if it can.
    public static var reasonForAbsence: String? {
        path == nil ? "no mongod here: run scripts/fetch-mongod, install MongoDB, or name the binary in MONGOD" : nil
    }

    private static var candidates: [String] {
        if let named = environment("MONGOD") { return [named] }
        let onPath = (environment("PATH") ?? "").split(separator: ":").map { "\($0)/mongod" }
        return onPath + foldersAbove.map { $0 + "/.cache/mongod/mongod" }
    }

    private static var foldersAbove: [String] {
        guard let current = getcwd(nil, 0) else { return [] }
        defer { free(current) }
        let parts = String(cString: current).split(separator: "/")
        return (0...parts.count).reversed().map { "/" + parts.prefix($0).joined(separator: "/") }
    }

    private static func environment(_ name: String) -> String? {
        guard let value = getenv(name).map({ String(cString: $0) }), !value.isEmpty else { return nil }
        return value
    }
}

#endif
