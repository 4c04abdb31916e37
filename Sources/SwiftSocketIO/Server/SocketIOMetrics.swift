// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Metrics
import SocketIOText
import Synchronization

/// The metrics of a server, for swift-metrics.
///
/// All labels start with `socketio_`; those of counters end in `_total`, all others in their unit unless it is a plain number.
struct SocketIOMetrics: Sendable {
    /// A number that only grows.
    struct Total: Sendable {
        private let counter: Counter

        init(_ name: String, _ dimensions: [(String, String)] = []) {
            self.counter = Counter(label: "socketio_\(name)_total", dimensions: dimensions)
        }

        func increment(by amount: Int = 1) { counter.increment(by: amount) }
    }

    /// A number that goes up and down.
    struct Level: Sendable {
        private let meter: Meter

        init(_ name: String, _ dimensions: [(String, String)] = []) {
            self.meter = Meter(label: "socketio_\(name)", dimensions: dimensions)
        }

        // Some backends ignore a negative increment.
        func change(by amount: Int) {
            if amount < 0 { meter.decrement(by: Double(-amount)) } else { meter.increment(by: Double(amount)) }
        }
    }

    /// How long something takes. Backends whose unit is the second, such as Prometheus, convert the value themselves.
    struct Latency: Sendable {
        private let timer: Metrics.Timer

        init(_ name: String) { self.timer = Metrics.Timer(label: "socketio_\(name)_seconds") }

        func record(_ time: Duration) {
            let (seconds, attoseconds) = time.components
            timer.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
        }
    }

    let acknowledgementLatency = Latency("ack_latency")
    let acknowledgementsSent = Total("acks_sent")
    let acknowledgementTimeouts = Total("acks_timed_out")
    let eventsReceived = Total("events_received")
    let eventsSent = Total("events_sent")
    let lateAcknowledgements = Total("acks_late")
    let duplicateAcknowledgements = Total("acks_duplicate")
    let droppedVolatile = Total("volatile_dropped")
    let droppedServerSideEvents = Total("server_side_events_dropped")
    let recoveredSessions = Total("sessions_recovered")
    let expiredSessions = Total("sessions_expired")
    let unkeptSessions = Total("sessions_too_large")
    let errors = Total("errors")
    let standstills = Total("event_standstills")
    let refusedRooms = Total("rooms_refused")
    let refusedConnects = Dictionary(
        uniqueKeysWithValues: ClientRefusal.connects.map { ($0.refusal, Total("connects_refused", [("reason", $0.label)])) }
    )
    let refusedClaims = Total("session_claims_refused")
    let cutDescriptions = Total("descriptions_cut")
    private let namespaces = NamespaceMetricsTable()

    /// The metrics of a namespace.
    func namespace(_ name: String, isChild: Bool) -> NamespaceMetrics { namespaces.metrics(of: name, isChild: isChild) }
}

/// The metrics of a namespace.
struct NamespaceMetrics: Sendable {
    let sockets: SocketIOMetrics.Level
    let rooms: SocketIOMetrics.Level
    let connects: SocketIOMetrics.Total
    private let disconnects: [(reason: DisconnectReason, count: SocketIOMetrics.Total)]
    private let otherDisconnects: SocketIOMetrics.Total

    fileprivate init(_ namespace: String) {
        let dimension = ("namespace", namespace)
        sockets = .init("sockets", [dimension])
        rooms = .init("rooms", [dimension])
        connects = .init("connects", [dimension])
        disconnects = DisconnectReason.all.map { reason in
            // As the engine's metrics have it.
            let name = reason.description.utf8.map { $0 == UInt8(ascii: " ") ? UInt8(ascii: "_") : $0 }
            return (reason, .init("disconnects", [dimension, ("reason", String(decoding: name, as: UTF8.self))]))
        }
        otherDisconnects = .init("disconnects", [dimension, ("reason", "other")])
    }

    func disconnected(_ reason: DisconnectReason) {
        (disconnects.first { $0.reason == reason }?.count ?? otherDisconnects).increment()
    }
}

/// Gives namespaces their metrics, and clients no way to make new ones: children of dynamic namespaces share one value of the dimension.
private final class NamespaceMetricsTable: Sendable {
    /// No real application names so many namespaces in its code.
    private static let limit = 100

    private let children = NamespaceMetrics("dynamic")
    private let others = NamespaceMetrics("other")
    private let named = Mutex<[Name: NamespaceMetrics]>([:])

    func metrics(of name: String, isChild: Bool) -> NamespaceMetrics {
        if isChild { return children }
        return named.withLock { named in
            if let metrics = named[Name(name)] { return metrics }
            guard named.count < Self.limit else { return others }
            let metrics = NamespaceMetrics(name)
            named[Name(name)] = metrics
            return metrics
        }
    }
}
