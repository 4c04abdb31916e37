// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import InMemory
import SocketIOCore

/// What `scripts/check-broadcast-cost` counts the instructions of: broadcasts to 100 sockets of a room, while there is much else.
@inline(never)
func measuredBroadcasts() {
    guard let prepared else { return }
    for _ in 0..<prepared.count {
        prepared.namespace.adapter.deliver(prepared.packet, to: BroadcastOptions(rooms: ["addressed"]))
    }
}

private struct Prepared {
    var namespace: MemoryNamespace
    var packet: BroadcastPacket
    var count: Int
}

nonisolated(unsafe) private var prepared: Prepared?

@main
enum BroadcastCost {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count == 2, let kind = arguments.first, let others = arguments.last.flatMap({ Int($0) }) else {
            return print("usage: BroadcastCost sockets|rooms|namespaces COUNT")
        }
        let namespace = MemoryNamespace()
        namespace.add(100, to: ["addressed"])
        var namespaces: [MemoryNamespace] = []
        switch kind {
        case "sockets": namespace.add(others)
        case "rooms": namespace.addAlone(others)
        default:
            for _ in 0..<others {
                namespaces.append(MemoryNamespace())
                namespaces.last?.add(1, to: ["addressed"])
            }
        }
        prepared = Prepared(namespace: namespace, packet: try MemoryNamespace.message(), count: 1)
        // What the first broadcast sets up is not counted.
        namespace.adapter.deliver(try MemoryNamespace.message(), to: BroadcastOptions(rooms: ["addressed"]))
        prepared?.count = 100
        measuredBroadcasts()
        print(namespace.sockets.prefix(100).reduce(0) { $0 + $1.delivered })
    }
}
