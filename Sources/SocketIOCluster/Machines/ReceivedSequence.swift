// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore

/// One sequence of received numbers: those of an origin in one lane, to all nodes or to this one.
///
/// Programs that may write to the backend may write any number. So a number that jumps ahead does not make the ones before it old: those
/// are remembered as jumped over, and are new if they arrive later. A message with a number that was given to another message is not a
/// repetition. The next heartbeat of the origin then gives its real numbers.
struct ReceivedSequence {
    /// Messages that are remembered by number and id, to tell a repetition from a forgery.
    static let memory: UInt64 = 16
    /// The number of ranges that were jumped over and are remembered; beyond it, the next heartbeat decides.
    private static let jumpLimit = 4

    private struct Seen {
        var number: UInt64
        var id: MessageID
    }

    /// The highest number that counts as received.
    private(set) var last: UInt64
    private var jumps: [ClosedRange<UInt64>] = []
    private var seen: [Seen] = []

    /// A sequence that begins with a message, or with the number of one.
    init(_ number: UInt64, id: MessageID? = nil) {
        self.last = number
        remember(number, id)
    }

    /// A message has arrived.
    ///
    /// - Parameters:
    ///   - stamp: Its number.
    ///   - id: Its id; nil if it is not known, and the number alone decides.
    ///   - trustsNumber: Whether an old number means that the message is old.
    ///   - mayRepeat: Whether the stream may repeat messages: an old number then is a repetition, whatever its id is.
    mutating func receive(
        _ stamp: NumberStamp,
        id: MessageID?,
        trustsNumber: Bool,
        mayRepeat: Bool
    ) -> ReceivedNumbersStateMachine.ReceiveAction {
        let number = stamp.number
        if number > last {
            let before = last
            last = number
            remember(number, id)
            guard number > before + 1 else { return .deliver(missing: 0) }
            let span = (before + 1)...(number - 1)
            jump(over: span, stamp.void)
            return .deliver(missing: stamp.void.missing(in: span))
        }
        if land(on: number) {
            remember(number, id)
            // A stream that begins at an earlier place shows what was missed.
            return mayRepeat ? .deliver(missing: 0) : .contradict
        }
        if !mayRepeat && isAnother(number, id) || !trustsNumber {
            remember(number, id)
            return .contradict
        }
        return .drop
    }

    /// A heartbeat has reported the number of the last message.
    ///
    /// - Parameters:
    ///   - stamp: The number, which is that of a message before the heartbeat.
    ///   - isFresh: Whether the heartbeat is later than those before it.
    /// - Returns: The number of lost messages, and whether higher numbers had arrived than the origin has given.
    mutating func report(_ stamp: NumberStamp, isFresh: Bool) -> (missing: UInt64, isContradiction: Bool) {
        guard stamp.number <= last else {
            let span = (last + 1)...stamp.number
            last = stamp.number
            jump(over: span, stamp.void)
            return (stamp.void.missing(in: span), false)
        }
        guard isFresh else { return (0, false) }
        // All up to its number was before the heartbeat: what has not come will not.
        jumps.removeAll()
        guard stamp.number < last else { return (0, false) }
        last = stamp.number
        return (0, true)
    }

    // MARK: What is remembered

    private mutating func remember(_ number: UInt64, _ id: MessageID?) {
        guard let id else { return }
        if let index = seen.firstIndex(where: { $0.number % Self.memory == number % Self.memory }) {
            seen[index] = Seen(number: number, id: id)
        } else {
            seen.append(Seen(number: number, id: id))
        }
    }

    /// Whether the number was given to a message with another id.
    private func isAnother(_ number: UInt64, _ id: MessageID?) -> Bool {
        guard let id else { return false }
        return seen.first { $0.number == number }.map { $0.id != id } ?? false
    }

    private mutating func jump(over span: ClosedRange<UInt64>, _ void: [ClosedRange<UInt64>]) {
        var low = span.lowerBound
        for range in void.sorted(by: { $0.lowerBound < $1.lowerBound }) where range.overlaps(span) && range.upperBound >= low {
            if range.lowerBound > low { add(low...(range.lowerBound - 1)) }
            guard range.upperBound < span.upperBound else { return }
            low = range.upperBound + 1
        }
        add(low...span.upperBound)
    }

    private mutating func add(_ range: ClosedRange<UInt64>) {
        if jumps.count < Self.jumpLimit {
            jumps.append(range)
        } else if let last = jumps.last, last.upperBound < range.upperBound {
            // The lowest are those that the origin comes to next.
            jumps[jumps.count - 1] = last.lowerBound...range.upperBound
        }
    }

    /// Whether the number was jumped over; lower ones in its range will not arrive.
    private mutating func land(on number: UInt64) -> Bool {
        guard let index = jumps.firstIndex(where: { $0.contains(number) }) else { return false }
        if number < jumps[index].upperBound {
            jumps[index] = (number + 1)...jumps[index].upperBound
        } else {
            jumps.remove(at: index)
        }
        return true
    }
}
