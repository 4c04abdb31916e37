// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import Synchronization
import SocketIOText

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Counts how often libmongoc really started to send the command that a thread is running.
///
/// A failed write that was never sent is a definite failure; one that was sent and not answered, or sent twice, is not. libmongoc
/// retries a write once by itself and returns only the last error, so the error alone cannot tell.
final class CommandAttempts: Sendable {
    private struct Running {
        let name: String
        var count = 0
    }

    private let running = Mutex<[UInt: Running]>([:])

    /// Runs `body`, which sends the command of that name on this thread, and returns how often it was sent.
    func counting(_ name: String, _ body: () -> Void) -> Int {
        let thread = Self.currentThread
        running.withLock { $0[thread] = Running(name: name) }
        body()
        return running.withLock { $0.removeValue(forKey: thread)?.count ?? 0 }
    }

    // Handshake and authentication commands come by here too, on the same thread.
    func started(_ name: String) {
        let thread = Self.currentThread
        self.running.withLock { running in
            guard running[thread]?.name == name else { return }
            running[thread]?.count += 1
        }
    }

    private static var currentThread: UInt {
        #if canImport(Darwin)
        UInt(bitPattern: pthread_self())
        #else
        UInt(pthread_self())
        #endif
    }
}

#endif
