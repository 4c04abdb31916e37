// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOFuzzTargets

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The target that the environment variable `FUZZ_TARGET` names.
let selectedTarget: FuzzTarget = {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
        fatalError("set FUZZ_TARGET to one of: \(FuzzTarget.all.map(\.name).joined(separator: ", "))")
    }
    waitFor { try await target.prepare() }
    return target
}()

/// Counts inputs. Only the main thread uses it.
struct Pace {
    private var inputs = 0

    /// Whether so many inputs have come that the target should rest.
    var isTimeForRest: Bool {
        mutating get {
            inputs &+= 1
            return inputs.isMultiple(of: 256)
        }
    }
}

nonisolated(unsafe) var pace = Pace()
