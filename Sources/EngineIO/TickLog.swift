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

    /// The position after the last entry.
    var end: Int { base + entries.count }

    /// Adds frames, unless they are the very same as those added last.
    ///
    /// - Returns: Their position.
    mutating func append(_ frames: ByteBuffer) -> Int {
        if let last = entries.last, last.isSameMemory(as: frames) { return end - 1 }
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
        var frames = ByteBuffer()
        frames.reserveCapacity(bytes)
        for position in range { frames.writeImmutableBuffer(self[position]) }
        combined = (range, frames)
        return frames
    }

    /// Forgets the entries before a position: nobody remembers them.
    mutating func removeAll(before position: Int) {
        combined = nil
        if position == end, entries.capacity <= Self.keptCapacity {
            entries.removeAll(keepingCapacity: true)
        } else {
            entries.removeFirst(position - base)
            if entries.isEmpty { entries = [] }
        }
        base = position
    }
}

extension ByteBuffer {
    /// Whether both are views of the same bytes in the same place.
    fileprivate func isSameMemory(as other: ByteBuffer) -> Bool {
        guard readableBytes == other.readableBytes else { return false }
        return withUnsafeReadableBytes { own in other.withUnsafeReadableBytes { own.baseAddress == $0.baseAddress } }
    }
}
