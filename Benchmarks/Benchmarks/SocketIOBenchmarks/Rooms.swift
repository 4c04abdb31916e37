import Benchmark
import InMemory
import SocketIOCore

/// The rooms of one event loop, and a broadcast to sockets that have no connection. Of each, what should not depend on the number of
/// sockets, and what may grow with it but no faster.
func roomBenchmarks() {
    for count in sizes {
        let once = Benchmark.Configuration(
            metrics: [.wallClock, .throughput],
            scalingFactor: .one,
            maxDuration: .seconds(2),
            maxIterations: 100
        )
        Benchmark("rooms: join and leave a room of \(count)", configuration: .init(scalingFactor: .kilo)) { benchmark in
            let namespace = MemoryNamespace()
            namespace.add(count, to: ["room"])
            namespace.add(1)
            let last = namespace.sockets[count]
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations {
                namespace.adapter.join(last, rooms: ["room"])
                namespace.adapter.leave(last, room: "room")
            }
        }
        Benchmark("rooms: one socket among \(count)", configuration: .init(scalingFactor: .kilo)) { benchmark in
            let namespace = MemoryNamespace()
            namespace.add(count, to: ["room"])
            let packet = try MemoryNamespace.message()
            let options = BroadcastOptions(rooms: [namespace.sockets[count / 2].id])
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations { namespace.adapter.deliver(packet, to: options) }
        }
        Benchmark("broadcast: to all \(count)", configuration: once) { benchmark in
            let namespace = MemoryNamespace()
            namespace.add(count)
            let packet = try MemoryNamespace.message()
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations { namespace.adapter.deliver(packet, to: BroadcastOptions()) }
        }
        Benchmark("broadcast: to two rooms of \(count), except a third", configuration: once) { benchmark in
            let namespace = MemoryNamespace()
            namespace.add(count / 2, to: ["one", "two"])
            namespace.add(count - count / 2, to: ["two"])
            namespace.add(1, to: ["one", "three"])
            let packet = try MemoryNamespace.message()
            let options = BroadcastOptions(rooms: ["one", "two"], except: ["three"])
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations { namespace.adapter.deliver(packet, to: options) }
        }
    }
}
