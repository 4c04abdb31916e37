// swift-tools-version: 6.2
// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "swift-socketio",
    platforms: [.macOS(.v26)],
    products: [
        .library(name: "SocketIOMessagePack", targets: ["SocketIOMessagePack"]),
        .library(name: "SocketIOCore", targets: ["SocketIOCore"]),
        .library(name: "SocketIOCluster", targets: ["SocketIOCluster"]),
        .library(name: "EngineIOCore", targets: ["EngineIOCore"]),
        .library(name: "EngineIO", targets: ["EngineIO"]),
        .library(name: "SwiftSocketIO", targets: ["SwiftSocketIO"]),
        .library(name: "SocketIOHummingbird", targets: ["SocketIOHummingbird"]),
        .library(name: "SocketIOTesting", targets: ["SocketIOTesting"]),
        .library(name: "SocketIOMongoTesting", targets: ["SocketIOMongoTesting"]),
        .library(name: "SocketIOMongoClient", targets: ["SocketIOMongoClient"]),
        .library(name: "SocketIOMongoAdapter", targets: ["SocketIOMongoAdapter"]),
        .library(name: "SocketIOEmitter", targets: ["SocketIOEmitter"]),
        .executable(name: "socketio-emit", targets: ["SocketIOEmit"]),
    ],
    traits: [
        .trait(name: "MongoDB", description: "The MongoDB adapter and client; needs the headers of libmongoc."),
        .trait(name: "Hummingbird", description: "Mounting a server in a Hummingbird application."),
        .default(enabledTraits: ["Hummingbird", "MongoDB"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", "3.12.3"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CSocketIOMessagePack",
            pkgConfig: "msgpack",
            providers: [.apt(["libmsgpack-dev"]), .brew(["msgpack"])]
        ),
        .systemLibrary(name: "CSocketIOSystem"),
        .systemLibrary(
            name: "CSocketIOZlib",
            pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]
        ),
        .target(name: "SocketIOText", swiftSettings: settings),
        .target(
            name: "SocketIOConcurrency",
            dependencies: [
                "CSocketIOSystem",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "EngineIOCore",
            dependencies: ["SocketIOText", .product(name: "NIOCore", package: "swift-nio")],
            swiftSettings: settings
        ),
        .target(
            name: "SocketIOMessagePack",
            dependencies: ["CSocketIOMessagePack", "SocketIOText", .product(name: "NIOCore", package: "swift-nio")],
            swiftSettings: settings
        ),
        .target(
            name: "SocketIOCore",
            dependencies: [
                "SocketIOConcurrency",
                "EngineIOCore",
                "SocketIOMessagePack",
                "SocketIOText",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "SocketIOCluster",
            dependencies: [
                "SocketIOMessagePack",
                "EngineIOCore",
                "SocketIOConcurrency",
                "SocketIOCore",
                "SocketIOText",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "EngineIO",
            dependencies: [
                "SocketIOConcurrency",
                "EngineIOCore",
                "CSocketIOSystem",
                "CSocketIOZlib",
                "SocketIOText",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "_NIOFileSystem", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "SocketIOHummingbird",
            dependencies: [
                "EngineIOCore",
                "EngineIO",
                "SwiftSocketIO",
                "SocketIOText",
                .product(name: "HummingbirdCore", package: "hummingbird", condition: .when(traits: ["Hummingbird"])),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "SwiftSocketIO",
            dependencies: [
                "EngineIOCore",
                "SocketIOConcurrency",
                "EngineIO",
                "SocketIOMessagePack",
                "SocketIOCore",
                "SocketIOText",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "SocketIOTesting",
            dependencies: [
                "EngineIOCore",
                "SocketIOConcurrency",
                "CSocketIOSystem",
                "EngineIO",
                "SocketIOMessagePack",
                "SwiftSocketIO",
                "SocketIOCluster",
                "SocketIOCore",
                "SocketIOText",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "SocketIOMongoTesting",
            dependencies: [
                .target(name: "SocketIOMongoClient", condition: .when(traits: ["MongoDB"])),
                "CSocketIOSystem",
                "SocketIOConcurrency",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .systemLibrary(
            name: "CSocketIOLibMongoC",
            pkgConfig: "libmongoc-1.0",
            providers: [.apt(["libmongoc-dev"]), .brew(["mongo-c-driver@1"])]
        ),
        .target(
            name: "SocketIOMongoClient",
            dependencies: [
                .target(name: "CSocketIOLibMongoC", condition: .when(traits: ["MongoDB"])),
                "SocketIOConcurrency",
                "SocketIOText",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "SocketIOMongoAdapter",
            dependencies: [
                "EngineIOCore",
                "SocketIOConcurrency",
                .target(name: "SocketIOMongoClient", condition: .when(traits: ["MongoDB"])),
                "SocketIOMessagePack",
                "SocketIOCluster",
                "SocketIOCore",
                "SocketIOText",
                .product(name: "Crypto", package: "swift-crypto", condition: .when(traits: ["MongoDB"])),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "SocketIOEmitter",
            dependencies: [
                "EngineIOCore",
                "SocketIOCluster",
                "SocketIOConcurrency",
                "SocketIOCore",
                .target(name: "SocketIOMongoAdapter", condition: .when(traits: ["MongoDB"])),
                "SocketIOText",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "SocketIOEmit",
            dependencies: [
                "SocketIOCluster",
                "SocketIOCore",
                "SocketIOEmitter",
                .target(name: "SocketIOMongoAdapter", condition: .when(traits: ["MongoDB"])),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "SocketIOChat",
            dependencies: [
                "EngineIO",
                "SwiftSocketIO",
                .target(name: "SocketIOMongoAdapter", condition: .when(traits: ["MongoDB"])),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            path: "Examples/Chat",
            exclude: ["Dockerfile", "PROTOCOL.md"],
            resources: [.copy("Public")],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "SocketIOLoadServer",
            dependencies: [
                "EngineIO",
                "SwiftSocketIO",
                .target(name: "SocketIOHummingbird", condition: .when(traits: ["Hummingbird"])),
                .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Hummingbird"])),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .target(name: "SocketIOMongoAdapter", condition: .when(traits: ["MongoDB"])),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Benchmarks/Load/Server",
            exclude: ["README.md"],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "SocketIOConformanceServer",
            dependencies: [
                "EngineIO",
                "SwiftSocketIO",
                "SocketIOCluster",
                "SocketIOCore",
                .target(name: "SocketIOMongoAdapter", condition: .when(traits: ["MongoDB"])),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "IntegrationTests/ConformanceServer",
            swiftSettings: settings
        ),
        .target(
            name: "SocketIOFuzzTargets",
            dependencies: [
                "EngineIO",
                "EngineIOCore",
                "SocketIOMessagePack",
                "SwiftSocketIO",
                "SocketIOCluster",
                "SocketIOCore",
                "SocketIOText",
                .target(name: "SocketIOMongoAdapter", condition: .when(traits: ["MongoDB"])),
                .target(name: "SocketIOMongoClient", condition: .when(traits: ["MongoDB"])),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            path: "Fuzzing/Targets",
            swiftSettings: settings
        ),
        .testTarget(
            name: "FuzzTests",
            dependencies: ["SocketIOFuzzTargets", "SocketIOCore", .product(name: "NIOCore", package: "swift-nio")],
            swiftSettings: settings
        ),
        .testTarget(name: "SocketIOTextTests", dependencies: ["SocketIOText"], swiftSettings: settings),
        .testTarget(
            name: "SocketIOMessagePackTests",
            dependencies: ["SocketIOMessagePack", .product(name: "NIOCore", package: "swift-nio")],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SocketIOMongoClientTests",
            dependencies: [
                "SocketIOMongoClient",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "EngineIOTestSupport",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Tests/EngineIOTestSupport",
            swiftSettings: settings
        ),
        .target(
            name: "SocketIOTestSupport",
            dependencies: [
                "SocketIOCore",
                "SocketIOTesting",
                "SocketIOText",
                "SwiftSocketIO",
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            path: "Tests/SocketIOTestSupport",
            swiftSettings: settings
        ),
        .testTarget(
            name: "SocketIOHummingbirdTests",
            dependencies: [
                "EngineIO",
                "EngineIOTestSupport",
                "SocketIOCore",
                "SwiftSocketIO",
                "SocketIOHummingbird",
                "SocketIOTesting",
                .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Hummingbird"])),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EngineIOCoreTests",
            dependencies: [
                "EngineIOCore",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EngineIOTests",
            dependencies: [
                "SocketIOConcurrency",
                "EngineIOCore",
                "EngineIO",
                "EngineIOTestSupport",
                "SocketIOCore",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
                .product(name: "_NIOFileSystem", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SocketIOClusterTests",
            dependencies: [
                "SocketIOConcurrency",
                "EngineIOCore",
                "SocketIOCluster",
                "SocketIOCore",
                "SocketIOTestSupport",
                "SocketIOTesting",
                "SocketIOText",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SocketIOClusterServerTests",
            dependencies: [
                "SocketIOConcurrency",
                "EngineIOCore",
                "SwiftSocketIO",
                "SocketIOCluster",
                "SocketIOCore",
                "SocketIOTestSupport",
                "SocketIOTesting",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SwiftSocketIOTests",
            dependencies: [
                "SocketIOCluster",
                "SocketIOConcurrency",
                "EngineIOCore",
                "EngineIO",
                "EngineIOTestSupport",
                "SwiftSocketIO",
                "SocketIOCore",
                "SocketIOTestSupport",
                "SocketIOTesting",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SocketIOTestingTests",
            dependencies: [
                "SocketIOConcurrency",
                "EngineIOCore",
                "SwiftSocketIO",
                "SocketIOCluster",
                "SocketIOCore",
                "SocketIOTestSupport",
                "SocketIOTesting",
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        // What an application sees of the public API: it imports nothing else, with the strictest rule for imports.
        .testTarget(
            name: "ApplicationTests",
            dependencies: [
                "SwiftSocketIO",
                .target(name: "SocketIOMongoAdapter", condition: .when(traits: ["MongoDB"])),
                .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Hummingbird"])),
            ],
            swiftSettings: [.enableUpcomingFeature("MemberImportVisibility")]
        ),
        // An application that is isolated to the main actor by default, as new projects of Xcode are.
        .testTarget(
            name: "MainActorTests",
            dependencies: ["SwiftSocketIO", "SocketIOTesting"],
            swiftSettings: [.defaultIsolation(MainActor.self)]
        ),
        // What the articles and the README show, compiled as users compile it: without the upcoming features of this package.
        .testTarget(
            name: "DocumentationTests",
            dependencies: [
                "SocketIOMongoTesting",
                "SocketIOCluster",
                "SocketIOConcurrency",
                "EngineIOCore",
                "EngineIO",
                "SocketIOMessagePack",
                .target(name: "SocketIOMongoClient", condition: .when(traits: ["MongoDB"])),
                "SwiftSocketIO",
                "SocketIOCore",
                "SocketIOEmitter",
                "SocketIOHummingbird",
                .target(name: "SocketIOMongoAdapter", condition: .when(traits: ["MongoDB"])),
                "SocketIOTesting",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Hummingbird"])),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .testTarget(
            name: "SocketIOCoreTests",
            dependencies: [
                "EngineIOCore",
                "SocketIOTestSupport",
                "SocketIOMessagePack", "SocketIOCore", "SocketIOText", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "SocketIOMongoFloor",
            dependencies: ["SocketIOMongoClient", "SocketIOMongoTesting", .product(name: "NIOCore", package: "swift-nio")],
            path: "Benchmarks/Load/MongoFloor",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "SocketIOReplicaSet",
            dependencies: ["SocketIOMongoTesting", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "IntegrationTests/ReplicaSet",
            swiftSettings: settings
        ),
        .testTarget(
            name: "SocketIOMongoAdapterTests",
            dependencies: [
                "EngineIOCore",
                "SocketIOConcurrency",
                "SocketIOMongoClient",
                "SocketIOCluster",
                "SocketIOCore",
                "SocketIOMongoAdapter",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            resources: [.copy("Resources")],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SocketIOEmitterTests",
            dependencies: [
                "EngineIOCore",
                "SocketIOCluster",
                "SocketIOCore",
                "SocketIOEmitter",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "MongoAdapterIntegrationTests",
            dependencies: [
                "EngineIOCore",
                "SocketIOMongoTesting",
                "EngineIO",
                "SocketIOMongoClient",
                "SwiftSocketIO",
                "SocketIOCluster",
                "SocketIOCore",
                "SocketIOEmitter",
                "SocketIOMongoAdapter",
                "SocketIOConcurrency",
                "SocketIOTestSupport",
                "SocketIOTesting",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "IntegrationTests/MongoAdapterTests",
            swiftSettings: settings
        ),
        .testTarget(
            name: "MongoClientIntegrationTests",
            dependencies: [
                "SocketIOMongoClient", "SocketIOMongoTesting", "SocketIOTesting", .product(name: "NIOCore", package: "swift-nio"),
            ],
            path: "IntegrationTests/MongoClientTests",
            swiftSettings: settings
        ),
    ]
)

// The fuzzer only links with a sanitizer that brings the main function; see scripts/fuzz.
if Context.environment["FUZZING"] != nil {
    package.targets.append(
        .executableTarget(name: "SocketIOFuzzer", dependencies: ["SocketIOFuzzTargets"], path: "Fuzzing/Runner", swiftSettings: settings)
    )
}

// The load generator uses epoll.
#if os(Linux)
package.targets += [
    .systemLibrary(name: "CSocketIOLinuxEvents"),
    .executableTarget(
        name: "SocketIOLoadGenerator",
        dependencies: [
            "CSocketIOLinuxEvents",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .product(name: "Histogram", package: "hdrhistogram-swift"),
        ],
        path: "Benchmarks/Load/Generator",
        exclude: ["README.md"],
        swiftSettings: settings
    ),
    .testTarget(name: "SocketIOLoadGeneratorTests", dependencies: ["SocketIOLoadGenerator"], swiftSettings: settings),
]
#endif
