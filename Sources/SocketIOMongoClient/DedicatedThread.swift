// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import CSocketIOLibMongoC
#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A thread of its own for work that blocks for its whole life, such as a cursor: it would starve any pool.
enum DedicatedThread {
    private final class Work: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Starts a detached thread.
    /// - Parameters:
    ///   - name: Shown by debuggers; at most 15 bytes count.
    ///   - body: Runs once.
    /// - Returns: `false` if the system has no thread left; the body does not run then.
    static func run(name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
        let work = Unmanaged.passRetained(Work(name: name, body: body))
        guard start(work.toOpaque()) else {
            work.release()
            return false
        }
        return true
    }

    private static func start(_ work: UnsafeMutableRawPointer) -> Bool {
        #if canImport(Darwin)
        var thread: pthread_t?
        let status = pthread_create(&thread, nil, { Self.enter($0) }, work)
        guard status == 0, let thread else { return false }
        #else
        var thread = pthread_t()
        let status = pthread_create(&thread, nil, { Self.enter($0) }, work)
        guard status == 0 else { return false }
        #endif
        pthread_detach(thread)
        return true
    }

    private static func enter(_ pointer: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let pointer else { return nil }
        let work = Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue()
        clibmongoc_name_thread(work.name)
        work.body()
        return nil
    }
}

#endif
