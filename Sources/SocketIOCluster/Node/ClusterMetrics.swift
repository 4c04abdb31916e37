// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import Metrics
import SocketIOCore

/// The metrics of a node (swift-metrics). All labels begin with `socketio_cluster_`.
///
/// | Label | Kind | Meaning |
/// |---|---|---|
/// | `messages_written_total` | counter | messages written to the backend |
/// | `batches_written_total` | counter | batches written to the backend |
/// | `write_failures_total` | counter | failed attempts to write a batch |
/// | `write_duration_seconds` | timer | duration of an attempt to write a batch |
/// | `messages_undelivered_total` | counter | accepted messages that failed; dimension `fate`: `not_sent`, or `unknown` (they may arrive) |
/// | `volatile_dropped_total` | counter | volatile messages that were not written |
/// | `messages_received_total` | counter | messages of other nodes |
/// | `messages_ignored_total` | counter | those that were repeated, or for a namespace that this node does not have |
/// | `documents_skipped_total` | counter | skipped documents; dimension `reason`: `malformed` or `untrusted` (not signed by a known key) |
/// | `gaps_total` | counter | losses of messages |
/// | `messages_missed_total` | counter | messages that were lost, as far as their number is known |
/// | `contradictions_total` | counter | messages that no node can have written |
/// | `stream_reopens_total` | counter | times that the stream was reopened because own messages did not return |
/// | `incomplete_requests_total` | counter | requests that not all nodes have answered |
/// | `queued_messages` | gauge | messages that wait to be written |
/// | `pending_requests` | gauge | requests that wait for answers |
/// | `nodes` | gauge | nodes that are alive, this one included |
/// | `healthy` | gauge | 1 if the node takes part in the cluster, else 0 |
/// | `contested` | gauge | 1 while there are contradictions, else 0 |
public struct ClusterMetrics: Sendable {
    private let written: Counter
    private let batches: Counter
    private let writeFailures: Counter
    private let notSent: Counter
    private let unknown: Counter
    private let volatileDropped: Counter
    private let received: Counter
    private let ignored: Counter
    private let malformed: Counter
    private let untrusted: Counter
    private let gaps: Counter
    private let missed: Counter
    private let contradictions: Counter
    private let reopened: Counter
    private let incomplete: Counter
    private let queued: Gauge
    private let pending: Gauge
    private let nodes: Gauge
    private let healthy: Gauge
    private let contested: Gauge
    private let writeDuration: Timer

    /// Creates the metrics.
    ///
    /// - Parameter factory: The backend; nil means the one that is bootstrapped for the process.
    public init(factory: (any MetricsFactory)? = nil) {
        let factory = factory ?? MetricsSystem.factory
        func counter(_ name: String, _ dimensions: [(String, String)] = []) -> Counter {
            Counter(label: "socketio_cluster_\(name)", dimensions: dimensions, factory: factory)
        }
        func gauge(_ name: String) -> Gauge { Gauge(label: "socketio_cluster_\(name)", dimensions: [], factory: factory) }
        self.written = counter("messages_written_total")
        self.batches = counter("batches_written_total")
        self.writeFailures = counter("write_failures_total")
        self.notSent = counter("messages_undelivered_total", [("fate", "not_sent")])
        self.unknown = counter("messages_undelivered_total", [("fate", "unknown")])
        self.volatileDropped = counter("volatile_dropped_total")
        self.received = counter("messages_received_total")
        self.ignored = counter("messages_ignored_total")
        self.malformed = counter("documents_skipped_total", [("reason", "malformed")])
        self.untrusted = counter("documents_skipped_total", [("reason", "untrusted")])
        self.gaps = counter("gaps_total")
        self.missed = counter("messages_missed_total")
        self.contradictions = counter("contradictions_total")
        self.reopened = counter("stream_reopens_total")
        self.incomplete = counter("incomplete_requests_total")
        self.queued = gauge("queued_messages")
        self.pending = gauge("pending_requests")
        self.nodes = gauge("nodes")
        self.healthy = gauge("healthy")
        self.contested = gauge("contested")
        self.writeDuration = Timer(label: "socketio_cluster_write_duration_seconds", dimensions: [], factory: factory)
    }

    func attempted(_ messages: Int, _ outcome: BatchOutcome, took duration: Duration) {
        writeDuration.record(duration: duration)
        guard case .written = outcome else { return writeFailures.increment() }
        batches.increment()
        written.increment(by: messages)
    }

    func messageReceived(isWanted: Bool) {
        received.increment()
        if !isWanted { ignored.increment() }
    }

    func messageUndelivered(_ error: ClusterError) { (error.code == .unknown ? unknown : notSent).increment() }
    func volatileDropped(_ count: Int) { volatileDropped.increment(by: count) }
    func streamReopened() { reopened.increment() }
    func requestIncomplete() { incomplete.increment() }

    func happened(_ event: ClusterEvent) {
        switch event {
        case .gap(_, let count):
            gaps.increment()
            if let count { missed.increment(by: Int64(clamping: count)) }
        case .skipped: malformed.increment()
        case .contradiction: contradictions.increment()
        case .untrusted: untrusted.increment()
        case .health(let health):
            healthy.record(health.takesPart ? 1 : 0)
            contested.record(health == .contested ? 1 : 0)
        default: break
        }
    }

    func sample(waiting: Int, pending: Int, nodes: Int) {
        self.queued.record(waiting)
        self.pending.record(pending)
        self.nodes.record(nodes)
    }
}

extension Timer {
    fileprivate func record(duration: Duration) {
        let parts = duration.components
        recordNanoseconds(parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000)
    }
}
