// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
import SocketIOCluster
import SocketIOText

extension MongoAdapterConfiguration {
    /// Checks every value against its bounds.
    ///
    /// - Throws: ``MongoAdapterError`` with `invalidConfiguration`; its message names the value and says what it must be.
    public func validate() throws(MongoAdapterError) {
        try validateNames()
        try validateExpiration()
        try validateWireFormat()
        try validateSigning()
        try validateCluster()
        try check(maxAwaitTime, in: .milliseconds(10)...Duration.seconds(10), "maxAwaitTime")
        if let readBatchSize { try check(readBatchSize, in: 1...Int(Int32.max), "readBatchSize") }
        if case .client(let client) = connection.value {
            try require(
                client.configuration.commandThreads > cluster.lanes,
                "the client has \(client.configuration.commandThreads) command threads for \(cluster.lanes) lanes: add at least one"
            )
        }
    }

    private func validateNames() throws(MongoAdapterError) {
        if let database {
            let isValid = (1...63).contains(database.utf8.count) && !database.utf8.contains { "/\\. \"$*<>:|?\0".utf8.contains($0) }
            try require(isValid, "\"\(database)\" is not a valid database name: use 1 to 63 letters, digits, - and _")
        }
        let isValid =
            (1...120).contains(collection.utf8.count) && !collection.utf8.contains { "$\0".utf8.contains($0) }
            && !collection.hasPrefix("system.") && !collection.hasPrefix(".") && !collection.hasSuffix(".")
        try require(isValid, "\"\(collection)\" is not a valid collection name: use 1 to 120 letters, digits, -, _ and inner dots")
        try check(clusterName.utf8.count, in: 1...128, "the length of clusterName in bytes")
        guard let nodeID else { return }
        try check(nodeID.utf8.count, in: 1...128, "the length of nodeID in bytes")
        try require(
            !nodeID.hasPrefix(EmitterID.prefix),
            "nodeID must not begin with \"\(EmitterID.prefix)\", by which nodes and emitters are told apart: use another id"
        )
    }

    private func validateExpiration() throws(MongoAdapterError) {
        switch expiration.value {
        case .ttl(let duration):
            let isWhole = duration.components.attoseconds == 0
            try require(isWhole && (1...2_592_000).contains(duration.components.seconds), "a TTL must be whole seconds from 1 s to 30 days")
            try require(
                reading != .tailable,
                "a tailable cursor needs a capped collection: set expiration to .capped, or reading to .changeStream"
            )
        case .capped(let bytes):
            // The examples of Node.js make collections of a million bytes.
            let smallest = wireFormat == .native ? 1 << 20 : 1 << 16
            try check(bytes, in: smallest...1 << 40, "the size of the capped collection in bytes")
        }
    }

    private func validateWireFormat() throws(MongoAdapterError) {
        let format = makeWireFormat(epoch: 1)
        try require(
            reading != .tailable || format is any TailableWireFormat,
            "documents of the wire format \(format.traits.name) do not contain the primary's time, which a tailable cursor needs: "
                + "set reading to .changeStream"
        )
        try require(
            !cluster.snapshotsSessions || format.traits.keepsSnapshots,
            "nodes of other implementations do not support cluster.snapshotsSessions: turn it off, or set wireFormat to .native"
        )
        try require(
            wireFormat != .socketioxide || nodeID == nil,
            "with the wire format socketioxide, each start needs a new node id, because Rust nodes do not greet one that they know: "
                + "leave nodeID out for a random one"
        )
    }

    private func validateSigning() throws(MongoAdapterError) {
        guard !signingKeys.isEmpty else {
            return try require(
                !acceptsUnsigned,
                "acceptsUnsigned has no effect without signingKeys: set signingKeys, or leave acceptsUnsigned out"
            )
        }
        try require(
            wireFormat == .native,
            "nodes of other implementations do not support signatures: leave signingKeys empty, or set wireFormat to .native"
        )
        try check(signingKeys.count, in: 1...8, "the number of signingKeys")
        try require(
            cluster.writeTimeout <= .seconds(Signer.oldest / 2),
            "signed messages older than \(Signer.oldest) s are not read: set cluster.writeTimeout to at most half of that"
        )
        for key in signingKeys { try check(key.bytes.count, in: SigningKey.sizes, "the length of a signing key in bytes") }
    }

    private func validateCluster() throws(MongoAdapterError) {
        do throws(ClusterError) { try cluster.validate() } catch {
            throw MongoAdapterError(.invalidConfiguration, "cluster.\(error.message)")
        }
    }

    private func check<Value: Comparable>(_ value: Value, in bounds: ClosedRange<Value>, _ name: String) throws(MongoAdapterError) {
        let limits = "\(bounds.lowerBound) to \(bounds.upperBound)"
        try require(bounds.contains(value), "\(name) must be \(limits), not \(value)")
    }

    private func require(_ holds: Bool, _ message: @autoclosure () -> String) throws(MongoAdapterError) {
        guard !holds else { return }
        throw MongoAdapterError(.invalidConfiguration, message())
    }
}
#endif
