// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import CSocketIOSystem

/// The time of day. It may jump; durations are measured with NIO's or Swift's monotonic clocks.
package enum WallClock {
    /// Seconds since 1970, with fractions.
    package static func now() -> Double { socketio_wall_clock() }

    /// Whole seconds since 1970.
    package static func secondsSince1970() -> UInt32 { UInt32(clamping: Int64(now())) }

    /// Milliseconds since 1970.
    package static func millisecondsSince1970() -> Int64 { Int64(now() * 1_000) }
}
