// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import EngineIOCore
import SocketIOCluster
import Foundation
import SocketIOMongoClient
import NIOCore
import SocketIOCore
@testable import SocketIOMongoAdapter
import Testing

/// A document that a Node.js server or emitter has written.
struct NodeJSFixture: CustomTestStringConvertible, Sendable {
    let name: String
    let document: BSONDocument
    let json: String

    var testDescription: String { name }

    static let all: [NodeJSFixture] = {
        guard let url = Bundle.module.url(forResource: "nodejs", withExtension: "tsv", subdirectory: "Resources"),
            let text = try? String(contentsOf: url, encoding: .utf8)
        else { return [] }
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
            let fields = line.split(separator: "\t", maxSplits: 2)
            guard fields.count == 3, let document = try? BSONDocument(validating: bytes(fields[1])) else { return nil }
            return NodeJSFixture(name: String(fields[0]), document: document, json: String(fields[2]))
        }
    }()

    static func named(_ name: String) throws -> BSONDocument { try #require(all.first { $0.name == name }).document }

    private static func bytes(_ digits: Substring) -> ByteBuffer {
        let digits = Array(digits.utf8)
        return ByteBuffer(
            bytes: stride(from: 0, to: digits.count - 1, by: 2).compactMap { index in
                UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16)
            }
        )
    }

    // MARK: What our side makes of it

    static func format(_ parser: PacketFormat = .json, recovers: Bool = false, addsCreatedAt: Bool = false) -> NodeJSWireFormat {
        let format = NodeJSWireFormat(addsCreatedAt: addsCreatedAt, life: 0)
        format.serve(parser, recovers: recovers)
        return format
    }

    /// The only item of a document.
    static func item(
        _ document: BSONDocument,
        _ format: NodeJSWireFormat = format(),
        for node: NodeID = "me"
    ) throws -> DriverItem {
        var items: [DriverItem] = []
        format.decode(document, for: node, into: &items)
        try #require(items.count == 1)
        return items[0]
    }

    static func message(_ document: BSONDocument, _ format: NodeJSWireFormat = format()) throws -> ClusterMessage {
        let item = try item(document, format)
        guard case .message(let header, let payload) = item else {
            throw Unexpected(text: "\(item)")
        }
        return ClusterMessage(header: header, body: try payload.body(for: header))
    }

    /// The text of a packet of the default parser.
    static func text(_ document: BSONDocument, _ format: NodeJSWireFormat = format()) throws -> String {
        guard case .broadcast(let packet, _) = try message(document, format).body else { throw Unexpected(text: "no broadcast") }
        return String(buffer: packet.encoded.message)
    }

    struct Unexpected: Error { let text: String }
}

extension BSONDocument {
    /// Without some fields, in the order of another list of fields if there is one.
    func changed(without dropped: [String] = [], order: [String] = []) -> BSONDocument {
        BSONDocument { copy in
            for key in order { if let element = self[key] { copy.append(key, element) } }
            var reader = BSONReader(self)
            while let element = try? reader.next() {
                if !dropped.contains(element.key), !order.contains(element.key) { copy.append(element.key, element) }
            }
        }
    }

    /// With a field replaced.
    func replacing(_ key: String, _ change: (BSONElement, inout BSONWriter) -> Void) -> BSONDocument {
        BSONDocument { copy in
            var reader = BSONReader(self)
            while let element = try? reader.next() {
                if element.hasKey(key) { change(element, &copy) } else { copy.append(element.key, element) }
            }
        }
    }

    /// A document of Node.js as this package writes the same: no namespace and id in the packet, the adapter's order of the options.
    var asOurs: BSONDocument {
        replacing("data") { data, copy in
            let changed = (data.document ?? BSONDocument()).replacing("packet") { packet, copy in
                if let document = packet.document {
                    copy.append("packet", document.changed(without: ["nsp", "id"]))
                } else {
                    copy.append("packet", packet)
                }
            }
            copy.append(
                "data",
                changed.replacing("opts") { options, copy in
                    copy.append("opts", (options.document ?? BSONDocument()).changed(order: ["rooms", "except", "flags"]).withFlags)
                }
            )
        }
    }

    /// The default of a flag is not written, but no flags are.
    private var withFlags: BSONDocument {
        guard self["flags"] == nil else {
            return replacing("flags") { flags, copy in
                let flags = flags.document ?? BSONDocument()
                copy.append("flags", flags["compress"]?.bool == true ? flags.changed(without: ["compress"]) : flags)
            }
        }
        return BSONDocument { copy in
            var reader = BSONReader(self)
            while let element = try? reader.next() { copy.append(element.key, element) }
            copy.append("flags", BSONDocument())
        }
    }

    var hex: String { bytes.readableBytesView.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() }
}
#endif
