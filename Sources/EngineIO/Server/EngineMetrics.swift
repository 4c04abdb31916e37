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

    /// What all copies share: one reference to copy, and not one for each metric.
    private final class Instruments: Sendable {
        let sessions: Meter
        let openedPolling: Counter
        let openedWebSocket: Counter
        let closed: [EngineCloseReason: Counter]
        let closedOther: Counter
        let upgrades: Counter
        let refused: [RefusalCause.Reason: Counter]
        let acceptFailures: Counter
        let bytesReceived: Counter
        let bytesSent: Counter
        let packetsReceived: Counter
        let packetsSent: Counter
        let volatileDropped: Counter
        let buffered: Meter

        init(_ factory: any MetricsFactory) {
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
    }

    private let instruments: Instruments

    /// Makes the metrics.
    ///
    /// Counters: `engineio_sessions_opened_total` (dimension `transport`: `polling` or `websocket`), `engineio_sessions_closed_total`
    /// (`reason`: one of ``EngineCloseReason``'s own, with underscores, or `other`), `engineio_upgrades_total`,
    /// `engineio_requests_refused_total` (`reason`: `unknown_path`, `unknown_transport`, `unknown_sid`, `unsupported_protocol_version`,
    /// `bad_handshake_method`, `bad_request`, `payload_too_large`, `websocket_handshake`, `origin`, `cors`, `forbidden` or `unavailable`;
    /// `unknown_path` are requests that look like those of a Socket.IO client, but were answered 404; `cors` are polling handshakes of pages
    /// that may not read the answer, not their preflights), `engineio_accept_failures_total`, `engineio_received_bytes_total`,
    /// `engineio_sent_bytes_total`, `engineio_packets_received_total`, `engineio_packets_sent_total`,
    /// `engineio_volatile_packets_dropped_total`. Meters: `engineio_sessions`, `engineio_send_buffer_bytes`.
    ///
    /// - Parameter factory: The backend; the one bootstrapped for the process if nil.
    public init(factory: (any MetricsFactory)? = nil) {
        self.instruments = Instruments(factory ?? MetricsSystem.factory)
    }

    func sessionOpened(_ transport: EngineConfiguration.Transport) {
        switch transport {
        case .polling: instruments.openedPolling.increment()
        case .websocket: instruments.openedWebSocket.increment()
        }
        instruments.sessions.increment()
    }

    func sessionClosed(_ reason: EngineCloseReason) {
        (instruments.closed[reason] ?? instruments.closedOther).increment()
        instruments.sessions.decrement()
    }

    func upgraded() { instruments.upgrades.increment() }
    func acceptFailed() { instruments.acceptFailures.increment() }
    func requestRefused(_ reason: RefusalCause.Reason) { instruments.refused[reason]?.increment() }

    func record(_ tally: Tally) {
        if tally.bytesReceived > 0 { instruments.bytesReceived.increment(by: tally.bytesReceived) }
        if tally.bytesSent > 0 { instruments.bytesSent.increment(by: tally.bytesSent) }
        if tally.packetsReceived > 0 { instruments.packetsReceived.increment(by: tally.packetsReceived) }
        if tally.packetsSent > 0 { instruments.packetsSent.increment(by: tally.packetsSent) }
        if tally.volatileDropped > 0 { instruments.volatileDropped.increment(by: tally.volatileDropped) }
        // Some backends ignore a negative increment.
        if tally.buffered > 0 { instruments.buffered.increment(by: Double(tally.buffered)) }
        if tally.buffered < 0 { instruments.buffered.decrement(by: Double(-tally.buffered)) }
    }
}
