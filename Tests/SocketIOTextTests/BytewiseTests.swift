// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText
import Testing

@Suite struct BytewiseTests {
    /// Canonically equivalent for Swift, different names elsewhere.
    static let pairs = [
        ("Jose\u{301}", "Jos\u{E9}"), ("\u{212A}", "K"), ("\u{37E}", ";"), ("\u{1112}\u{1161}", "\u{D558}"),
        ("\u{301}\u{323}", "\u{323}\u{301}"),
    ]

    @Test(arguments: pairs)
    func `names that are canonically equivalent are not the same`(left: String, right: String) {
        #expect(Name(left) != Name(right))
        #expect(Set([Name(left), Name(right)]).count == 2)
        #expect(!(left == right) && left != right)
        #expect(!((left as String?) == right))
        #expect(![left].contains(right))
        #expect(!"/\(left)".hasPrefix("/\(right)"))
        switch left {
        case right: Issue.record("a case is compared by its bytes")
        default: break
        }
    }

    @Test func `the same bytes are the same name`() {
        for text in ["", "a", "Jos\u{E9}", String(repeating: "x", count: 100), "\u{301}"] {
            let copy = String(decoding: Array(text.utf8), as: UTF8.self)
            #expect(Name(text) == Name(copy) && Name(text).hashValue == Name(copy).hashValue)
            #expect(text == copy && !(text < copy))
        }
    }

    @Test func `names are ordered by their bytes`() {
        #expect(["b", "", "ab", "\u{E9}", "a"].map { Name($0) }.sorted().map { $0.text } == ["", "a", "ab", "b", "\u{E9}"])
    }

    @Test func `a mark does not hide a prefix`() {
        #expect("/\u{338}".hasPrefix("/"))
        #expect("\u{338}/".hasSuffix("/"))
    }
}

@Suite struct CombiningMarksTests {
    static let marks = ["\u{301}", "\u{301}\u{323}", "\u{F73}", "\u{1D165}\u{1D16D}", "\u{344}", "\u{3099}"]

    @Test(arguments: marks)
    func `too many marks in a row are found`(mark: String) {
        let length = mark.unicodeScalars.count
        let most = String(repeating: mark, count: CombiningMarks.limit / length)
        #expect(!CombiningMarks.exceedLimit(in: "a" + most + "b" + most))
        #expect(CombiningMarks.exceedLimit(in: "a" + most + mark))
    }

    @Test func `languages are not refused`() {
        for text in [
            "Zalgo: Z\u{351}\u{36B}\u{343}a\u{363}\u{36C}", "日本語", "한국어", "\u{915}\u{94D}\u{937}", "e\u{301}", "👩‍👩‍👧‍👦", "\u{1100}\u{1161}",
        ] {
            #expect(!CombiningMarks.exceedLimit(in: String(repeating: text, count: 10_000)))
        }
    }
}
