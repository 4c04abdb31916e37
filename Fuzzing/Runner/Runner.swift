// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import SocketIOFuzzTargets

/// libFuzzer has the `main` function and calls this one with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        let target = selectedTarget
        if pace.isTimeForRest { waitFor { await target.rest() } }
        try target.run(UnsafeRawBufferPointer(start: start, count: count))
        return 0
    } catch {
        fatalError("\(error)")
    }
}

/// Waits for something on the main thread, where nothing else runs.
func waitFor(_ body: @escaping @Sendable () async throws -> Void) {
    let done = DispatchSemaphore(value: 0)
    Task {
        do { try await body() } catch { fatalError("\(error)") }
        done.signal()
    }
    done.wait()
}
