// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// A value of a configuration that cannot be used.
public struct EngineConfigurationError: Error, Sendable, CustomStringConvertible {
    /// The property, such as `pingInterval`.
    public let property: String
    /// What is wrong, such as `must be positive`.
    public let problem: String

    /// The property and what is wrong.
    public var description: String { "\(property) \(problem)" }
}
