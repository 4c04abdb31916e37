// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
import SocketIOCluster
import SocketIOCore
@testable import SocketIOMongoAdapter
import Testing

@Suite("Configuration")
struct ConfigurationTests {
    private static let wrong: [@Sendable (inout MongoAdapterConfiguration) -> Void] = [
        { $0.database = "" },
        { $0.database = "a.b" },
        { $0.database = String(repeating: "a", count: 64) },
        { $0.collection = "" },
        { $0.collection = "a$b" },
        { $0.collection = "system.users" },
        { $0.clusterName = "" },
        { $0.clusterName = String(repeating: "a", count: 129) },
        { $0.nodeID = "" },
        { $0.expiration = .ttl(.milliseconds(1_500)) },
        { $0.expiration = .ttl(.zero) },
        { $0.expiration = .capped(bytes: 1_000) },
        { $0.reading = .tailable },
        { $0.cluster.heartbeatInterval = .zero },
        { $0.cluster.heartbeatTimeout = .seconds(9) },
        { $0.cluster.requestTimeout = .zero },
        { $0.cluster.writeTimeout = .zero },
        { $0.cluster.deafnessTimeout = .zero },
        { $0.cluster.settleTime = .seconds(61) },
        { $0.cluster.settleTime = .milliseconds(-1) },
        { $0.cluster.settleTimeout = .milliseconds(299) },
        { $0.cluster.settleTimeout = .seconds(3_601) },
        { $0.cluster.maximumPendingRequests = 0 },
        { $0.cluster.maximumSocketsPerAnswer = 0 },
        { $0.cluster.maximumSocketsPerAnswer = 100_001 },
        { $0.cluster.lanes = 0 },
        { $0.cluster.lanes = 65 },
        { $0.cluster.maximumBatchMessages = 0 },
        { $0.cluster.maximumBatchBytes = 16_000_000 },
        { $0.cluster.maximumQueuedMessages = 0 },
        { $0.cluster.pacing = WritePacing(batchMessages: 0, messagesPerSecond: 1) },
        { $0.cluster.pacing = WritePacing(batchMessages: 1, messagesPerSecond: 0) },
        { $0.cluster.maximumQueuedBytes = 0 },
        { $0.cluster.maximumBufferedAcknowledgements = 0 },
        { $0.maxAwaitTime = .seconds(11) },
        { $0.readBatchSize = 0 },
    ]

    @Test(arguments: wrong.indices)
    func `What is out of bounds is told, and ends the start before anything is connected`(index: Int) async throws {
        var configuration = MongoAdapterConfiguration(connectionString: "mongodb://127.0.0.1:1/")
        try configuration.validate()
        Self.wrong[index](&configuration)
        let error = #expect(throws: MongoAdapterError.self) { try configuration.validate() }
        #expect(error?.code == .invalidConfiguration)
        let adapter = MongoAdapter(configuration)
        let thrown = await #expect(throws: MongoAdapterError.self) { try await adapter.start() }
        #expect(thrown?.code == .invalidConfiguration)
        await adapter.close()
    }

    @Test
    func `What is configured reaches the node`() {
        var configuration = MongoAdapterConfiguration(connectionString: "mongodb://127.0.0.1:1/")
        configuration.cluster.settleTime = .milliseconds(7)
        configuration.cluster.settleTimeout = .seconds(8)
        configuration.cluster.maximumPendingRequests = 9
        configuration.cluster.maximumSocketsPerAnswer = 10
        var traits = WireFormatTraits(name: "test")
        let cluster = configuration.clusterConfiguration(traits)
        #expect(cluster.settleTime == .milliseconds(7) && cluster.settleTimeout == .seconds(8))
        #expect(cluster.maximumPendingRequests == 9 && cluster.maximumSocketsPerAnswer == 10)
        traits.socketsPerAnswer = .max
        #expect(configuration.clusterConfiguration(traits).maximumSocketsPerAnswer == .max)
    }

    @Test
    func `A malformed connection string is told at the start`() async {
        let adapter: any AdapterFactory = Self.take(.mongo("http://nowhere"))
        let error = await #expect(throws: MongoAdapterError.self) { try await adapter.start() }
        #expect(error?.code == .invalidConfiguration)
    }

    private static func take(_ adapter: any AdapterFactory) -> any AdapterFactory { adapter }

    @Test(.timeLimit(.minutes(1)))
    func `Nobody there: the start ends soon and says what to look at`() async {
        let adapter = MongoAdapter(.init(connectionString: "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300"))
        let error = await #expect(throws: MongoAdapterError.self) { try await adapter.start() }
        #expect(error?.code == .unreachable)
        #expect(error?.message.contains("127.0.0.1:1") == true)
        #expect(adapter.health == .starting)
    }

    @Test
    func `An adapter that has not started writes nothing`() async {
        let adapter = MongoAdapter(.init(connectionString: "mongodb://127.0.0.1:1/"))
        let driver = ChangeStreamDriver(connection: .init(.init(connectionString: ""), format: NativeWireFormat(cluster: "a")))
        guard case .notWritten = await driver.emit([NativeWireFormatTests.message(NativeWireFormatTests.broadcast())]) else {
            Issue.record("it says that it has written")
            return
        }
        await adapter.close()
    }

    @Test
    func `A document may take a quarter of a capped collection`() {
        var configuration = MongoAdapterConfiguration(connectionString: "")
        #expect(configuration.documentLimit == 15 << 20)
        configuration.expiration = .capped(bytes: 1 << 20)
        #expect(configuration.documentLimit == 1 << 18)
        configuration.expiration = .capped
        #expect(configuration.documentLimit == 15 << 20)
    }

    // MARK: Wire formats

    @Test
    func `With the format of Rust, ids are theirs and sessions are not recovered; a tailable cursor cannot be`() throws {
        var configuration = MongoAdapterConfiguration.socketioxide(connectionString: "mongodb://127.0.0.1:1/")
        try configuration.validate()
        #expect(configuration.collection == "socket.io-adapter")
        let adapter = MongoAdapter(configuration)
        #expect(adapter.socketIDLength == 16)
        #expect(!adapter.recoversSessions)
        #expect(SocketioxideWireFormat.isValid(id: adapter.node.id))
        #expect(MongoAdapter(configuration).node.id != adapter.node.id)
        configuration.nodeID = "JwHwE7LsRm-G3Ana"
        let refusal = #expect(throws: MongoAdapterError.self) { try configuration.validate() }
        #expect(refusal?.message.contains("leave nodeID out") == true)
        configuration.nodeID = nil
        configuration.expiration = .capped
        configuration.reading = .tailable
        let error = #expect(throws: MongoAdapterError.self) { try configuration.validate() }
        #expect(error?.message.contains("socketioxide") == true)
    }

    @Test
    func `With the format of Rust, messages are written slowly and each missing answer is reported; the configuration may say otherwise`() {
        var configuration = MongoAdapterConfiguration.socketioxide(connectionString: "mongodb://127.0.0.1:1/")
        let traits = configuration.makeWireFormat(epoch: 1).traits
        let cluster = configuration.clusterConfiguration(traits)
        #expect(cluster.pacing == WritePacing(batchMessages: 64, messagesPerSecond: 1_280))
        #expect(cluster.reportsEachMissingAcknowledgement)
        configuration.cluster.pacing = .unlimited
        #expect(configuration.clusterConfiguration(traits).pacing == .unlimited)
        let native = MongoAdapterConfiguration(connectionString: "")
        let other = native.clusterConfiguration(native.makeWireFormat(epoch: 1).traits)
        #expect(other.pacing == nil && !other.reportsEachMissingAcknowledgement)
    }

    @Test
    func `With the native format, nothing is asked of others`() {
        let adapter = MongoAdapter(.init(connectionString: "mongodb://127.0.0.1:1/"))
        #expect(adapter.socketIDLength == 15)
        #expect(adapter.recoversSessions)
    }

    // MARK: What is there already

    private static func describe(_ type: String = "collection", size: Int? = nil, maximum: Int? = nil) -> CollectionDescription {
        CollectionDescription(
            BSONDocument { entry in
                entry.append("name", "c")
                entry.append("type", type)
                entry.appendDocument("options") { options in
                    guard let size else { return }
                    options.append("capped", true)
                    options.append("size", size)
                    if let maximum { options.append("max", Int32(maximum)) }
                }
            }
        )
    }

    @Test
    func `A collection with other options is told, with what to do`() {
        #expect(Self.describe().difference(from: .ttl) == nil)
        #expect(Self.describe(size: 1 << 20).difference(from: .ttl)?.contains("capped(bytes: 1048576)") == true)
        #expect(Self.describe("view").difference(from: .ttl)?.contains("view") == true)
        #expect(Self.describe().difference(from: .capped)?.contains("not capped") == true)
        #expect(Self.describe(size: 1 << 20).difference(from: .capped(bytes: 1 << 20)) == nil)
        #expect(Self.describe(size: (1 << 20) + 256).difference(from: .capped(bytes: (1 << 20) + 1)) == nil)
        #expect(Self.describe(size: 1 << 20).difference(from: .capped(bytes: 1 << 21)) != nil)
        #expect(Self.describe(size: 1 << 20, maximum: 5).difference(from: .capped(bytes: 1 << 20))?.contains("5 documents") == true)
    }
}
#endif
