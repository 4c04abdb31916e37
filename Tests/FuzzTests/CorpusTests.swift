// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SocketIOFuzzTargets
import Testing

@Suite("The fuzzers' corpora")
struct CorpusTests {
    /// One input per line, in hexadecimal; lines that begin with `#` say what follows.
    private static func corpus(_ name: String) throws -> [[UInt8]] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Fuzzing/Corpus").standardized
        let text = try String(contentsOf: folder.appending(path: "\(name).txt"), encoding: .utf8)
        return try text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let digits = Array(line.utf8)
            return try stride(from: 0, to: digits.count, by: 2).map { index in
                try #require(UInt8(String(decoding: digits[index..<min(index + 2, digits.count)], as: UTF8.self), radix: 16))
            }
        }
    }

    @Test(.timeLimit(.minutes(2)), arguments: FuzzTarget.all)
    func `no input that was ever interesting breaks a rule`(target: FuzzTarget) async throws {
        try await target.prepare()
        let corpus = try Self.corpus(target.name)
        #expect(corpus.count > 20)
        for (number, input) in corpus.enumerated() {
            if number.isMultiple(of: 25) { await target.rest() }
            #expect(throws: Never.self, "\(input)") { try input.withUnsafeBytes { try target.run($0) } }
        }
    }
}
