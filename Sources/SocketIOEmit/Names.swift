// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

#if MongoDB
import SocketIOMongoAdapter
#endif

/// A wire format by its name.
struct WireFormatName: ExpressibleByArgument {
    private enum Name: String, CaseIterable { case native, nodejs, socketioxide }
    private var name = Name.native

    init() {}

    init?(argument: String) {
        guard let name = Name(rawValue: argument) else { return nil }
        self.name = name
    }

    var defaultValueDescription: String { name.rawValue }
    static var allValueStrings: [String] { Name.allCases.map(\.rawValue) }

    #if MongoDB
    var value: MongoAdapterConfiguration.WireFormat {
        switch name {
        case .native: .native
        case .nodejs: .nodeJS
        case .socketioxide: .socketioxide
        }
    }
    #endif
}

/// `ttl`, `ttl:SECONDS`, `capped` or `capped:BYTES`.
struct ExpirationName: ExpressibleByArgument {
    private var isCapped = false
    private var number: Int?

    init() {}

    init?(argument: String) {
        let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        switch parts[0] {
        case "ttl": isCapped = false
        case "capped": isCapped = true
        default: return nil
        }
        guard parts.count == 2 else { return }
        guard let number = Int(parts[1]), number > 0 else { return nil }
        self.number = number
    }

    var defaultValueDescription: String { "ttl" }

    #if MongoDB
    var value: MongoAdapterConfiguration.Expiration {
        if isCapped { return number.map { .capped(bytes: $0) } ?? .capped }
        return number.map { .ttl(.seconds($0)) } ?? .ttl
    }
    #endif
}
