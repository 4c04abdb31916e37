// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Decides when a client's connection is read: not while too many of its events wait for their handlers.
struct ReadFlow {
    enum Action: Equatable {
        case none, pause, resume, close
    }

    private(set) var events = 0
    private(set) var bytes = 0
    private var isPaused = false

    mutating func queued(_ size: Int) {
        events += 1
        bytes += size
    }

    mutating func taken(_ size: Int) {
        events -= 1
        bytes -= size
    }

    /// The events of a socket that has gone.
    mutating func remove(_ queue: EventQueue) {
        events -= queue.count
        bytes -= queue.bytes
    }

    func isAboveLowWater(_ limits: EventQueueLimits) -> Bool {
        events > limits.events / 2 || bytes > limits.bytes / 2
    }

    /// - Parameter awaitsAcknowledgement: Whether a handler may wait for an answer of this client, which must be read then.
    mutating func next(_ limits: EventQueueLimits, awaitsAcknowledgement: Bool) -> Action {
        if events > limits.hardEvents || bytes > limits.hardBytes { return .close }
        if isPaused {
            guard awaitsAcknowledgement || !isAboveLowWater(limits) else { return .none }
            isPaused = false
            return .resume
        }
        guard !awaitsAcknowledgement, events >= limits.events || bytes >= limits.bytes else { return .none }
        isPaused = true
        return .pause
    }
}

/// How many events of one client may wait for their handlers. Those whose handler is concurrent count until it has returned.
public struct EventQueueLimits: Sendable, Hashable {
    /// Events from which the client's connection is not read any more, until half of them are handled. Default 128.
    public var events: Int
    /// Bytes from which the connection is not read any more, until half of them are handled. Default 1 MiB.
    public var bytes: Int
    /// Events at which the connection is closed. It is read beyond `events` only while one of its acknowledgements is awaited, and
    /// to the end of what the transport has read already. Default 4 096.
    public var hardEvents: Int
    /// Bytes at which the connection is closed. Default 16 MiB.
    public var hardBytes: Int

    /// Creates limits.
    public init(events: Int = 128, bytes: Int = 1 << 20, hardEvents: Int = 4_096, hardBytes: Int = 16 << 20) {
        self.events = events
        self.bytes = bytes
        self.hardEvents = hardEvents
        self.hardBytes = hardBytes
    }
}
