// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A call that the system refused, or a server that does not do as it should.
struct LoadError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    static func system(_ call: String, _ code: Int32 = errno) -> LoadError {
        LoadError("\(call): \(String(cString: strerror(code)))")
    }
}

/// Writes a line to the standard error at once.
func note(_ line: String) {
    let line = line + "\n"
    _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
}
