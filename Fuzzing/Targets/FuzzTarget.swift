import NIOCore

/// A decoder, and what must hold whatever bytes it is given.
package struct FuzzTarget: Sendable, CustomStringConvertible {
    /// Names its corpus too: `Fuzzing/Corpus/<name>.txt`.
    package let name: String
    /// Feeds it; throws if a rule is broken.
    package let run: @Sendable (UnsafeRawBufferPointer) throws -> Void

    package var description: String { self.name }

    /// All targets.
    package static let all: [FuzzTarget] = [.json, .messagePack, .packets, .payload, .webSocket] + mongoDB

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
