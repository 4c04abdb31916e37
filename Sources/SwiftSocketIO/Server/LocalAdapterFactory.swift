// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore

/// Makes adapters for a process that is not part of a cluster.
public struct LocalAdapterFactory: AdapterFactory {
    /// Creates a factory.
    public init() {}

    /// Returns the rooms of this process.
    public func makeAdapter(_ context: AdapterContext) -> any Adapter { context.local }
}
