// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOConcurrency
import SocketIOCore
import SocketIOText
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
        let limiter = CauseLimiter<Int>(period: .hours(1))
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

    @Test func `the number of causes is bounded`() {
        let limiter = CauseLimiter<Int>(period: .hours(1), limit: 10)
        let start = NIODeadline.now()
        var written: [Int] = []
        for cause in 0..<100_000 { limiter.log(cause, now: start) { _ in written.append(cause) } }
        #expect(written == Array(0..<10))
        // There is room again when a period is over.
        limiter.log(77, now: start + .hours(1)) { _ in written.append(77) }
        #expect(written.last == 77)
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
