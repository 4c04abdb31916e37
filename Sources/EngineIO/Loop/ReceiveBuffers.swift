// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Gives a connection buffers to read into, so that an idle connection keeps none.
///
/// A channel keeps its first buffer until it is closed, so that one is tiny. The others are released after the read:
/// while the connection carries HTTP each is made anew, because parts of a body may be kept; a WebSocket reads into a buffer that all
/// connections of the event loop share, and copies its messages.
struct ReceiveAllocator: RecvByteBufferAllocator {
    /// The size of a connection's first buffer, in bytes.
    static let firstSize = 16
    private static let smallestSize: Int32 = 2048
    /// The size of the buffer that connections share, and the largest of one connection, in bytes.
    static let sharedSize: Int32 = 64 << 10

    private let loop: EngineLoopHandle
    private var size = Int32(firstSize)
    private var isShared: Bool

    private init(loop: EngineLoopHandle, isShared: Bool) {
        self.loop = loop
        self.isShared = isShared
    }

    /// For a new connection.
    ///
    /// - Parameter isShared: Whether it gives buffers back with ``EngineLoop/giveBack(_:)``.
    static func first(loop: EngineLoopHandle, isShared: Bool) -> ReceiveAllocator { ReceiveAllocator(loop: loop, isShared: isShared) }

    /// For a connection that carries HTTP.
    static func own(loop: EngineLoopHandle) -> ReceiveAllocator {
        var allocator = ReceiveAllocator(loop: loop, isShared: false)
        allocator.size = smallestSize
        return allocator
    }

    /// For a connection that gives buffers back with ``EngineLoop/giveBack(_:)``.
    static func shared(loop: EngineLoopHandle) -> ReceiveAllocator {
        var allocator = ReceiveAllocator(loop: loop, isShared: true)
        allocator.size = sharedSize
        return allocator
    }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        isShared && size == Self.sharedSize ? loop.local.takeReceiveBuffer(allocator) : allocator.buffer(capacity: Int(size))
    }

    /// nil keeps the channel from collecting buffers.
    func nextBufferSize() -> Int? { nil }

    /// - Returns: Always true, or the channel would read into its first buffer again.
    mutating func record(actualReadBytes: Int) -> Bool {
        guard !isShared else {
            size = Self.sharedSize
            return true
        }
        if actualReadBytes >= size {
            size = min(max(size * 2, Self.smallestSize), Self.sharedSize)
        } else {
            size = actualReadBytes * 4 < size ? max(size / 2, Self.smallestSize) : max(size, Self.smallestSize)
        }
        return true
    }
}

extension EngineLoop {
    /// The buffer that the loop's connections share, or another if that is in use.
    func takeReceiveBuffer(_ allocator: ByteBufferAllocator) -> ByteBuffer {
        guard var buffer = receiveBuffer.take() else { return allocator.buffer(capacity: Int(ReceiveAllocator.sharedSize)) }
        // Makes another one if a part of the last read is still in use.
        buffer.clear()
        return buffer
    }

    /// Takes a buffer back for the next read of any connection.
    func giveBack(_ buffer: ByteBuffer) {
        if buffer.storageCapacity == Int(ReceiveAllocator.sharedSize) { receiveBuffer = buffer }
    }
}
