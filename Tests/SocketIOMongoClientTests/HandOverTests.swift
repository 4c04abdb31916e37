// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
@testable import SocketIOMongoClient
import Synchronization
import Testing

@Suite("Hand-over between a cursor's thread and its reader")
struct HandOverTests {
    private final class Flag: Sendable {
        private let isUp = Atomic<Bool>(false)
        func raise() { isUp.store(true, ordering: .releasing) }
        func wait() async { while !isUp.load(ordering: .acquiring) { await Task.yield() } }
    }

    @Test(.timeLimit(.minutes(1)))
    func `A batch may arrive in the moment in which the reader is cancelled`() async {
        let batch = MongoBatch(documents: [], postBatchResumeToken: nil, operationTime: nil)
        for _ in 0..<4_000 {
            let handOver = CursorHandOver(capacity: 2)
            let isUp = Flag()
            let reading = Task { () -> MongoBatch? in try? await handOver.next() }
            // The reader waits; then both happen at once.
            for _ in 0..<4 { await Task.yield() }
            let offering = Task {
                await isUp.wait()
                return handOver.offer(batch)
            }
            await Task.yield()
            isUp.raise()
            reading.cancel()
            let (batch, isAccepted) = (await reading.value, await offering.value)
            #expect(batch == nil || isAccepted)
        }
    }
}
#endif
