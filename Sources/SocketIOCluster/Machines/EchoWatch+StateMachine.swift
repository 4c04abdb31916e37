// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import SocketIOCore

/// Detects that a node's own written messages do not return: its stream is deaf.
package struct EchoWatchStateMachine {
    /// What follows from the time.
    package enum TickAction: Hashable {
        case none
        /// Reopen the stream.
        case reopen
    }

    private struct Sample {
        var id: MessageID
        var lane: Int
        var written: NIODeadline?
    }

    /// A sample of each batch suffices; samples beyond this number are not taken.
    private static let sampleLimit = 16
    private static let longestPause = 6

    private var samples: [Sample] = []
    /// Of each lane, what has returned before its outcome was known: it does not return again if it is written again.
    private var early: [Int: MessageID] = [:]
    private let limit: TimeAmount
    /// How often in a row the stream was reopened because of deafness.
    private var attempts = 0
    private var nextReopen: NIODeadline?
    /// Whether the stream is deaf: nothing has returned since it was found to be.
    package private(set) var isDeaf = false
    /// Whether any message has ever returned.
    package private(set) var hasHeard = false

    package init(limit: TimeAmount) { self.limit = limit }

    /// A batch is about to be written, for the first time or again.
    ///
    /// - Parameters:
    ///   - id: Its last message that returns; nil if none does.
    ///   - lane: The lane.
    package mutating func willWrite(_ id: MessageID?, lane: Int) {
        // Of a batch that was written before and has lost its end meanwhile, that end will not come.
        samples.removeAll { $0.lane == lane && $0.written == nil && $0.id != id }
        // A batch is written again and again while the backend cannot be reached; it is still one.
        guard let id, samples.count < Self.sampleLimit, early[lane] != id, !samples.contains(where: { $0.id == id }) else { return }
        samples.append(Sample(id: id, lane: lane))
    }

    /// The batch of a lane is written.
    package mutating func written(lane: Int, now: NIODeadline) {
        early[lane] = nil
        for index in samples.indices where samples[index].lane == lane && samples[index].written == nil { samples[index].written = now }
    }

    /// A message will never be written.
    package mutating func refused(_ id: MessageID) { samples.removeAll { $0.id == id } }

    /// The batch of a lane was abandoned.
    package mutating func abandoned(lane: Int) {
        early[lane] = nil
        samples.removeAll { $0.lane == lane && $0.written == nil }
    }

    /// A message of this node has returned.
    ///
    /// - Parameters:
    ///   - id: Its id.
    ///   - isOwn: Whether this node has certainly sent it. Messages that other programs write under its id say nothing about its own.
    /// - Returns: Whether the node was deaf, or had heard nothing before.
    package mutating func cameBack(_ id: MessageID, isOwn: Bool = true) -> Bool {
        let index = samples.firstIndex { $0.id == id }
        guard isOwn || index != nil else { return false }
        let isNews = isDeaf || !hasHeard
        hasHeard = true
        isDeaf = false
        attempts = 0
        nextReopen = nil
        guard let index else { return isNews }
        let lane = samples[index].lane
        if samples[index].written == nil { early[lane] = id }
        // What was written before it in its lane came before it, or is lost, which the numbers tell.
        samples = samples.enumerated().filter { $0.offset > index || $0.element.lane != lane }.map(\.element)
        return isNews
    }

    /// The stream is open, anew or again: what was written gets the full time once more.
    ///
    /// - Parameter lost: Whether messages were skipped, so that written ones may never return.
    package mutating func opened(lost: Bool, now: NIODeadline) {
        if lost {
            // What is being written may have been among the skipped as well.
            for sample in samples where sample.written == nil { early[sample.lane] = sample.id }
            samples.removeAll()
        }
        for index in samples.indices where samples[index].written != nil { samples[index].written = now }
    }

    /// Time has passed.
    package mutating func tick(now: NIODeadline) -> TickAction {
        guard samples.contains(where: { $0.written.map { now - $0 > limit } ?? false }) else { return .none }
        isDeaf = true
        if let nextReopen, now < nextReopen { return .none }
        attempts = min(attempts + 1, Self.longestPause)
        nextReopen = now + limit * (1 << (attempts - 1))
        return .reopen
    }
}
