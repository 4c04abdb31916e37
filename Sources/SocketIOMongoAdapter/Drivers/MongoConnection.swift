#if MongoDB
import Logging
import MongoClient
import SocketIOCore
import Synchronization

/// The client and the collection of an adapter, from its start to its end.
final class MongoConnection: Sendable {
    private struct Open {
        var client: MongoClient
        var collection: MongoCollection
    }

    let configuration: MongoAdapterConfiguration
    let metrics: MongoAdapterMetrics
    let format: any WireFormat
    private let state = Mutex<Open?>(nil)

    init(_ configuration: MongoAdapterConfiguration, format: any WireFormat) {
        self.configuration = configuration
        self.metrics = MongoAdapterMetrics(factory: configuration.metricsFactory)
        self.format = format
    }

    /// The collection, between start and end.
    var collection: MongoCollection? { state.withLock { $0?.collection } }

    /// Checks the configuration, sees what answers, and sets the collection up.
    func start(needsChangeStreams: Bool) async throws(MongoAdapterError) {
        try configuration.validate()
        let client = try makeClient()
        let name = configuration.database ?? client.defaultDatabase ?? "socketio"
        let collection = client.database(name).collection(configuration.collection)
        do throws(MongoAdapterError) {
            try await look(client, needsChangeStreams: needsChangeStreams)
            try await setUp(collection)
        } catch {
            await end(client)
            throw error
        }
        state.withLock { $0 = Open(client: client, collection: collection) }
    }

    private func makeClient() throws(MongoAdapterError) -> MongoClient {
        switch configuration.connection.value {
        case .client(let client): return client
        case .connectionString(let string):
            var options = MongoClientConfiguration(connectionString: string)
            options.applicationName = "swift-socketio"
            options.commandThreads = configuration.lanes + 2
            do throws(MongoError) { return try MongoClient(configuration: options, logger: configuration.logger) } catch {
                throw MongoAdapterError(.invalidConfiguration, "The connection string cannot be used. \(error.message)", cause: error)
            }
        }
    }

    private func look(_ client: MongoClient, needsChangeStreams: Bool) async throws(MongoAdapterError) {
        let hello: MongoHello
        do throws(MongoError) { hello = try await client.hello() } catch { throw MongoAdapterError(error, while: "connecting") }
        guard hello.hasChangeStreams || !needsChangeStreams else {
            let text =
                "The server is a standalone mongod, which has no change streams: start it as a replica set (one member is enough), "
                + "or set reading to .tailable and expiration to .capped"
            throw MongoAdapterError(.noChangeStreams, text)
        }
        guard hello.isRouter else { return }
        guard needsChangeStreams else {
            let text = "A tailable cursor cannot be used on a sharded cluster: set reading to .changeStream"
            throw MongoAdapterError(.invalidConfiguration, text)
        }
        if configuration.deafnessLimit < .seconds(30) {
            configuration.logger.warning(
                "the streams of a sharded cluster wait for its slowest shard: set deafnessLimit to 30 s or more",
                metadata: ["deafnessLimit": "\(configuration.deafnessLimit)"]
            )
        }
    }

    /// Creates what is missing in the collection. Also after somebody has dropped it.
    func setUp() async throws(MongoAdapterError) {
        guard let collection else { throw MongoAdapterError(.closed, "the adapter is closed") }
        try await setUp(collection)
    }

    private func setUp(_ collection: MongoCollection) async throws(MongoAdapterError) {
        metrics.collectionSetUp()
        try await CollectionSetUp(
            collection: collection,
            expiration: configuration.expiration,
            managesTTL: configuration.managesTTL,
            expiryField: format.expiryField
        ).run()
    }

    func close() async {
        let open = state.withLock { state in
            defer { state = nil }
            return state
        }
        if let open { await end(open.client) }
    }

    /// A client of the application's own stays open.
    private func end(_ client: MongoClient) async {
        if case .connectionString = configuration.connection.value { await client.close() }
    }
}
#endif
