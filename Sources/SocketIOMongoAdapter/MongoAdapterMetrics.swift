// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import Metrics

/// The metrics of the MongoDB side, in addition to those of ``SocketIOCluster/ClusterMetrics``.
struct MongoAdapterMetrics: Sendable {
    private let lag: Gauge
    private let opened: Counter
    private let openedAfterLoss: Counter
    private let setUps: Counter
    private let untrustedSessions: Counter

    /// Creates the metrics:
    ///
    /// - gauge `socketio_mongodb_lag_seconds`: the age of the newest message when it was read, by the clocks of the server and of this
    ///   process;
    /// - counter `socketio_mongodb_cursors_opened_total`, with the dimension `position`: `kept`, or `lost` if messages were missed;
    /// - counter `socketio_mongodb_collection_set_ups_total`: how often the collection and its index were created or checked;
    /// - counter `socketio_mongodb_sessions_untrusted_total`: stored sessions that are not signed with a known key.
    init(factory: (any MetricsFactory)?) {
        let factory = factory ?? MetricsSystem.factory
        func counter(_ name: String, _ dimensions: [(String, String)] = []) -> Counter {
            Counter(label: "socketio_mongodb_\(name)_total", dimensions: dimensions, factory: factory)
        }
        self.lag = Gauge(label: "socketio_mongodb_lag_seconds", dimensions: [], factory: factory)
        self.opened = counter("cursors_opened", [("position", "kept")])
        self.openedAfterLoss = counter("cursors_opened", [("position", "lost")])
        self.setUps = counter("collection_set_ups")
        self.untrustedSessions = counter("sessions_untrusted")
    }

    func read(lagMilliseconds: Int64) { lag.record(Double(max(0, lagMilliseconds)) / 1_000) }

    func cursorOpened(lost isLoss: Bool) { (isLoss ? openedAfterLoss : opened).increment() }

    func sessionUntrusted() { untrustedSessions.increment() }

    func collectionSetUp() { setUps.increment() }
}
#endif
