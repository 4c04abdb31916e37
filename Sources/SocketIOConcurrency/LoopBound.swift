// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// A value that only its event loop uses, which is checked on every access. Unlike `NIOLoopBound` it can be made on any thread.
package struct LoopBound<Value>: @unchecked Sendable {  // The check makes it so: no other thread reaches the value.
    @usableFromInline let loop: any EventLoop
    @usableFromInline let stored: Value

    /// May be called on any thread, as long as no other code keeps the value.
    @inlinable
    package init(_ value: Value, to loop: any EventLoop) {
        self.loop = loop
        self.stored = value
    }

    @inlinable
    package var value: Value {
        loop.preconditionInEventLoop()
        return stored
    }
}

/// A variable that only its event loop uses, which is checked on every access.
package final class LoopBoundBox<Value>: @unchecked Sendable {  // The check makes it so: no other thread reaches the value.
    @usableFromInline let loop: any EventLoop
    @usableFromInline var stored: Value

    @inlinable
    package init(_ value: Value, to loop: any EventLoop) {
        self.loop = loop
        self.stored = value
    }

    @inlinable
    package var value: Value {
        _read {
            loop.preconditionInEventLoop()
            yield stored
        }
        _modify {
            loop.preconditionInEventLoop()
            yield &stored
        }
    }
}
