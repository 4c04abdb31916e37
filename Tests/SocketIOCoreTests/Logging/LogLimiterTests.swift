// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOConcurrency
import SocketIOCore
import SocketIOText
import Synchronization
import Testing

@Suite struct LogLimiterTests {
    private static func lines(_ limiter: inout LogLimiter, _ count: Int, at now: NIODeadline) -> [LogLimiter.Verdict] {
        (0..<count).map { _ in limiter.admit(now: now) }
    }

    @Test func `the first lines of a period are written`() {
        var limiter = LogLimiter(lines: 3, period: .seconds(60))
        let start = NIODeadline.now()
        let verdicts = Self.lines(&limiter, 5, at: start)
        #expect(verdicts == [.log(suppressed: 0), .log(suppressed: 0), .log(suppressed: 0), .suppress, .suppress])
        #expect(limiter.admit(now: start + .seconds(59)) == .suppress)
    }

    @Test func `the next period says how many were left out, once`() {
        var limiter = LogLimiter(lines: 2, period: .seconds(60))
        let start = NIODeadline.now()
        _ = Self.lines(&limiter, 1000, at: start)
        #expect(Self.lines(&limiter, 3, at: start + .seconds(60)) == [.log(suppressed: 998), .log(suppressed: 0), .suppress])
        #expect(limiter.admit(now: start + .hours(1)) == .log(suppressed: 1))
    }

    @Test func `rare lines are all written`() {
        var limiter = LogLimiter(lines: 1, period: .seconds(60))
        let start = NIODeadline.now()
        for minute in 0..<100 { #expect(limiter.admit(now: start + .minutes(Int64(minute))) == .log(suppressed: 0)) }
    }

    @Test func `a flood of lines leaves a few`() {
        let limiter = SharedLogLimiter(lines: 10)
        let start = NIODeadline.now()
        var written: [Int?] = []
        for _ in 0..<100_000 { limiter.log(now: start) { written.append($0) } }
        limiter.log(now: start + .minutes(2)) { written.append($0) }
        #expect(written.count == 11)
        #expect(written.last == 99_990)
    }
}

@Suite struct CauseLimiterTests {
    @Test func `a cause is written once in a period`() {
        let limiter = CauseLimiter<Int, Int>(period: .hours(1))
        let start = NIODeadline.now()
        var written: [Int?] = []
        for _ in 0..<100 { limiter.log(1, now: start) { written.append($0) } }
        limiter.log(2, now: start) { written.append($0) }
        limiter.log(1, now: start + .minutes(59)) { written.append($0) }
        #expect(written == [nil, nil])
        limiter.log(1, now: start + .hours(1)) { written.append($0) }
        limiter.log(2, now: start + .hours(1)) { written.append($0) }
        #expect(written == [nil, nil, 100, nil])
    }

    @Test func `subjects that clients choose are bounded, and suppress no other cause`() {
        let limiter = CauseLimiter<String, Int>(period: .hours(1))
        let start = NIODeadline.now()
        var written: [Int] = []
        for subject in 0..<100_000 { limiter.log("origin", about: subject, now: start) { _ in written.append(subject) } }
        // Eight subjects have a line each; all others share one.
        #expect(written == Array(0..<9))
        limiter.log("sid", now: start) { _ in written.append(-1) }
        limiter.log("path", about: 1, now: start) { _ in written.append(-2) }
        #expect(written.suffix(2) == [-1, -2])
        // There is room again when a period is over, and the lines that were left out have been counted.
        var suppressed: [Int?] = []
        limiter.log("origin", about: 77, now: start + .hours(1)) { suppressed.append($0) }
        limiter.log("origin", now: start + .hours(1)) { suppressed.append($0) }
        #expect(suppressed == [nil, 99_991])
    }

    @Test func `the subjects of one subject suppress no other subject`() {
        let limiter = CauseLimiter<String, Int>(period: .hours(1))
        let start = NIODeadline.now()
        var written: [[Int]] = []
        for message in 0..<1000 { limiter.log("refused", about: 1, message, now: start) { _ in written.append([1, message]) } }
        limiter.log("refused", about: 2, 5, now: start) { _ in written.append([2, 5]) }
        limiter.log("refused", about: 2, nil, now: start) { _ in written.append([2]) }
        #expect(written == (0..<9).map { [1, $0] } + [[2, 5], [2]])
    }

    /// A subject that counts how often it is hashed.
    private struct Counted: Hashable, Sendable {
        static let hashes = Atomic(0)
        let number: Int

        func hash(into hasher: inout Hasher) {
            Self.hashes.add(1, ordering: .relaxed)
            hasher.combine(number)
        }
    }

    @Test func `a subject for which there is no room costs no more than one that is known`() {
        let limiter = CauseLimiter<Int, Counted>(period: .hours(1), limit: 1000)
        let start = NIODeadline.now()
        for number in 0..<1000 { limiter.log(1, about: Counted(number: number), now: start) { _ in } }
        let before = Counted.hashes.load(ordering: .relaxed)
        for number in 1000..<1010 { limiter.log(1, about: Counted(number: number), now: start) { _ in } }
        #expect(Counted.hashes.load(ordering: .relaxed) - before <= 20)
    }
}

@Suite struct QuotedTextTests {
    @Test(arguments: [
        ("plain", #""plain""#), ("", #""""#), ("sum of 2", #""sum of 2""#), ("José 火 🔥", #""José 火 🔥""#),
        ("a\n2026-01-01 error: forged", #""a\n2026-01-01 error: forged""#), ("say \"hi\" \\", #""say \"hi\" \\""#),
        ("\u{1B}[2J\u{0}\u{7F}\u{9B}", #""\u{1B}[2J\u{0}\u{7F}\u{9B}""#),
        ("a\u{202E}b\u{2028}c\u{200B}", #""a\u{202E}b\u{2028}c\u{200B}""#),
        ("e\u{301}", #""e\u{301}""#), ("\t\r", #""\t\r""#),
    ])
    func `text from outside stays in its quotes`(text: String, quoted: String) {
        #expect(Array(QuotedText(text).description.utf8) == Array(quoted.utf8))
    }

    @Test func `long text is cut and its size given`() {
        #expect(QuotedText(String(repeating: "x", count: 1000), limit: 5).description == "\"xxxxx…\" (1000 bytes)")
        #expect(QuotedText("xxxxx", limit: 5).description == "\"xxxxx\"")
    }
}
