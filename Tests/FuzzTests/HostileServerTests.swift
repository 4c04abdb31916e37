// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOCore
import SocketIOFuzzTargets
import Testing

/// Packets, messages and documents of all kinds, damaged in all ways, against a server with clients that is a node of a cluster.
@Suite("Hostile packets and documents", .serialized)
struct HostileServerTests {
    private func play(_ script: FuzzScript, _ text: @autoclosure () -> String) throws {
        let bytes = Array(script.bytes.readableBytesView)
        do { try bytes.withUnsafeBytes { try FuzzTarget.server.run($0) } } catch {
            Issue.record("\(text()): \(error)")
            throw error
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: PacketFormat.allCases)
    func `thousands of damaged packets, messages and documents harm nobody`(format: PacketFormat) async throws {
        try await FuzzTarget.server.prepare()
        for seed: UInt64 in 1...3 {
            var scripts = HostileScripts(format, seed: seed)
            for number in 0..<500 {
                if number.isMultiple(of: 25) { await FuzzTarget.server.rest() }
                try play(scripts.next(), "script \(number) of seed \(seed) for \(format)")
            }
        }
        // It is of no use if everything is refused at the door. On a busy machine an answer may come before what it answers was asked.
        var scripts = HostileScripts(format, seed: 4)
        var missing = Self.places.subtracting(try FuzzTarget.placesReached(format))
        for number in 0..<2_000 where !missing.isEmpty {
            await FuzzTarget.server.rest()
            try play(scripts.next(), "script \(number) of those for what was missed, for \(format)")
            missing = Self.places.subtracting(try FuzzTarget.placesReached(format))
        }
        #expect(missing.isEmpty, "\(missing)")
    }

    private static let places: Set = [
        "acknowledgement of a client", "acknowledgement of another node", "answer of a server", "broadcast of another node",
        "error of a handler", "event of a server", "recovered session", "socket of another node", "typed arguments",
    ]
}
