// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Benchmark
import EngineIOCore
import NIOCore
import SocketIOCore
import SocketIOMessagePack

private struct Message: Codable, Sendable {
    var id = 4711
    var author = "Ada Lovelace"
    var text = String(repeating: "x", count: 64)
    var tags = ["one", "two", "three"]
    var isRead = false
    var score = 0.75
}

/// Packets, arguments and MessagePack.
func codecBenchmarks() {
    for format in PacketFormat.allCases {
        let encoder = PacketEncoder(format: format)
        Benchmark("packet: encode an event of 64 bytes, \(format)") { benchmark in
            let text = String(repeating: "x", count: 64)
            for _ in benchmark.scaledIterations { blackHole(try encoder.event("msg", namespace: "/") { try $0.append(text) }) }
        }
        Benchmark("packet: encode an object, \(format)") { benchmark in
            let message = Message()
            for _ in benchmark.scaledIterations { blackHole(try encoder.event("msg", namespace: "/chat") { try $0.append(message) }) }
        }
        Benchmark("packet: decode an event of 64 bytes and its argument, \(format)") { benchmark in
            let packet = try encoder.event("msg", namespace: "/", id: 7) { try $0.append(String(repeating: "x", count: 64)) }
            for _ in benchmark.scaledIterations { blackHole(try decode(packet, format, as: String.self)) }
        }
        Benchmark("packet: decode an object, \(format)") { benchmark in
            let packet = try encoder.event("msg", namespace: "/chat") { try $0.append(Message()) }
            for _ in benchmark.scaledIterations { blackHole(try decode(packet, format, as: Message.self)) }
        }
    }
    let parts = 16
    Benchmark("payload: \(parts) packets of 64 bytes for long-polling") { benchmark in
        let packet = try PacketEncoder(format: .json).event("msg", namespace: "/") { try $0.append(String(repeating: "x", count: 64)) }
        for _ in benchmark.scaledIterations {
            var payload = ByteBuffer()
            for _ in 0..<parts { packet.writePolling(to: &payload) }
            blackHole(payload)
        }
    }
    messagePackBenchmarks()
}

private func decode<T: Decodable>(_ packet: EncodedPacket, _ format: PacketFormat, as type: T.Type) throws -> T? {
    var decoder = PacketDecoderStateMachine(format: format)
    let received = packet.isBinary ? try decoder.receive(binary: packet.message) : try decoder.receive(text: packet.message)
    guard case .event(_, let arguments, _)? = received?.content else { return nil }
    return try arguments.decode(type, at: 0)
}

private func messagePackBenchmarks() {
    Benchmark("MessagePack: encode an object") { benchmark in
        let message = Message()
        for _ in benchmark.scaledIterations { blackHole(try MessagePackEncoder().encode(message)) }
    }
    Benchmark("MessagePack: decode an object") { benchmark in
        let bytes = try MessagePackEncoder().encode(Message())
        for _ in benchmark.scaledIterations { blackHole(try MessagePackDecoder().decode(Message.self, from: bytes)) }
    }
    for count in [10, 100, 1_000, 10_000] {
        Benchmark("MessagePack: decode \(count) integers", configuration: .init(scalingFactor: .one)) { benchmark in
            let bytes = try MessagePackEncoder().encode(Array(0..<count))
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations { blackHole(try MessagePackDecoder().decode([Int].self, from: bytes)) }
        }
    }
}
