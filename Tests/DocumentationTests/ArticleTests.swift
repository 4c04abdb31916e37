// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Every Swift block of the articles and of the README is part of a source file that is compiled here, so that none of them can rot.
/// Manifests are left out; they start with the comment `// Package.swift`.
@Suite struct ArticleTests {
    private static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let catalogues = [
        "SwiftSocketIO", "SocketIOCore", "SocketIOCluster", "SocketIOEmitter", "SocketIOHummingbird", "SocketIOMongoAdapter", "EngineIO",
        "SocketIOMessagePack", "SocketIOMongoClient", "SocketIOMongoTesting", "SocketIOTesting", "EngineIOCore",
    ]

    private static func files(in folder: String, ending: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: package.appending(path: folder), includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == ending }
            .sorted { $0.path < $1.path }
    }

    private static let articles: [URL] =
        [package.appending(path: "README.md")]
        + catalogues.flatMap { articles(of: $0) }

    private static func articles(of target: String) -> [URL] {
        let folders = (try? files(in: "Sources/\(target)", ending: "docc")) ?? []
        return folders.flatMap { (try? files(in: "Sources/\(target)/\($0.lastPathComponent)", ending: "md")) ?? [] }
    }

    private static func sources() throws -> [[String]] {
        let folders = ["DocumentationTests", "SwiftSocketIOTests", "SocketIOClusterTests", "SocketIOClusterServerTests", "MainActorTests"]
        return try folders.flatMap { try files(in: "Tests/\($0)", ending: "swift") }.map {
            lines(try String(contentsOf: $0, encoding: .utf8))
        }
    }

    /// The lines with neither indentation nor runs of spaces, since those differ between an article and a source file.
    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.split(separator: " ").joined(separator: " ")
        }
    }

    private static func blocks(of article: String) -> [[String]] {
        var blocks: [[String]] = []
        var current: [String]?
        for line in lines(article) {
            switch (line, current) {
            case ("```swift", nil): current = []
            case ("```", .some(let block)):
                // Imports stand at the head of the source file.
                blocks.append(Array(block.drop { $0.isEmpty || $0.hasPrefix("import ") }))
                current = nil
            case (_, .some): current?.append(line)
            default: break
            }
        }
        return blocks
    }

    private static func contains(_ source: [String], _ block: [String]) -> Bool {
        guard let first = block.first, source.count >= block.count else { return false }
        return source.indices.contains { source[$0] == first && source[$0...].prefix(block.count).elementsEqual(block) }
    }

    @Test(arguments: articles) func `every block is compiled`(article: URL) throws {
        let sources = try Self.sources()
        for block in Self.blocks(of: try String(contentsOf: article, encoding: .utf8)) where block.first != "// Package.swift" {
            #expect(
                sources.contains { Self.contains($0, block) },
                "no source file has this block of \(article.lastPathComponent):\n\(block.joined(separator: "\n"))"
            )
        }
    }

    @Test(arguments: catalogues) func `the articles are found`(catalogue: String) {
        #expect(!Self.articles(of: catalogue).isEmpty)
    }

    @Test func `no catalogue is missing`() throws {
        let sources = Self.package.appending(path: "Sources")
        for target in try FileManager.default.contentsOfDirectory(atPath: sources.path) {
            let hasArticles = !Self.articles(of: target).isEmpty
            #expect(hasArticles == Self.catalogues.contains(target), "\(target)")
        }
    }
}
