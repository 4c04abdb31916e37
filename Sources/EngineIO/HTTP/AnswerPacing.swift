// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Limits how many answers are ended from within one another, and in one read.
///
/// The next request may arrive from within the write of an answer's end. A client may have sent thousands: if each was answered from within
/// the answer before, the stack would overflow, and if all were answered at once, other connections would wait.
struct AnswerPacing {
    private static let maximumAnswersAtOnce = 16

    private var isEnding = false
    private var answersAtOnce = 0

    /// An answer is to be ended.
    ///
    /// - Returns: Whether it may be now. Otherwise it is to be tried again, after ``reset()``, in the next turn of the loop.
    mutating func begin() -> Bool {
        guard !isEnding, answersAtOnce < Self.maximumAnswersAtOnce else { return false }
        answersAtOnce += 1
        isEnding = true
        return true
    }

    mutating func end() { isEnding = false }

    mutating func reset() { answersAtOnce = 0 }
}
