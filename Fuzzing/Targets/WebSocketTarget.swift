// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import SocketIOCore

extension FuzzTarget {
    /// The frames of a WebSocket connection: the first byte says how the rest is cut into reads, which must not change what is read.
    static let webSocket = FuzzTarget(name: "websocket") { bytes in
        guard let first = bytes.first else { return }
        let input = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
        let whole = try readFrames(input, atMost: max(1, input.count))
        let pieces = try readFrames(input, atMost: Int(first % 32) + 1)
        try rule(whole.frames == pieces.frames, "how the bytes are cut does not matter")
        try rule(whole.failure == pieces.failure, "how the bytes are cut does not matter for what is wrong")
    }

    private static let maxPayload = 200

    private static func readFrames(
        _ input: UnsafeRawBufferPointer,
        atMost size: Int
    ) throws -> (frames: [[UInt8]], failure: WebSocketFrameReader.Failure?) {
        var reader = WebSocketFrameReader(maxPayload: maxPayload)
        var frames: [[UInt8]] = []
        for start in stride(from: 0, to: input.count, by: size) {
            var read = reader.begin(ByteBuffer(bytes: input[start..<min(start + size, input.count)]))
            do {
                while let frame = try reader.next(from: &read) {
                    try check(frame)
                    let mask = (0..<4).map { UInt8(truncatingIfNeeded: frame.mask >> (8 * UInt32($0))) }
                    frames.append([frame.opcode.rawValue, frame.isFinal ? 1 : 0] + mask + Array(frame.payload.readableBytesView))
                }
            } catch let failure as WebSocketFrameReader.Failure {
                try rule(reader.bufferedBytes == 0, "nothing is kept after a failure")
                return (frames, failure)
            }
            reader.end(read)
            try rule(reader.bufferedBytes < maxPayload + 14, "no more than one frame is kept")
        }
        return (frames, nil)
    }

    private static func check(_ frame: WebSocketClientFrame) throws {
        try rule(frame.payload.readableBytes <= maxPayload, "no payload is larger than allowed")
        guard frame.opcode.rawValue >= 8 else { return }
        try rule(frame.isFinal && frame.payload.readableBytes <= 125, "control frames are short and whole")
    }
}
