// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOCore

/// How far the ids of broadcasts are from the order of the stream. Ids are made by the clocks of their writers, and some time before they
/// are written, so a document may have a lower id than one that was written before it: by a year, if a clock is wrong.
///
/// It bounds where documents after a known one can be found by their ids, without reading all that are older. After a document that was read
/// lately the bound is exact, whatever the clocks do. After others, clocks are assumed to agree within ``limit``, or as badly as they were seen
/// to.
struct IDDisorder {
    private struct Entry {
        var seconds: UInt32
        /// Distinguishes ids of the same second.
        var tag: UInt32

        init(_ id: MessageID) {
            seconds = id.seconds
            tag = UInt32(truncatingIfNeeded: id.rest ^ id.rest >> 32)
        }
    }

    /// Seconds by which clocks may differ.
    static let usualLimit: UInt32 = 60
    /// As many documents are remembered: half a megabyte.
    static let capacity = 1 << 16

    /// Seconds by which an id may be lower than one before it: as far as clocks may differ, and as long as a message may wait to be written.
    let limit: UInt32
    /// The latest documents, in the order of the stream from `oldest` on, and then from the beginning.
    private var entries: [Entry] = []
    private var oldest = 0

    /// - Parameter writeTimeout: How long a message may wait to be written, in seconds.
    init(writeTimeout: Int64 = 0) { limit = max(Self.usualLimit, UInt32(clamping: writeTimeout)) }

    /// A broadcast was read.
    mutating func read(_ id: MessageID) {
        guard entries.count == Self.capacity else { return entries.append(Entry(id)) }
        entries[oldest] = Entry(id)
        oldest = (oldest + 1) % Self.capacity
    }

    /// The earliest times in the ids of broadcasts that were written after others.
    ///
    /// - Parameters:
    ///   - ids: The ids of the others.
    ///   - now: The server's time.
    /// - Returns: One time for each id.
    func earliest(after ids: [MessageID], now: UInt32) -> [UInt32] {
        var wanted: [UInt64: UInt32?] = [:]
        for id in ids { wanted[Self.key(Entry(id))] = .some(nil) }
        /// The lowest and the highest time from here to the end, and the most by which one is lower than one before it.
        var (lowest, highest, disorder) = (UInt32.max, UInt32.min, UInt32.min)
        for entry in [entries[oldest...], entries[..<oldest]].joined().reversed() {
            lowest = min(lowest, entry.seconds)
            highest = max(highest, entry.seconds)
            disorder = max(disorder, entry.seconds - lowest)
            if wanted[Self.key(entry)] != nil { wanted[Self.key(entry)] = lowest }
        }
        return ids.map { id in
            if let known = wanted[Self.key(Entry(id))], let known { return known }
            // Its clock is wrong, and it is not known for how long.
            if id.seconds > now, id.seconds - now > limit { return 0 }
            let assumed = id.seconds - min(id.seconds, max(limit, disorder))
            // Something with a later id was read, so it was written before all that was read.
            return id.seconds < highest - min(highest, limit) ? min(assumed, lowest) : assumed
        }
    }

    private static func key(_ entry: Entry) -> UInt64 { UInt64(entry.seconds) << 32 | UInt64(entry.tag) }
}
#endif
