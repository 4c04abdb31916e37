// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import Foundation
import SocketIOMongoClient
import NIOCore
import SocketIOCore
import SocketIOMongoAdapter
import Testing

/// A document that a Rust node wrote.
struct SocketioxideFixture: CustomTestStringConvertible, Sendable {
    let name: String
    let document: BSONDocument

    var testDescription: String { name }

    static let all: [SocketioxideFixture] = {
        guard let url = Bundle.module.url(forResource: "socketioxide", withExtension: "txt", subdirectory: "Resources"),
            let text = try? String(contentsOf: url, encoding: .utf8)
        else { return [] }
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
            let parts = line.split(separator: " ")
            guard parts.count == 2, let bytes = Data(base64Encoded: String(parts[1])),
                let document = try? BSONDocument(validating: ByteBuffer(bytes: bytes))
            else { return nil }
            return SocketioxideFixture(name: String(parts[0]), document: document)
        }
    }()

    static func named(_ name: String) throws -> SocketioxideFixture { try #require(all.first { $0.name == name }) }

    /// A node that wrote none of them.
    static let stranger = "AAAAAAAAAAAAAAAA"

    /// As the node sees it that it is for.
    var message: ClusterMessage? {
        get throws {
            let node = document["target"]?.string ?? Self.stranger
            switch SocketioxideWireFormat.item(of: document, for: node) {
            case .message(let header, let payload): return ClusterMessage(header: header, body: try payload.body(for: header))
            case nil: return nil
            case let item?:
                Issue.record("\(name) is \(item)")
                return nil
            }
        }
    }

    /// The id inside the payload of a request.
    var payloadID: String? {
        guard document["t"]?.string == "Req", let data = document["data"]?.bytesOfIntegers else { return nil }
        return data.getString(at: data.readerIndex + 19, length: 16)
    }
}

extension SocketioxideWireFormat {
    /// What a document says to a node that has read nothing else.
    static func item(of document: BSONDocument, for node: NodeID) -> DriverItem? {
        var items: [DriverItem] = []
        SocketioxideWireFormat(hasDates: true).decode(document, for: node, into: &items)
        #expect(items.count <= 1)
        return items.first
    }
}
#endif
