// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Decides when a client's connection is read: it pauses while too many of its events wait for their handlers.
struct ReadFlow {
    enum Action: Equatable {
        case none, pause, resume, close
    }

    private(set) var events = 0
    private(set) var bytes = 0
    /// How often events were taken or removed.
    private(set) var progress: UInt64 = 0
    private(set) var isPaused = false

    mutating func queued(_ size: Int) {
        events += 1
        bytes += size
    }

    mutating func taken(_ size: Int) {
        progress &+= 1
        events -= 1
        bytes -= size
    }

    /// Removes the events of a disconnected socket.
    mutating func remove(_ queue: EventQueue) {
        progress &+= 1
        events -= queue.count
        bytes -= queue.bytes
    }

    func isAboveLowWater(_ limits: EventQueueLimits) -> Bool {
        events > limits.events / 2 || bytes > limits.bytes / 2
    }

    /// - Parameter awaitsAcknowledgement: Whether a handler may be waiting for an answer of this client, which must then be read.
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

/// The number and size of the events of one client that may wait for their handlers. An event with a concurrent handler counts until the
/// handler has returned.
public struct EventQueueLimits: Sendable, Hashable {
    /// Events at which reading of the client's connection pauses, until half of them are handled. Default 128.
    public var events: Int
    /// Bytes at which reading pauses, until half of them are handled. Default 1 MiB.
    public var bytes: Int
    /// Events at which the connection is closed. Beyond ``events`` it is read only while the server waits for an acknowledgement of the
    /// client, and to the end of the data that the transport has already read. Default 4 096.
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
