// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import CSocketIOLinuxEvents
import Glibc

/// epoll, level-triggered.
final class Poller {
    private static let spin: UInt64 = 80_000

    private let descriptor: Int32
    private let capacity = 512
    private let ready: UnsafeMutablePointer<epoll_event>

    init() throws {
        descriptor = epoll_create1(0)
        guard descriptor >= 0 else { throw LoadError.system("epoll_create1") }
        ready = .allocate(capacity: capacity)
    }

    deinit {
        Glibc.close(descriptor)
        ready.deallocate()
    }

    private func control(_ operation: Int32, _ file: Int32, _ index: Int, reading: Bool, writing: Bool) {
        var event = epoll_event()
        event.events = (reading ? EPOLLIN.rawValue : 0) | (writing ? EPOLLOUT.rawValue : 0)
        event.data.u64 = UInt64(index)
        _ = epoll_ctl(descriptor, operation, file, &event)
    }

    func add(_ file: Int32, index: Int, reading: Bool = true, writing: Bool = false) {
        control(EPOLL_CTL_ADD, file, index, reading: reading, writing: writing)
    }

    func change(_ file: Int32, index: Int, reading: Bool, writing: Bool) {
        control(EPOLL_CTL_MOD, file, index, reading: reading, writing: writing)
    }

    struct Readiness {
        let index: Int
        let canRead: Bool
        let canWrite: Bool
    }

    /// Waits until something happens, at most until `deadline`. The last microseconds are spent polling, since the kernel wakes late.
    func wait(until deadline: UInt64, _ body: (Readiness) -> Void) {
        let now = Clock.now
        let left = deadline > now + Self.spin ? deadline - now - Self.spin : 0
        var timeout = timespec(tv_sec: Int(left / Clock.second), tv_nsec: Int(left % Clock.second))
        let count = epoll_pwait2(descriptor, ready, Int32(capacity), &timeout, nil)
        for position in 0..<max(0, Int(count)) {
            let event = ready[position]
            let failed = event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
            body(
                Readiness(
                    index: Int(event.data.u64),
                    canRead: failed || event.events & EPOLLIN.rawValue != 0,
                    canWrite: event.events & EPOLLOUT.rawValue != 0
                )
            )
        }
    }
}
