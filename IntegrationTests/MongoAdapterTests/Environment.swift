// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

enum Environment {
    static func has(_ name: String) -> Bool { getenv(name) != nil }
}
