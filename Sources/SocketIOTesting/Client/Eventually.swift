// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Waits until a condition holds that no event announces.
///
/// - Parameters:
///   - limit: How long to wait. Default 30 s.
///   - comment: What the error adds, evaluated when the time is over. Default: nothing.
///   - file: The file that the error names. Default: the caller's.
///   - line: The line that the error names. Default: the caller's.
///   - condition: The condition; it is checked every few milliseconds.
/// - Throws: ``TestClient/Failure`` if the condition does not hold in time. Errors of the condition.
public func eventually(
    within limit: Duration = .seconds(30),
    _ comment: @autoclosure () -> String? = nil,
    file: String = #fileID,
    line: Int = #line,
    _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < end else {
            let added = comment().map { ": \($0)" } ?? ""
            throw TestClient.Failure(description: "\(file):\(line): the condition did not hold within \(limit)\(added)")
        }
        try await Task.sleep(for: .milliseconds(2))
    }
}
