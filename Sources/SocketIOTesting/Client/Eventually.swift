// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Waits until a condition holds that no event announces.
///
/// - Parameters:
///   - limit: How long to wait. Default 30 s.
///   - condition: The condition; it is checked every few milliseconds.
/// - Throws: ``TestClient/Failure`` if the condition does not hold in time. Errors of the condition.
public func eventually(within limit: Duration = .seconds(30), _ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < end else { throw TestClient.Failure(description: "the condition did not hold within \(limit)") }
        try await Task.sleep(for: .milliseconds(2))
    }
}
