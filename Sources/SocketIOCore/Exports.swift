// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

// Types of other modules in the API that authors of adapters use.
@_exported public import struct EngineIOCore.EncodedPacket
@_exported public import struct NIOCore.ByteBuffer
@_exported public import struct SocketIOText.NameMap
@_exported public import struct SocketIOText.NameSet
