// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import Metrics

/// The metrics of the MongoDB side, beside those of ``SocketIOCluster/ClusterMetrics``.
struct MongoAdapterMetrics: Sendable {
    private let lag: Gauge
    private let opened: Counter
    private let lost: Counter
    private let setUps: Counter
    private let untrustedSessions: Counter

    /// Gauge `socketio_mongodb_lag_seconds` (how old the newest message was when it was read, by the clocks of the server and of this
    /// process), counters `socketio_mongodb_cursors_opened`, `…_cursors_opened_with_loss`, `…_collection_set_ups`,
    /// `…_sessions_untrusted` (stored sessions that are not signed with a known key).
    init(factory: (any MetricsFactory)?) {
        let factory = factory ?? MetricsSystem.factory
        self.lag = Gauge(label: "socketio_mongodb_lag_seconds", dimensions: [], factory: factory)
        self.opened = Counter(label: "socketio_mongodb_cursors_opened", dimensions: [], factory: factory)
        self.lost = Counter(label: "socketio_mongodb_cursors_opened_with_loss", dimensions: [], factory: factory)
        self.untrustedSessions = Counter(label: "socketio_mongodb_sessions_untrusted", dimensions: [], factory: factory)
        self.setUps = Counter(label: "socketio_mongodb_collection_set_ups", dimensions: [], factory: factory)
    }

    func read(lagMilliseconds: Int64) { lag.record(Double(max(0, lagMilliseconds)) / 1_000) }

    func cursorOpened(lost isLoss: Bool) {
        opened.increment()
        if isLoss { lost.increment() }
    }

    func sessionUntrusted() { untrustedSessions.increment() }

    func collectionSetUp() { setUps.increment() }
}
#endif
