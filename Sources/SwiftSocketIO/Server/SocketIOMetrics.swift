// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Metrics

/// What a server counts, for swift-metrics. All labels start with `socketio_`.
struct SocketIOMetrics: Sendable {
    /// A number that only grows.
    struct Total: Sendable {
        private let counter: Counter

        init(_ name: String) { self.counter = Counter(label: "socketio_\(name)_total") }

        func increment(by amount: Int = 1) { counter.increment(by: amount) }
    }

    /// A number that goes up and down.
    struct Level: Sendable {
        private let meter: Meter

        init(_ name: String) { self.meter = Meter(label: "socketio_\(name)") }

        func change(by amount: Int) { meter.increment(by: Double(amount)) }
    }

    /// How long something takes.
    struct Latency: Sendable {
        private let timer: Metrics.Timer

        init(_ name: String) { self.timer = Metrics.Timer(label: "socketio_\(name)_nanoseconds") }

        func record(_ time: Duration) {
            let (seconds, attoseconds) = time.components
            timer.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
        }
    }

    let sockets = Level("sockets")
    let rooms = Level("rooms")
    let acknowledgementLatency = Latency("ack_latency")
    let acknowledgementsSent = Total("acks_sent")
    let acknowledgementTimeouts = Total("acks_timed_out")
    let connects = Total("connects")
    let disconnects = Total("disconnects")
    let eventsReceived = Total("events_received")
    let eventsSent = Total("events_sent")
    let lateAcknowledgements = Total("acks_late")
    let duplicateAcknowledgements = Total("acks_duplicate")
    let droppedVolatile = Total("volatile_dropped")
    let droppedServerSideEvents = Total("server_side_events_dropped")
    let recoveredSessions = Total("sessions_recovered")
    let unkeptSessions = Total("sessions_too_large")
    let expiredSessions = Total("sessions_expired")
    let errors = Total("errors")
    let refusedRooms = Total("rooms_refused")
    let refusedConnects = Total("connects_refused_by_limit")
    let refusedClaims = Total("session_claims_refused")
    let cutDescriptions = Total("descriptions_cut")
}
