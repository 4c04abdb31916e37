import Metrics

/// What a server counts, for swift-metrics. All labels start with `socketio_`.
struct SocketIOMetrics: Sendable {
    /// A number that only grows.
    struct Total: Sendable {
        private let counter: Counter

        init(_ name: String) { self.counter = Counter(label: "socketio_\(name)_total") }

        func increment(by amount: Int = 1) { counter.increment(by: amount) }
    }

    let connects = Total("connects")
    let disconnects = Total("disconnects")
    let eventsReceived = Total("events_received")
    let eventsSent = Total("events_sent")
    let lateAcknowledgements = Total("acks_late")
    let duplicateAcknowledgements = Total("acks_duplicate")
    let droppedVolatile = Total("volatile_dropped")
    let recoveredSessions = Total("sessions_recovered")
    let expiredSessions = Total("sessions_expired")
    let errors = Total("errors")
}
