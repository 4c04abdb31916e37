// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Benchmark
import InMemory
import SocketIOCore

/// The rooms of one event loop, and a broadcast to sockets that have no connection. Of each, what should not depend on the number of
/// sockets, and what may grow with it but no faster.
func roomBenchmarks() {
    let many = Benchmark.Configuration(metrics: [.wallClock, .throughput], scalingFactor: .kilo, maxDuration: .milliseconds(500))
    let once = Benchmark.Configuration(metrics: [.wallClock, .throughput], scalingFactor: .one, maxDuration: .milliseconds(500))
    for count in sizes {
        measure("rooms: join and leave a room of \(count)", many) {
            let namespace = MemoryNamespace()
            namespace.add(count, to: ["room"])
            namespace.add(1)
            let last = namespace.sockets[count]
            return {
                namespace.adapter.join(last, rooms: ["room"])
                namespace.adapter.leave(last, room: "room")
            }
        }
        measure("rooms: one socket among \(count)", many) {
            let namespace = MemoryNamespace()
            namespace.add(count, to: ["room"])
            return broadcast(to: BroadcastOptions(rooms: [namespace.sockets[count / 2].id]), in: namespace, try MemoryNamespace.message())
        }
        measure("broadcast: to all \(count)", once) {
            let namespace = MemoryNamespace()
            namespace.add(count)
            return broadcast(to: BroadcastOptions(), in: namespace, try MemoryNamespace.message())
        }
        measure("broadcast: to two rooms of \(count), except a third", once) {
            let namespace = MemoryNamespace()
            namespace.add(count / 2, to: ["one", "two"])
            namespace.add(count - count / 2, to: ["two"])
            namespace.add(1, to: ["one", "three"])
            let options = BroadcastOptions(rooms: ["one", "two"], except: ["three"])
            return broadcast(to: options, in: namespace, try MemoryNamespace.message())
        }
    }
}

private func broadcast(to options: BroadcastOptions, in namespace: MemoryNamespace, _ packet: BroadcastPacket) -> () -> Void {
    { namespace.adapter.deliver(packet, to: options) }
}

/// Measures what `prepare` returns; a namespace of a million sockets is made once.
private func measure(_ name: String, _ configuration: Benchmark.Configuration, _ prepare: @escaping () throws -> () -> Void) {
    Benchmark(
        name,
        configuration: configuration,
        closure: { (benchmark: Benchmark, work: () -> Void) in
            for _ in benchmark.scaledIterations { work() }
        },
        setup: prepare
    )
}
