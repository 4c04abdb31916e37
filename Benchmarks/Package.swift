// swift-tools-version: 6.2
// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "swift-socketio", path: ".."),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        .target(
            name: "InMemory",
            dependencies: [
                .product(name: "SocketIOCore", package: "swift-socketio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "BroadcastCost",
            dependencies: [
                "InMemory",
                .product(name: "SocketIOCore", package: "swift-socketio"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "SocketIOBenchmarks",
            dependencies: [
                "InMemory",
                .product(name: "Benchmark", package: "benchmark"),
                .product(name: "EngineIO", package: "swift-socketio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "SocketIOMessagePack", package: "swift-socketio"),
                .product(name: "SocketIOMongoClient", package: "swift-socketio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "SocketIOCore", package: "swift-socketio"),
            ],
            path: "Benchmarks/SocketIOBenchmarks",
            // `swift package benchmark` cannot choose the traits of a dependency: they are the default ones.
            swiftSettings: settings + [.define("MongoDB")],
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
        ),
    ]
)
