// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import Metrics

/// The metrics of an ``EngineServer`` (swift-metrics).
///
/// Counters end in `_total`. Dimensions have few values, none of which a client chooses.
public struct EngineMetrics: Sendable {
    /// What one event loop has counted since it last updated the metrics; so a message costs an addition and no call.
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
    private let openedPolling: Counter
    private let openedWebSocket: Counter
    private let closed: [EngineCloseReason: Counter]
    private let closedOther: Counter
    private let upgrades: Counter
    private let refused: [RefusalCause.Reason: Counter]
    private let acceptFailures: Counter
    private let bytesReceived: Counter
    private let bytesSent: Counter
    private let packetsReceived: Counter
    private let packetsSent: Counter
    private let volatileDropped: Counter
    private let buffered: Meter

    /// Makes the metrics.
    ///
    /// Counters: `engineio_sessions_opened_total` (dimension `transport`: `polling` or `websocket`), `engineio_sessions_closed_total`
    /// (`reason`: one of ``EngineCloseReason``'s own, with underscores, or `other`), `engineio_upgrades_total`,
    /// `engineio_requests_refused_total` (`reason`: `unknown_path`, `unknown_transport`, `unknown_sid`, `unsupported_protocol_version`,
    /// `bad_handshake_method`, `bad_request`, `payload_too_large`, `websocket_handshake`, `origin`, `cors`, `forbidden` or `unavailable`;
    /// `unknown_path` and `cors` are requests that were answered, but lead to no session), `engineio_accept_failures_total`, `engineio_received_bytes_total`,
    /// `engineio_sent_bytes_total`, `engineio_packets_received_total`, `engineio_packets_sent_total`,
    /// `engineio_volatile_packets_dropped_total`. Meters: `engineio_sessions`, `engineio_send_buffer_bytes`.
    ///
    /// - Parameter factory: The backend; the one bootstrapped for the process if nil.
    public init(factory: (any MetricsFactory)? = nil) {
        let factory = factory ?? MetricsSystem.factory
        func counter(_ name: String, _ dimensions: [(String, String)] = []) -> Counter {
            Counter(label: "engineio_\(name)_total", dimensions: dimensions, factory: factory)
        }
        func closed(_ reason: String) -> Counter { counter("sessions_closed", [("reason", reason)]) }
        self.sessions = Meter(label: "engineio_sessions", dimensions: [], factory: factory)
        self.openedPolling = counter("sessions_opened", [("transport", "polling")])
        self.openedWebSocket = counter("sessions_opened", [("transport", "websocket")])
        self.closed = Dictionary(
            EngineCloseReason.own.map { reason in
                let name = reason.description.utf8.map { $0 == UInt8(ascii: " ") ? UInt8(ascii: "_") : $0 }
                return (reason, closed(String(decoding: name, as: UTF8.self)))
            },
            uniquingKeysWith: { first, _ in first }
        )
        self.closedOther = closed("other")
        self.upgrades = counter("upgrades")
        self.refused = Dictionary(
            RefusalCause.Reason.allCases.map { ($0, counter("requests_refused", [("reason", $0.label)])) },
            uniquingKeysWith: { first, _ in first }
        )
        self.acceptFailures = counter("accept_failures")
        self.bytesReceived = counter("received_bytes")
        self.bytesSent = counter("sent_bytes")
        self.packetsReceived = counter("packets_received")
        self.packetsSent = counter("packets_sent")
        self.volatileDropped = counter("volatile_packets_dropped")
        self.buffered = Meter(label: "engineio_send_buffer_bytes", dimensions: [], factory: factory)
    }

    func sessionOpened(_ transport: EngineConfiguration.Transport) {
        switch transport {
        case .polling: openedPolling.increment()
        case .websocket: openedWebSocket.increment()
        }
        sessions.increment()
    }

    func sessionClosed(_ reason: EngineCloseReason) {
        (closed[reason] ?? closedOther).increment()
        sessions.decrement()
    }

    func upgraded() { upgrades.increment() }
    func acceptFailed() { acceptFailures.increment() }
    func requestRefused(_ reason: RefusalCause.Reason) { refused[reason]?.increment() }

    func record(_ tally: Tally) {
        if tally.bytesReceived > 0 { bytesReceived.increment(by: tally.bytesReceived) }
        if tally.bytesSent > 0 { bytesSent.increment(by: tally.bytesSent) }
        if tally.packetsReceived > 0 { packetsReceived.increment(by: tally.packetsReceived) }
        if tally.packetsSent > 0 { packetsSent.increment(by: tally.packetsSent) }
        if tally.volatileDropped > 0 { volatileDropped.increment(by: tally.volatileDropped) }
        // Some backends ignore a negative increment.
        if tally.buffered > 0 { buffered.increment(by: Double(tally.buffered)) }
        if tally.buffered < 0 { buffered.decrement(by: Double(-tally.buffered)) }
    }
}
