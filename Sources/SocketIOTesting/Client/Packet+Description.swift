// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore
import SocketIOText

// Failures of tests show packets. The server's own code never prints their content, so this is only for tests.

extension Packet: CustomStringConvertible {
    /// The packet as the JSON parser writes it, such as `2/admin,7["hello",{"a":1}]`, whatever the format. Keys
    /// are sorted, and binary is shown by its size.
    public var description: String {
        let prefix = namespace == "/" ? "" : namespace + ","
        return switch content {
        case .connect(let auth): "0" + prefix + (auth?.description ?? "")
        case .disconnect: "1" + prefix
        case .event(let name, let arguments, let id):
            "2" + prefix + (id.map(String.init) ?? "") + JSONText.array([JSONText.string(name)] + arguments.texts)
        case .acknowledgement(let id, let arguments): "3" + prefix + String(id) + arguments.description
        case .connectError(let error): "4" + prefix + (error?.description ?? "")
        case .discarded(let type, let event, let id):
            "\(type.rawValue)" + prefix + (id.map(String.init) ?? "") + "<\(event ?? "payload") nested too deeply>"
        }
    }
}

extension EventArguments: CustomStringConvertible {
    /// The arguments as a JSON array, whatever the format. Binary is shown by its size.
    public var description: String { JSONText.array(texts) }

    fileprivate var texts: [String] { (0..<count).map { self[$0]?.description ?? "" } }
}

extension EncodedValue: CustomStringConvertible {
    /// The value as JSON, whatever the format. Binary is shown by its size.
    public var description: String {
        guard let value = try? decode(SocketIOValue.self) else { return "<\(bytes.readableBytes) bytes that cannot be decoded>" }
        return JSONText.of(value)
    }
}

extension TestClient.Message: CustomStringConvertible {
    /// The text, or the number of bytes.
    public var description: String {
        switch self {
        case .text(let text): text
        case .binary(let bytes): "<\(bytes.readableBytes) bytes>"
        }
    }
}

extension Inbox.Item: CustomStringConvertible {
    var description: String {
        if case .success(let packet)? = packet { return packet.description }
        return messages.map(\.description).joined(separator: " + ")
    }
}

private enum JSONText {
    static func of(_ value: SocketIOValue) -> String {
        switch value {
        case .binary(let bytes): return "<\(bytes.readableBytes) bytes>"
        case .array(let elements): return array(elements.map(of))
        case .object(let members):
            let sorted = members.map { (string($0.0), of($0.1)) }.sorted { $0.0 < $1.0 }
            return "{" + sorted.map { $0.0 + ":" + $0.1 }.joined(separator: ",") + "}"
        case .null, .bool, .int, .uint, .double, .string:
            let arguments = try? PacketEncoder(format: .json).arguments { writer in try writer.append(value) }
            return arguments?[0].map { String(buffer: $0.bytes) } ?? "\(value)"
        }
    }

    static func string(_ text: String) -> String { of(.string(text)) }

    static func array(_ elements: [String]) -> String { "[" + elements.joined(separator: ",") + "]" }
}
