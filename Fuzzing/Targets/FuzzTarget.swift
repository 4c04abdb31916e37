// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// A decoder, and what must hold whatever bytes it is given.
package struct FuzzTarget: Sendable, CustomStringConvertible {
    /// Names its corpus too: `Fuzzing/Corpus/<name>.txt`.
    package let name: String
    /// Makes what it needs; to be called once before ``run``, which does not wait.
    package let prepare: @Sendable () async throws -> Void
    /// To be called after some inputs: lets time pass, for targets that know it.
    package let rest: @Sendable () async -> Void
    /// Feeds it; throws if a rule is broken.
    package let run: @Sendable (UnsafeRawBufferPointer) throws -> Void

    init(
        name: String,
        prepare: @escaping @Sendable () async throws -> Void = {},
        rest: @escaping @Sendable () async -> Void = {},
        run: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void
    ) {
        self.name = name
        self.prepare = prepare
        self.rest = rest
        self.run = run
    }

    package var description: String { self.name }

    /// All targets.
    package static let all: [FuzzTarget] = [.json, .messagePack, .packets, .payload, .server, .webSocket] + mongoDB

    #if MongoDB
    private static let mongoDB: [FuzzTarget] = [.bson, .wireFormat, .nodeJS, .socketioxide]
    #else
    private static let mongoDB: [FuzzTarget] = []
    #endif
}

/// A rule that an input breaks.
package struct BrokenRule: Error, CustomStringConvertible {
    package let description: String
}

func rule(_ holds: Bool, _ text: String) throws {
    guard holds else { throw BrokenRule(description: "broken: \(text)") }
}
