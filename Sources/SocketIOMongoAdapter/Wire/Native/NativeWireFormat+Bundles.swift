// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
package import SocketIOCluster
import SocketIOMessagePack
import SocketIOMongoClient
import NIOCore
import SocketIOCore
import SocketIOText

/// Several small messages in one document, so that the costs of a document for the database, its index and each stream are paid only
/// once.
///
/// Only adjacent messages of a batch are combined, so the order is kept; each keeps its own number and id. The same batch is always
/// combined in the same way, because it may be written again.
extension NativeWireFormat {
    /// The kind of documents with several messages.
    static let bundleKind: Int32 = -2
    /// The largest sum of messages in one document.
    private static let bundleBytes = 64 << 10
    /// An upper bound for the size of a document's fields without its messages.
    private static let headerBytes = 1_024
    /// The largest number of messages in one document.
    static let bundleMessages = 1_000

    package func encode(_ batch: [ClusterMessage], createdAt milliseconds: Int64, limit: Int) -> EncodedBatch {
        var encoded = EncodedBatch(limit: limit)
        var bundle = Bundle()
        do {
            for message in batch {
                let payload = try ClusterPayloadCoder.encode(message.body)
                if !bundle.hasRoom(for: message.header, payload, min(Self.bundleBytes, limit - Self.headerBytes)) {
                    try finish(&bundle, into: &encoded, milliseconds)
                }
                try bundle.append(message.header, payload)
            }
            try finish(&bundle, into: &encoded, milliseconds)
        } catch {
            // The messages before the one that cannot be written can be sent.
            try? finish(&bundle, into: &encoded, milliseconds)
            encoded.refuse(error)
        }
        return encoded
    }

    private func finish(_ bundle: inout Bundle, into encoded: inout EncodedBatch, _ milliseconds: Int64) throws {
        defer { bundle = Bundle() }
        guard let header = bundle.first else { return }
        let count = bundle.count
        let document =
            count == 1
            ? document(of: header, bundle.payload, createdAt: milliseconds)
            : document(of: bundle, header, createdAt: milliseconds)
        try encoded.append([document], messages: count)
    }

    private func document(of bundle: Bundle, _ header: ClusterHeader, createdAt milliseconds: Int64) -> BSONDocument {
        let data = bundle.entries.buffer
        return BSONDocument(capacity: data.readableBytes + bundle.ids.readableBytes + 256) { document in
            begin(&document, header, kind: Self.bundleKind)
            if let lane = header.stamp?.lane { document.append("lane", Int32(lane)) }
            document.append("ids", binary: bundle.ids)
            document.append("createdAt", dateMilliseconds: milliseconds)
            document.append("ts", BSONTimestamp(time: 0, increment: 0))
            document.append("data", binary: data)
            guard let signer else { return }
            let kind = Self.bundleKind
            let content = SignedContent(header, kind: kind, version: Self.version, cluster: cluster, ids: bundle.ids, data: data)
            document.append("sig", binary: signer.sign(content))
        }
    }

    /// Messages that go into one document.
    private struct Bundle {
        var first: ClusterHeader?
        var payload = ByteBuffer()
        var count = 0
        var ids = ByteBuffer()
        var entries = MessagePackWriter()

        func hasRoom(for header: ClusterHeader, _ payload: ByteBuffer, _ limit: Int) -> Bool {
            guard let first else { return true }
            return first.stamp != nil && header.stamp?.lane == first.stamp?.lane && header.target == first.target
                && header.origin == first.origin && count < bundleMessages
                && size + Self.size(header, payload) <= limit
        }

        private var size: Int {
            if count == 1, let first { return Self.size(first, payload) }
            return entries.buffer.readableBytes + ids.readableBytes
        }

        /// At least what a message takes.
        private static func size(_ header: ClusterHeader, _ payload: ByteBuffer) -> Int {
            payload.readableBytes + header.namespace.utf8.count + 20 * (header.stamp?.void.count ?? 0) + 64
        }

        mutating func append(_ header: ClusterHeader, _ payload: ByteBuffer) throws {
            if let first, count == 1 { try write(first, self.payload) }
            count += 1
            guard first != nil else {
                first = header
                self.payload = payload
                return
            }
            try write(header, payload)
        }

        private mutating func write(_ header: ClusterHeader, _ payload: ByteBuffer) throws {
            header.id.write(to: &ids)
            try entries.writeArrayHeader(count: 6)
            entries.write(UInt64(header.kind.rawValue))
            try entries.write(header.namespace)
            if let request = header.request { try entries.write(binary: ByteBuffer(request)) } else { entries.writeNil() }
            entries.write(header.stamp?.number ?? 0)
            let void = header.stamp?.void ?? []
            try entries.writeArrayHeader(count: 2 * void.count)
            for range in void {
                entries.write(range.lowerBound)
                entries.write(range.upperBound)
            }
            try entries.write(binary: payload)
        }
    }
}
#endif
