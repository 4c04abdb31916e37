// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
import SocketIOCluster
import SocketIOCore
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
        try validateTimes()
        try check(lanes, in: 1...64, "lanes")
        try check(batchMessages, in: 1...10_000, "batchMessages")
        try check(batchBytes, in: 1_000...15_000_000, "batchBytes")
        try check(queueMessages, in: 1...Int.max, "queueMessages")
        try check(queueBytes, in: 1...Int.max, "queueBytes")
        try check(acknowledgementBuffer, in: 1...Int.max, "acknowledgementBuffer")
        try check(maximumAnswerBytes, in: 1...Int.max, "maximumAnswerBytes")
        try check(maximumPendingRequests, in: 1...Int.max, "maximumPendingRequests")
        try check(socketsPerAnswer, in: 1...100_000, "socketsPerAnswer")
        if let readBatchSize { try check(readBatchSize, in: 1...Int(Int32.max), "readBatchSize") }
        if case .client(let client) = connection.value {
            try require(
                client.configuration.commandThreads > lanes,
                "the client has \(client.configuration.commandThreads) command threads for \(lanes) lanes: give it at least one more"
            )
        }
    }

    private func validateNames() throws(MongoAdapterError) {
        if let database {
            let isValid = (1...63).contains(database.utf8.count) && !database.utf8.contains { "/\\. \"$*<>:|?\0".utf8.contains($0) }
            try require(isValid, "\"\(database)\" is no name of a database: use 1 to 63 letters, digits, - and _")
        }
        let isValid =
            (1...120).contains(collection.utf8.count) && !collection.utf8.contains { "$\0".utf8.contains($0) }
            && !collection.hasPrefix("system.") && !collection.hasPrefix(".") && !collection.hasSuffix(".")
        try require(isValid, "\"\(collection)\" is no name of a collection: use 1 to 120 letters, digits, -, _ and inner dots")
        try check(cluster.utf8.count, in: 1...128, "the length of cluster in bytes")
        if let nodeID { try check(nodeID.utf8.count, in: 1...128, "the length of nodeID in bytes") }
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
            "the documents of the wire format \(format.traits.name) have no time of the primary, which a tailable cursor needs: "
                + "set reading to .changeStream"
        )
        try require(
            !snapshotsSessions || format.traits.keepsSnapshots,
            "nodes of other kinds know nothing of snapshotsSessions: turn it off, or set wireFormat to .native"
        )
        guard wireFormat == .socketioxide, let nodeID else { return }
        try require(
            SocketioxideWireFormat.isValid(id: nodeID),
            "with the wire format socketioxide, nodeID must have 16 characters of A-Z, a-z, 0-9, - and _; leave it out for a random one"
        )
    }

    private func validateSigning() throws(MongoAdapterError) {
        guard !signingKeys.isEmpty else {
            return try require(!acceptsUnsigned, "acceptsUnsigned has no meaning without signingKeys: set those, or leave it out")
        }
        try require(
            wireFormat == .native,
            "nodes of other kinds know no signatures: leave signingKeys empty, or set wireFormat to .native"
        )
        try check(signingKeys.count, in: 1...8, "the number of signingKeys")
        try require(
            writeDeadline <= .seconds(Signer.oldest / 2),
            "signed messages are not read when they are older than \(Signer.oldest) s: set writeDeadline to half of that at most"
        )
        for key in signingKeys { try check(key.bytes.count, in: SigningKey.sizes, "the length of a signing key in bytes") }
    }

    /// What signs and checks documents; nil if nothing does.
    var signer: Signer? { Signer(keys: signingKeys, acceptsUnsigned: acceptsUnsigned) }

    private func validateTimes() throws(MongoAdapterError) {
        try check(heartbeatInterval, in: .milliseconds(100)...Duration.seconds(3_600), "heartbeatInterval")
        try check(
            heartbeatTimeout,
            in: heartbeatInterval * 2...Duration.seconds(86_400),
            "heartbeatTimeout, at least twice heartbeatInterval,"
        )
        try check(requestTimeout, in: .milliseconds(1)...Duration.seconds(86_400), "requestTimeout")
        try check(settleTime, in: .zero...Duration.seconds(60), "settleTime")
        try check(settleLimit, in: settleTime...Duration.seconds(3_600), "settleLimit, at least settleTime,")
        try check(writeDeadline, in: .seconds(1)...Duration.seconds(86_400), "writeDeadline")
        try check(deafnessLimit, in: .seconds(1)...Duration.seconds(86_400), "deafnessLimit")
        try check(closeTimeout, in: .seconds(1)...Duration.seconds(3_600), "closeTimeout")
        try check(unreachableCloseTimeout, in: .seconds(1)...Duration.seconds(3_600), "unreachableCloseTimeout")
        try check(maxAwaitTime, in: .milliseconds(10)...Duration.seconds(10), "maxAwaitTime")
    }

    private func check<Value: Comparable>(_ value: Value, in bounds: ClosedRange<Value>, _ name: String) throws(MongoAdapterError) {
        let limits = "\(bounds.lowerBound) to \(bounds.upperBound)"
        try require(bounds.contains(value), "\(name) must be \(limits), not \(value)")
    }

    private func require(_ holds: Bool, _ message: @autoclosure () -> String) throws(MongoAdapterError) {
        guard !holds else { return }
        throw MongoAdapterError(.invalidConfiguration, message())
    }

    /// Makes the format of a node.
    ///
    /// - Parameter epoch: The node's first epoch.
    func makeWireFormat(epoch: UInt64) -> any SocketIOMongoAdapter.WireFormat {
        switch wireFormat.value {
        case .native: NativeWireFormat(cluster: cluster, signer: signer)
        case .nodeJS: NodeJSWireFormat(addsCreatedAt: !expiration.isCapped, life: epoch)
        case .socketioxide: SocketioxideWireFormat(hasDates: !expiration.isCapped)
        }
    }

    /// What the node needs to know of it.
    func clusterConfiguration(_ traits: WireFormatTraits) -> ClusterConfiguration {
        var result = ClusterConfiguration()
        result.announcesNamespaces = traits.announcesNamespaces
        result.unwrittenKinds = traits.unwrittenKinds
        result.heartbeatInterval = heartbeatInterval
        result.heartbeatTimeout = heartbeatTimeout
        result.requestTimeout = requestTimeout
        result.settleTime = settleTime
        result.settleTimeout = settleLimit
        result.maximumPendingRequests = maximumPendingRequests
        // A format that knows no parts has one answer only.
        result.maximumSocketsPerAnswer = traits.socketsPerAnswer == .max ? .max : socketsPerAnswer
        result.writeTimeout = writeDeadline
        result.deafnessTimeout = deafnessLimit
        result.closeTimeout = closeTimeout
        result.unreachableCloseTimeout = unreachableCloseTimeout
        result.maximumAnswerBytes = maximumAnswerBytes
        result.maximumBufferedAcknowledgements = acknowledgementBuffer
        result.lanes = lanes
        result.snapshotsSessions = snapshotsSessions
        result.maximumBatchMessages = batchMessages
        result.maximumBatchBytes = max(1, batchBytes / traits.expansion)
        result.maximumQueuedMessages = queueMessages
        result.maximumQueuedBytes = queueBytes
        return result
    }

    /// The largest document. A quarter of a capped collection, so that no few messages push out all others.
    var documentLimit: Int {
        let limit = 15 << 20
        guard case .capped(let bytes) = expiration.value else { return limit }
        return max(1, min(limit, bytes / 4))
    }
}
#endif
