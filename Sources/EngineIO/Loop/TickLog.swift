// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The frames that an event loop's sessions send in one tick, each kept once however many sessions send it.
///
/// A session remembers a range of the log. Sessions that send the same, as the members of a room do, share one buffer and need one write
/// each, whatever the number of packets.
struct TickLog {
    /// Ranges of more bytes are not copied together.
    private static let combinedLimit = 64 << 10
    /// The entries whose memory is kept for the next tick.
    private static let keptCapacity = 1024

    private var entries: ContiguousArray<ByteBuffer> = []
    /// The position of the first entry.
    private var base = 0
    /// The last range that was asked for.
    private var combined: (range: Range<Int>, frames: ByteBuffer)?
    /// Where the bytes of the last entry are, and how many.
    private var last: (address: UnsafeRawPointer?, count: Int) = (nil, 0)

    /// The number of entries.
    var count: Int { entries.count }

    /// The position after the last entry.
    var end: Int { base + entries.count }

    /// The entries so far are about to be written: what is added from now on gets a position after them, even the very same frames.
    ///
    /// - Returns: The position after the last entry.
    mutating func seal() -> Int {
        last = (nil, 0)
        return end
    }

    /// Adds frames, unless they are the very same as those added last.
    ///
    /// - Returns: Their position.
    mutating func append(_ frames: ByteBuffer) -> Int {
        // The last entry keeps its bytes alive, and bytes with two owners cannot change: the same address means the same frames.
        let bytes = frames.withUnsafeReadableBytes { (address: $0.baseAddress, count: $0.count) }
        if bytes == last { return end - 1 }
        last = bytes
        entries.append(frames)
        return end - 1
    }

    /// The frames at a position.
    subscript(position: Int) -> ByteBuffer { entries[position - base] }

    /// A range of the log as one buffer; nil if it is too large to be copied together.
    mutating func frames(_ range: Range<Int>, bytes: Int) -> ByteBuffer? {
        if range.count == 1 { return self[range.lowerBound] }
        if let combined, combined.range == range { return combined.frames }
        guard bytes <= Self.combinedLimit else { return nil }
        var frames = ByteBufferAllocator().buffer(capacity: bytes)
        for position in range { frames.writeImmutableBuffer(self[position]) }
        combined = (range, frames)
        return frames
    }

    /// Removes the entries before a position, which no session refers to any more.
    mutating func removeAll(before position: Int) {
        combined = nil
        if position == end { last = (nil, 0) }
        if position == end, entries.capacity <= Self.keptCapacity {
            entries.removeAll(keepingCapacity: true)
        } else {
            entries.removeFirst(position - base)
            if entries.isEmpty { entries = [] }
        }
        base = position
    }
}
