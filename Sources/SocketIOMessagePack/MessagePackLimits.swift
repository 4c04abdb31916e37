// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Bounds on what the MessagePack reader and decoder accept, checked before anything is allocated.
public struct MessagePackLimits: Hashable, Sendable {
    /// The deepest nesting of arrays and maps. Default and upper bound: 32, what msgpack-c accepts. Larger values act as 32.
    public var maximumDepth: Int

    /// The largest number of values (containers, elements and keys counted one by one) in one document. Default: 1 048 576.
    ///
    /// A decoded value costs up to 48 bytes for one byte of input; this bounds the sum.
    public var maximumValues: Int

    /// Creates limits.
    ///
    /// - Parameters:
    ///   - maximumDepth: the deepest nesting of arrays and maps, at most 32.
    ///   - maximumValues: the largest number of values in one document.
    public init(maximumDepth: Int = Self.deepestNesting, maximumValues: Int = 1 << 20) {
        self.maximumDepth = min(maximumDepth, Self.deepestNesting)
        self.maximumValues = maximumValues
    }

    /// The nesting that msgpack-c is compiled for.
    public static let deepestNesting = 32

    /// The default limits.
    public static let `default` = MessagePackLimits()
}
