// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB

/// Why the harness could not do what a test asked for.
public struct MongoHarnessError: Error, CustomStringConvertible {
    /// What went wrong and what to do about it.
    public let message: String
    /// The error behind it.
    public let cause: (any Error)?

    init(_ message: String, cause: (any Error)? = nil) {
        self.message = message
        self.cause = cause
    }

    /// The message, and the cause after it.
    public var description: String {
        cause.map { "\(message) (\($0))" } ?? message
    }
}

#endif
