// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// The numbers that a node gives to the messages of one lane in one epoch.
struct SentNumbers {
    /// Beyond this number, void ranges are forgotten, oldest first; receivers then count them as lost.
    static let voidLimit = 64
    /// The number of nodes with a sequence of their own; the numbers of others continue above the highest that was forgotten.
    static let targetLimit = 4_096

    private struct Sequence {
        var last: UInt64 = 0
        var void: [ClosedRange<UInt64>] = []
        /// When it was used last, in numbers given.
        var used: UInt64 = 0
    }

    let epoch: UInt64
    private var all = Sequence()
    private var targets: [Name: Sequence] = [:]
    /// The highest number of the sequences that were forgotten: no number is given twice.
    private var floor: UInt64 = 0
    private var uses: UInt64 = 0

    init(epoch: UInt64) { self.epoch = epoch }

    /// Gives the next number.
    mutating func next(_ node: NodeID?) -> UInt64 {
        guard let target = node.map({ Name($0) }) else {
            all.last += 1
            return all.last
        }
        if targets[target] == nil { makeRoom() }
        uses += 1
        var sequence = targets[target] ?? fresh
        sequence.last += 1
        sequence.used = uses
        targets[target] = sequence
        return sequence.last
    }

    /// A sequence that begins anew. It is unknown which of the numbers below were given, so receivers must not count them as missed.
    private var fresh: Sequence { Sequence(last: floor, void: floor > 0 ? [1...floor] : []) }

    /// Forgets a node that is gone.
    mutating func forget(_ target: NodeID) {
        forget(Name(target))
    }

    private mutating func forget(_ target: Name) {
        guard let sequence = targets.removeValue(forKey: target) else { return }
        floor = max(floor, sequence.last)
    }

    /// Forgets the half that was not used for longest.
    private mutating func makeRoom() {
        guard targets.count >= Self.targetLimit else { return }
        let oldest = targets.sorted { $0.value.used < $1.value.used }.prefix(Self.targetLimit / 2)
        for (target, _) in oldest { forget(target) }
    }

    /// The ranges that receivers must not count as missed.
    func void(_ target: NodeID?) -> [ClosedRange<UInt64>] {
        (target.map { targets[Name($0)] } ?? all)?.void ?? []
    }

    /// Whether any number was given.
    var isEmpty: Bool { all.last == 0 && targets.isEmpty }

    /// The last number for all nodes.
    var lastForAll: UInt64 { all.last }

    /// A message will not be sent, or it is unknown whether it was.
    mutating func abandon(_ number: UInt64, target: NodeID?) {
        if let target = target.map({ Name($0) }) {
            guard targets[target] != nil else { return }
            targets[target]?.void.insertVoid(number, limit: Self.voidLimit)
        } else {
            all.void.insertVoid(number, limit: Self.voidLimit)
        }
    }

    /// The message of this number, which listed the void numbers before it, was written.
    mutating func voidIsKnown(_ target: NodeID?, below number: UInt64) {
        if let target {
            targets[Name(target)]?.void.removeAll { $0.upperBound < number }
        } else {
            all.void.removeAll { $0.upperBound < number }
        }
    }

    /// What a heartbeat reports: to all nodes every sequence, to one node those that concern it.
    func positions(lane: UInt8, target: NodeID?) -> [ClusterHeartbeat.Position] {
        var result = [ClusterHeartbeat.Position(target: nil, stamp: NumberStamp(lane: lane, number: all.last, void: all.void))]
        let listed =
            target.map { [($0, targets[Name($0)] ?? fresh)] }
            ?? targets.prefix(ClusterHeartbeat.positionLimit - 1).map { ($0.key.text, $0.value) }
        for (id, sequence) in listed {
            result.append(.init(target: id, stamp: NumberStamp(lane: lane, number: sequence.last, void: sequence.void)))
        }
        return result
    }
}

extension [ClosedRange<UInt64>] {
    /// Adds a number to ascending ranges.
    mutating func insertVoid(_ number: UInt64, limit: Int) {
        if let last, number == last.upperBound + 1 {
            self[count - 1] = last.lowerBound...number
        } else if let index = firstIndex(where: { number < $0.lowerBound }) {
            insert(number...number, at: index)
        } else if last.map({ number > $0.upperBound }) ?? true {
            append(number...number)
        }
        if count > limit { removeFirst() }
    }

    /// How many numbers of `span` are in none of the ranges. Ranges may overlap and be in any order: they come from outside.
    func missing(in span: ClosedRange<UInt64>) -> UInt64 {
        var missing = span.upperBound - span.lowerBound + 1
        var next = span.lowerBound
        for range in sorted(by: { $0.lowerBound < $1.lowerBound }) where range.upperBound >= next {
            let low = Swift.max(range.lowerBound, next)
            let high = Swift.min(range.upperBound, span.upperBound)
            guard low <= high else { continue }
            missing -= high - low + 1
            guard high < span.upperBound else { break }
            next = high + 1
        }
        return missing
    }
}
