// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

// Types of other modules that a test meets; `SwiftSocketIO` exports the rest.
@_exported public import struct EngineIOCore.EncodedPacket
@_exported public import struct NIOCore.ByteBuffer
@_exported public import struct SocketIOCore.EventArguments
@_exported public import struct SocketIOCore.Packet
