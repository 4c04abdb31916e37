// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import Metrics

/// The metrics of an ``EngineServer`` (swift-metrics).
public struct EngineMetrics: Sendable {
    /// What one event loop counted since it last told the metrics; so a message costs an addition and no call.
    struct Tally {
        var bytesReceived = 0
        var bytesSent = 0
        var packetsReceived = 0
        var packetsSent = 0
        var volatileDropped = 0
        /// The change of the bytes that wait in send buffers.
        var buffered = 0
    }

    private let sessions: Meter
    private let opened: Counter
    private let closed: Counter
    private let upgrades: Counter
    private let unknownSID: Counter
    private let refused: Counter
    private let acceptFailures: Counter
    private let bytesReceived: Counter
    private let bytesSent: Counter
    private let packetsReceived: Counter
    private let packetsSent: Counter
    private let volatileDropped: Counter
    private let buffered: Meter

    /// Makes the metrics: counters `engineio_sessions_opened`, `engineio_sessions_closed`, `engineio_upgrades`, `engineio_unknown_sid`,
    /// `engineio_requests_refused`, `engineio_accept_failures`, `engineio_bytes_received`, `engineio_bytes_sent`, `engineio_packets_received`,
    /// `engineio_packets_sent`, `engineio_volatile_dropped`, and meters `engineio_sessions`, `engineio_bytes_buffered`.
    ///
    /// - Parameter factory: The backend; the one bootstrapped for the process if nil.
    public init(factory: (any MetricsFactory)? = nil) {
        let factory = factory ?? MetricsSystem.factory
        func counter(_ name: String) -> Counter { Counter(label: "engineio_\(name)", dimensions: [], factory: factory) }
        self.sessions = Meter(label: "engineio_sessions", dimensions: [], factory: factory)
        self.opened = counter("sessions_opened")
        self.closed = counter("sessions_closed")
        self.upgrades = counter("upgrades")
        self.unknownSID = counter("unknown_sid")
        self.refused = counter("requests_refused")
        self.acceptFailures = counter("accept_failures")
        self.bytesReceived = counter("bytes_received")
        self.bytesSent = counter("bytes_sent")
        self.packetsReceived = counter("packets_received")
        self.packetsSent = counter("packets_sent")
        self.volatileDropped = counter("volatile_dropped")
        self.buffered = Meter(label: "engineio_bytes_buffered", dimensions: [], factory: factory)
    }

    func sessionOpened() {
        opened.increment()
        sessions.increment()
    }

    func sessionClosed() {
        closed.increment()
        sessions.decrement()
    }

    func upgraded() { upgrades.increment() }
    func acceptFailed() { acceptFailures.increment() }
    func requestRefused(unknownSID isUnknown: Bool) {
        refused.increment()
        if isUnknown { unknownSID.increment() }
    }

    func record(_ tally: Tally) {
        if tally.bytesReceived > 0 { bytesReceived.increment(by: tally.bytesReceived) }
        if tally.bytesSent > 0 { bytesSent.increment(by: tally.bytesSent) }
        if tally.packetsReceived > 0 { packetsReceived.increment(by: tally.packetsReceived) }
        if tally.packetsSent > 0 { packetsSent.increment(by: tally.packetsSent) }
        if tally.volatileDropped > 0 { volatileDropped.increment(by: tally.volatileDropped) }
        if tally.buffered != 0 { buffered.increment(by: Double(tally.buffered)) }
    }
}
