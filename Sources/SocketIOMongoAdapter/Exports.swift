// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
// The types of SocketIOCluster that applications meet: in the adapter's options, its health and its errors. Its other parts, such as
// `ClusterNode`, are for those who import it.
@_exported public import struct SocketIOCluster.ClusterConfiguration
@_exported public import struct SocketIOCluster.ClusterError
@_exported public import enum SocketIOCluster.ClusterEvent
@_exported public import struct SocketIOCluster.ClusterHealth
#endif
