// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import Metrics
import SocketIOCore

/// The metrics of a node (swift-metrics).
public struct ClusterMetrics: Sendable {
    private let written: Counter
    private let batches: Counter
    private let failedAttempts: Counter
    private let received: Counter
    private let ignored: Counter
    private let skipped: Counter
    private let gaps: Counter
    private let contradictions: Counter
    private let untrusted: Counter
    private let missed: Counter
    private let reopened: Counter
    private let incomplete: Counter
    private let waiting: Gauge
    private let pending: Gauge
    private let nodes: Gauge
    private let healthy: Gauge
    private let contested: Gauge
    private let writeTime: Timer

    /// Makes the metrics: counters `socketio_cluster_messages_written`, `…_batches_written`, `…_failed_writes`, `…_messages_received`,
    /// `…_messages_ignored` (repeated, or for a namespace that this node does not have), `…_documents_skipped`,
    /// `…_documents_untrusted` (not signed with a known key), `…_gaps`, `…_messages_missed`, `…_contradictions` (what no node can have
    /// written), `…_streams_reopened`, `…_incomplete_requests`; gauges `…_messages_waiting`, `…_requests_pending`, `…_nodes`, `…_healthy`
    /// (1 if the node takes part, else 0), `…_contested` (1 while there are contradictions); timer `…_write_time`.
    ///
    /// - Parameter factory: The backend; the one bootstrapped for the process if nil.
    public init(factory: (any MetricsFactory)? = nil) {
        let factory = factory ?? MetricsSystem.factory
        func counter(_ name: String) -> Counter { Counter(label: "socketio_cluster_\(name)", dimensions: [], factory: factory) }
        func gauge(_ name: String) -> Gauge { Gauge(label: "socketio_cluster_\(name)", dimensions: [], factory: factory) }
        self.written = counter("messages_written")
        self.batches = counter("batches_written")
        self.failedAttempts = counter("failed_writes")
        self.received = counter("messages_received")
        self.ignored = counter("messages_ignored")
        self.skipped = counter("documents_skipped")
        self.gaps = counter("gaps")
        self.contradictions = counter("contradictions")
        self.untrusted = counter("documents_untrusted")
        self.missed = counter("messages_missed")
        self.reopened = counter("streams_reopened")
        self.incomplete = counter("incomplete_requests")
        self.waiting = gauge("messages_waiting")
        self.pending = gauge("requests_pending")
        self.nodes = gauge("nodes")
        self.healthy = gauge("healthy")
        self.contested = gauge("contested")
        self.writeTime = Timer(label: "socketio_cluster_write_time", dimensions: [], factory: factory)
    }

    func attempted(_ messages: Int, _ outcome: BatchOutcome, took duration: Duration) {
        writeTime.record(duration: duration)
        guard case .written = outcome else { return failedAttempts.increment() }
        batches.increment()
        written.increment(by: messages)
    }

    func messageReceived(isWanted: Bool) {
        received.increment()
        if !isWanted { ignored.increment() }
    }

    func streamReopened() { reopened.increment() }
    func requestIncomplete() { incomplete.increment() }

    func happened(_ event: ClusterEvent) {
        switch event {
        case .gap(_, let count):
            gaps.increment()
            if let count { missed.increment(by: Int64(clamping: count)) }
        case .skipped: skipped.increment()
        case .contradiction: contradictions.increment()
        case .untrusted: untrusted.increment()
        case .health(let health):
            healthy.record(health.takesPart ? 1 : 0)
            contested.record(health == .contested ? 1 : 0)
        default: break
        }
    }

    func sample(waiting: Int, pending: Int, nodes: Int) {
        self.waiting.record(waiting)
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
