// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCluster
import SocketIOCore

/// What can go wrong in a schedule, each with its probability.
struct FaultProfile {
    var writes = 0.0
    var streams = 0.0
    var losses = 0.0
    var deafness = 0.0
    var crashes = 0.0
    var pauses = 0.0
    var outages = 0.0
    var refusals = 0.0
    var leaves = 0.0
    var rollBacks = 0.0
    var cancellations = 0.0

    /// Nothing goes wrong.
    init() {}

    init(_ random: inout SeededGenerator) {
        func maybe(_ random: inout SeededGenerator, _ value: Double) -> Double { random.happens(0.4) ? value : 0 }
        guard random.happens(0.9) else { return }
        writes = maybe(&random, 0.3)
        streams = maybe(&random, 0.05)
        losses = maybe(&random, 0.3)
        deafness = maybe(&random, 0.15)
        crashes = maybe(&random, 0.03)
        pauses = maybe(&random, 0.03)
        outages = maybe(&random, 0.02)
        refusals = maybe(&random, 0.05)
        leaves = maybe(&random, 0.02)
        rollBacks = maybe(&random, 0.05)
        cancellations = maybe(&random, 0.2)
    }

    /// Whether nothing goes wrong and nobody comes or goes.
    var isCalm: Bool { writes + streams + deafness + crashes + pauses + outages + refusals + leaves + rollBacks == 0 }
}

/// The collection: what is written is in it once and in one order.
struct SimulatedLog {
    private(set) var entries: [ClusterMessage] = []
    private var ids: Set<MessageID> = []

    /// Inserts in order what is not there.
    mutating func insert(_ messages: some Sequence<ClusterMessage>) {
        for message in messages where ids.insert(message.header.id).inserted { entries.append(message) }
    }

    /// Everything from a place on was never there, although some have seen it. Returns the ids of what is gone.
    mutating func rollBack(to count: Int) -> Set<MessageID> {
        let gone = Set(entries[count...].lazy.map(\.header.id))
        ids.subtract(gone)
        entries.removeLast(entries.count - count)
        return gone
    }
}

/// A primary that is cut off from the others and does not know it yet: what is written to it is seen, and then rolled back.
struct SimulatedIsolation {
    /// The length of the log when it began.
    var start: Int
    var until: Int64
    /// The nodes that reach neither this primary nor another.
    var cutOff: Set<Int>
}

/// What becomes of an attempt to write.
enum AttemptPlan {
    case succeed
    /// Nothing is written, and that is certain.
    case failBefore
    /// Nothing is written, but nobody knows.
    case failSilently
    /// It is written, but nobody knows.
    case failAfter
    /// The first messages are written, but nobody knows.
    case failBetween(Int)
    /// It is written after the caller has been told that nobody knows.
    case late(Int, after: Int64)

    init(_ random: inout SeededGenerator, count: Int, faults: FaultProfile, isDown: Bool) {
        if isDown {
            self = random.happens(0.5) ? .failBefore : .failSilently
            return
        }
        guard random.happens(faults.writes) else {
            self = .succeed
            return
        }
        let part = Int.random(in: 0...count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: self = .failBefore
        case 1: self = .failSilently
        case 2: self = .failAfter
        case 3: self = .failBetween(part)
        default: self = .late(part, after: random.delay(50...6_000))
        }
    }
}
