// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

// The types of other modules in the API that applications use. Authors of adapters import `SocketIOCore`, and those who use the transports by
// themselves import `EngineIO`: neither module is exported as a whole, since some of their names exist in HTTP frameworks too.

@_exported public import struct EngineIO.EngineCORS
@_exported public import struct EngineIO.EngineConfiguration
@_exported public import struct EngineIO.EngineConfigurationError
@_exported public import struct EngineIO.EngineConnectionError
@_exported public import struct EngineIO.EngineCookie
@_exported public import struct EngineIO.EngineHTTPRequest
@_exported public import struct EngineIO.EngineHTTPResponse
@_exported public import struct EngineIO.EngineHTTPServerConfiguration
@_exported public import struct EngineIO.EngineHandshake
@_exported public import struct EngineIO.EngineListenError
@_exported public import struct EngineIO.EngineRequestDecision
@_exported public import typealias EngineIO.EngineResponder
@_exported public import struct EngineIO.StaticFile
@_exported public import struct EngineIO.TrustedProxies
@_exported public import struct NIOCore.ByteBuffer
@_exported public import protocol SocketIOCore.AdapterFactory
@_exported public import class SocketIOCore.BroadcastAcknowledgements
@_exported public import protocol SocketIOCore.BroadcastModifying
@_exported public import struct SocketIOCore.BroadcastOptions
@_exported public import protocol SocketIOCore.BroadcastSelecting
@_exported public import struct SocketIOCore.EncodedValue
@_exported public import struct SocketIOCore.EventArguments
@_exported public import struct SocketIOCore.Handshake
@_exported public import struct SocketIOCore.IncompleteResponseError
@_exported public import enum SocketIOCore.PacketFormat
@_exported public import struct SocketIOCore.RecoveryBuffer
@_exported public import typealias SocketIOCore.Room
@_exported public import enum SocketIOCore.RoomEvent
@_exported public import struct SocketIOCore.RoomLimits
@_exported public import struct SocketIOCore.SocketDescription
@_exported public import typealias SocketIOCore.SocketID
@_exported public import enum SocketIOCore.SocketIOValue
@_exported public import struct SocketIOCore.UndeliveredOperation
@_exported public import struct SocketIOText.NameMap
@_exported public import struct SocketIOText.NameSet
@_exported public import struct UnixSignals.UnixSignal
