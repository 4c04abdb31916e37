// swift-tools-version: 6.2
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
        .library(name: "MessagePack", targets: ["MessagePack"]),
        .library(name: "SocketIOCore", targets: ["SocketIOCore"]),
        .library(name: "SocketIOCluster", targets: ["SocketIOCluster"]),
        .library(name: "EngineIO", targets: ["EngineIO"]),
        .library(name: "SocketIO", targets: ["SocketIO"]),
        .library(name: "SocketIOHummingbird", targets: ["SocketIOHummingbird"]),
        .library(name: "SocketIOTesting", targets: ["SocketIOTesting"]),
        .library(name: "MongoClient", targets: ["MongoClient"]),
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
            name: "CMessagePack",
            pkgConfig: "msgpack",
            providers: [.apt(["libmsgpack-dev"]), .brew(["msgpack"])]
        ),
        .systemLibrary(name: "CSystemShims"),
        .systemLibrary(
            name: "CZlib",
            pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]
        ),
        .target(name: "SocketIOText", swiftSettings: settings),
        .target(
            name: "MessagePack",
            dependencies: ["CMessagePack", "SocketIOText", .product(name: "NIOCore", package: "swift-nio")],
            swiftSettings: settings
        ),
        .target(
            name: "SocketIOCore",
            dependencies: [
                "MessagePack",
                "SocketIOText",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "SocketIOCluster",
            dependencies: [
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
                "CSystemShims",
                "CZlib",
                "SocketIOCore",
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
                .product(name: "NIOWebSocket", package: "swift-nio"),
                .product(name: "_NIOFileSystem", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "SocketIOHummingbird",
            dependencies: [
                "EngineIO",
                "SocketIO",
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
            name: "SocketIO",
            dependencies: [
                "EngineIO",
                "MessagePack",
                "SocketIOCore",
                "SocketIOText",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HeapModule", package: "swift-collections"),
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
                .target(name: "MongoClient", condition: .when(traits: ["MongoDB"])),
                "CSystemShims",
                "EngineIO",
                "MessagePack",
                "SocketIO",
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
        .systemLibrary(
            name: "CLibMongoC",
            pkgConfig: "libmongoc-1.0",
            providers: [.apt(["libmongoc-dev"]), .brew(["mongo-c-driver@1"])]
        ),
        .target(
            name: "MongoClient",
            dependencies: [
                .target(name: "CLibMongoC", condition: .when(traits: ["MongoDB"])),
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
                .target(name: "MongoClient", condition: .when(traits: ["MongoDB"])),
                "MessagePack",
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
                "SocketIOCluster",
                "SocketIOCore",
                .target(name: "SocketIOMongoAdapter", condition: .when(traits: ["MongoDB"])),
                "SocketIOText",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "SocketIOEmit",
            dependencies: [
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
            name: "ChatServer",
            dependencies: [
                "EngineIO",
                "SocketIO",
                .target(name: "SocketIOMongoAdapter", condition: .when(traits: ["MongoDB"])),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            exclude: ["Dockerfile", "PROTOCOL.md"],
            resources: [.copy("Public")],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "LoadTarget",
            dependencies: [
                "EngineIO",
                "SocketIO",
                .target(name: "SocketIOHummingbird", condition: .when(traits: ["Hummingbird"])),
                .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Hummingbird"])),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .target(name: "SocketIOMongoAdapter", condition: .when(traits: ["MongoDB"])),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            exclude: ["README.md"],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "ConformanceServer",
            dependencies: [
                "EngineIO",
                "SocketIO",
                "SocketIOCore",
                .target(name: "SocketIOMongoAdapter", condition: .when(traits: ["MongoDB"])),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "IntegrationTests/ConformanceServer",
            swiftSettings: settings
        ),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "MessagePack",
                "SocketIO",
                "SocketIOCluster",
                "SocketIOCore",
                "SocketIOText",
                .target(name: "SocketIOMongoAdapter", condition: .when(traits: ["MongoDB"])),
                .target(name: "MongoClient", condition: .when(traits: ["MongoDB"])),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            path: "Fuzzing/Targets",
            swiftSettings: settings
        ),
        .testTarget(
            name: "FuzzTests",
            dependencies: ["FuzzTargets", "SocketIOCore", .product(name: "NIOCore", package: "swift-nio")],
            swiftSettings: settings
        ),
        .testTarget(name: "SocketIOTextTests", dependencies: ["SocketIOText"], swiftSettings: settings),
        .testTarget(
            name: "MessagePackTests",
            dependencies: ["MessagePack", .product(name: "NIOCore", package: "swift-nio")],
            swiftSettings: settings
        ),
        .testTarget(
            name: "MongoClientTests",
            dependencies: [
                "MongoClient",
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
        .testTarget(
            name: "SocketIOHummingbirdTests",
            dependencies: [
                "EngineIO",
                "EngineIOTestSupport",
                "SocketIO",
                "SocketIOHummingbird",
                "SocketIOTesting",
                .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Hummingbird"])),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EngineIOTests",
            dependencies: [
                "EngineIO",
                "EngineIOTestSupport",
                "SocketIOCore",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
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
                "SocketIOCluster",
                "SocketIOCore",
                "SocketIOText",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SocketIOClusterServerTests",
            dependencies: [
                "SocketIO",
                "SocketIOCluster",
                "SocketIOCore",
                "SocketIOTesting",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SocketIOTests",
            dependencies: [
                "EngineIO",
                "EngineIOTestSupport",
                "SocketIO",
                "SocketIOCore",
                "SocketIOTesting",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SocketIOTestingTests",
            dependencies: [
                "SocketIO",
                "SocketIOCluster",
                "SocketIOCore",
                "SocketIOTesting",
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        // What the articles and the README show, compiled as users compile it: without the upcoming features of this package.
        .testTarget(
            name: "DocumentationTests",
            dependencies: [
                "EngineIO",
                "MessagePack",
                .target(name: "MongoClient", condition: .when(traits: ["MongoDB"])),
                "SocketIO",
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
                "MessagePack", "SocketIOCore", "SocketIOText", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "MongoBenchmark",
            dependencies: ["MongoClient", "SocketIOTesting", .product(name: "NIOCore", package: "swift-nio")],
            path: "IntegrationTests/MongoBenchmark",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "ReplicaSet",
            dependencies: ["SocketIOTesting", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "IntegrationTests/ReplicaSet",
            swiftSettings: settings
        ),
        .testTarget(
            name: "SocketIOMongoAdapterTests",
            dependencies: [
                "MongoClient",
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
                "EngineIO",
                "MongoClient",
                "SocketIO",
                "SocketIOCluster",
                "SocketIOCore",
                "SocketIOEmitter",
                "SocketIOMongoAdapter",
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
            dependencies: ["MongoClient", "SocketIOTesting", .product(name: "NIOCore", package: "swift-nio")],
            path: "IntegrationTests/MongoClientTests",
            swiftSettings: settings
        ),
    ]
)

// The fuzzer only links with a sanitizer that brings the main function; see scripts/fuzz.
if Context.environment["FUZZING"] != nil {
    package.targets.append(
        .executableTarget(name: "Fuzzer", dependencies: ["FuzzTargets"], path: "Fuzzing/Runner", swiftSettings: settings)
    )
}

// The load generator uses epoll.
#if os(Linux)
package.targets += [
    .systemLibrary(name: "CLinuxEvents"),
    .executableTarget(
        name: "LoadGenerator",
        dependencies: [
            "CLinuxEvents",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .product(name: "Histogram", package: "hdrhistogram-swift"),
        ],
        exclude: ["README.md"],
        swiftSettings: settings
    ),
]
#endif
