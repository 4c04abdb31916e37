// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import Synchronization

/// Compresses long bodies on other threads than the event loops': 900 KB take 50 ms, and an event loop's other clients would wait for that.
final class Compressor: Sendable {
    /// The size in bytes up to which the event loop compresses by itself, because it takes less than a millisecond.
    static let longestAtOnce = 16 << 10
    /// Bodies that wait or are being compressed. Beyond the limit, bodies are sent uncompressed.
    private static let mostJobs = 16

    /// A body that is being compressed.
    final class Job: Sendable {
        private let isCancelledFlag = Atomic(false)
        fileprivate var isCancelled: Bool { isCancelledFlag.load(ordering: .acquiring) }

        /// The result is not wanted any more.
        func cancel() { isCancelledFlag.store(true, ordering: .releasing) }
    }

    private let jobs = Atomic(0)

    /// Compresses a body.
    ///
    /// - Parameters:
    ///   - body: The body.
    ///   - eventLoop: Where `completion` is called.
    ///   - completion: Gets the result, or nil if there is no memory for it. It is not called after ``Job/cancel()``.
    /// - Returns: nil if there is too much to do already; then `completion` is not called.
    func compress(
        _ body: ByteBuffer,
        for eventLoop: any EventLoop,
        _ completion: @escaping @Sendable (ByteBuffer?) -> Void
    ) -> Job? {
        guard jobs.wrappingAdd(1, ordering: .relaxed).newValue <= Self.mostJobs else {
            jobs.wrappingSubtract(1, ordering: .relaxed)
            return nil
        }
        let job = Job()
        NIOSingletons.posixBlockingThreadPool.submit { state in
            let result = state == .active && !job.isCancelled ? Gzip.compress(body) : nil
            self.jobs.wrappingSubtract(1, ordering: .relaxed)
            // The connection has ended; its event loop may have as well.
            guard !job.isCancelled else { return }
            eventLoop.execute { if !job.isCancelled { completion(result) } }
        }
        return job
    }
}
