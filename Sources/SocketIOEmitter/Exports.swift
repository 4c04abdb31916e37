// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

// The types of other modules in the API of an emitter.
@_exported public import struct NIOCore.ByteBuffer
@_exported public import protocol SocketIOCore.BroadcastModifying
@_exported public import struct SocketIOCore.BroadcastOptions
@_exported public import protocol SocketIOCore.BroadcastSelecting
@_exported public import struct SocketIOCore.EventArguments
@_exported public import enum SocketIOCore.PacketFormat
@_exported public import typealias SocketIOCore.Room
@_exported public import enum SocketIOCore.SocketIOValue
