// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Benchmark
import InMemory
import NIOCore
import SocketIOCluster
import SocketIOCore
import SocketIOMongoClient

/// What a broadcast costs on its way to another node, without the way.
func clusterBenchmarks() {
    let header = ClusterHeader(
        id: MessageID(seconds: 1_700_000_000, process: 4711, counter: 1),
        kind: .broadcast,
        namespace: "/",
        origin: NodeIdentity(id: "node-1", epoch: 42)
    )
    for size in [64, 1_024, 65_536] {
        Benchmark("cluster: encode a broadcast of \(size) bytes") { benchmark in
            let body = ClusterBody.broadcast(try message(size), BroadcastOptions(rooms: ["room"], except: ["other"]))
            for _ in benchmark.scaledIterations { blackHole(try ClusterPayloadCoder.encode(body)) }
        }
        Benchmark("cluster: decode a broadcast of \(size) bytes") { benchmark in
            let body = ClusterBody.broadcast(try message(size), BroadcastOptions(rooms: ["room"], except: ["other"]))
            let bytes = try ClusterPayloadCoder.encode(body)
            for _ in benchmark.scaledIterations { blackHole(try ClusterPayloadCoder.decode(bytes, for: header)) }
        }
        #if MongoDB
        Benchmark("BSON: write a document with \(size) bytes of payload") { benchmark in
            let payload = ByteBuffer(repeating: 7, count: size)
            for _ in benchmark.scaledIterations { blackHole(document(payload)) }
        }
        Benchmark("BSON: read the header of a document with \(size) bytes of payload") { benchmark in
            let document = document(ByteBuffer(repeating: 7, count: size))
            for _ in benchmark.scaledIterations {
                blackHole(document["cluster"])
                blackHole(document["payload"])
            }
        }
        #endif
    }
}

private func message(_ size: Int) throws -> BroadcastPacket { try MemoryNamespace.message(String(repeating: "x", count: size)) }

#if MongoDB
private func document(_ payload: ByteBuffer) -> BSONDocument {
    var writer = BSONWriter(capacity: payload.readableBytes + 256)
    writer.append("cluster", "load")
    writer.append("origin", "node-1")
    writer.append("epoch", 42)
    writer.append("number", 4711)
    writer.append("payload", binary: payload)
    return writer.finish()
}
#endif
