// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB

/// Which members of a replica set a read may use.
public struct MongoReadPreference: Hashable, Sendable {
    enum Mode: Hashable, Sendable {
        case primary, primaryPreferred, secondary, secondaryPreferred, nearest
    }

    let mode: Mode

    /// Only the primary.
    public static let primary = MongoReadPreference(mode: .primary)
    /// The primary, a secondary while there is none.
    public static let primaryPreferred = MongoReadPreference(mode: .primaryPreferred)
    /// Only secondaries.
    public static let secondary = MongoReadPreference(mode: .secondary)
    /// A secondary, the primary while there is none.
    public static let secondaryPreferred = MongoReadPreference(mode: .secondaryPreferred)
    /// Any member of low latency.
    public static let nearest = MongoReadPreference(mode: .nearest)
}

/// How many members must have a write before it is acknowledged.
public struct MongoWriteConcern: Hashable, Sendable {
    enum Acknowledgement: Hashable, Sendable {
        case majority
        case members(Int)
    }

    let acknowledgement: Acknowledgement
    /// How long the server waits for the members before it answers with a write concern error; `nil`: as long as it takes. The write
    /// stays applied on the primary. Keep it below the socket timeout, or the outcome is unknown instead. Milliseconds on the wire.
    public var timeout: Duration?

    /// Most of the voting members: such a write survives a failover.
    public static let majority = MongoWriteConcern(acknowledgement: .majority)

    /// That many members; the write may be rolled back by a failover.
    public static func members(_ count: Int) -> MongoWriteConcern {
        MongoWriteConcern(acknowledgement: .members(Swift.max(1, count)))
    }

    /// The same with a timeout.
    public func timeout(_ timeout: Duration?) -> MongoWriteConcern {
        var copy = self
        copy.timeout = timeout
        return copy
    }

    init(acknowledgement: Acknowledgement, timeout: Duration? = nil) {
        self.acknowledgement = acknowledgement
        self.timeout = timeout
    }

    /// The options document that carries it to libmongoc.
    var options: BSONDocument {
        BSONDocument { options in
            options.appendDocument("writeConcern") { concern in
                switch acknowledgement {
                case .majority: concern.append("w", "majority")
                case .members(let count): concern.append("w", Int32(clamping: count))
                }
                if let timeout = self.timeout {
                    concern.append("wtimeout", timeout.milliseconds)
                }
            }
        }
    }
}

#endif
