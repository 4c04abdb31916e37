// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOMessagePack
import Testing

@testable import SocketIOCore

/// What the decoder makes of packets, beside what socket.io-parser 4.2 makes of them.
@Suite struct ReferenceParserTests {
    private enum Outcome: Equatable, Sendable {
        case connect(String, auth: String?)
        case disconnect(String)
        case event(String, [String], id: UInt64?)
        case acknowledgement(UInt64, [String])
        case connectError(String?)
        case refused
    }

    private struct Case: Sendable, CustomTestStringConvertible {
        let text: String
        let outcome: Outcome
        /// Why this decoder is stricter than the reference.
        let note: String?
        var testDescription: String { text }

        init(_ text: String, _ outcome: Outcome, stricter note: String? = nil) {
            self.text = text
            self.outcome = outcome
            self.note = note
        }
    }

    private static let headers = [
        Case("0", .connect("/", auth: nil)),
        Case("0{\"a\":1}", .connect("/", auth: "{\"a\":1}")),
        Case("0 {\"a\":1}", .connect("/", auth: "{\"a\":1}")),
        Case("0\t\r\n {\"a\":1}", .connect("/", auth: "{\"a\":1}")),
        Case("0{\"a\":1} ", .connect("/", auth: "{\"a\":1} ")),
        Case("0/x, {}", .connect("/x", auth: "{}")),
        Case("0/x,", .connect("/x", auth: nil)),
        Case("0/x", .connect("/x", auth: nil)),
        Case("0 ", .connect("/", auth: nil)),
        Case("012 {}", .connect("/", auth: "{}")),
        Case("0[]", .refused), Case("0null", .refused), Case("0\"x\"", .refused), Case("0 1", .connect("/", auth: nil)),
        Case("0\u{a0}{}", .refused, stricter: "only the white space of JSON is skipped"),
        Case("", .refused, stricter: "the reference takes it for a CONNECT, since Number('') is 0"),
        Case("1", .disconnect("/")), Case("1/x,", .disconnect("/x")), Case("1 ", .disconnect("/")), Case("1{}", .refused),
        Case("4\"no\"", .connectError("\"no\"")), Case("4{\"message\":\"no\"}", .connectError("{\"message\":\"no\"}")),
        Case("4[]", .refused), Case("41 \"no\"", .connectError("\"no\"")),
        Case("7", .refused), Case("-1", .refused), Case("a", .refused),
    ]

    private static let events = [
        Case("2[\"e\"]", .event("e", [], id: nil)),
        Case("21[\"e\"]", .event("e", [], id: 1)),
        Case("2 [\"e\"]", .event("e", [], id: nil)),
        Case("2 1[\"e\"]", .event("e", [], id: 1)),
        Case("21 [ \"e\" , 1 ] ", .event("e", ["1"], id: 1)),
        Case("2/x, 7 [\"e\"]", .event("e", [], id: 7)),
        Case("20[\"e\"]", .event("e", [], id: 0)),
        Case("2007[\"e\"]", .event("e", [], id: 7)),
        Case("2[\"\\u0065\"]", .event("e", [], id: nil)),
        Case("2[\"\"]", .event("", [], id: nil)),
        Case("2[\"e\",{\"_placeholder\":true,\"num\":0}]", .event("e", ["{\"_placeholder\":true,\"num\":0}"], id: nil)),
        Case("50-[\"e\",{\"_placeholder\":true,\"num\":7}]", .event("e", ["{\"_placeholder\":true,\"num\":7}"], id: nil)),
        Case("2", .refused, stricter: "the reference lets it through as an event without a name"),
        Case("2[]", .refused), Case("2{}", .refused), Case("2[null]", .refused), Case("2[true]", .refused), Case("2[[]]", .refused),
        Case("2[\"connect\"]", .refused), Case("2[\"e\",]", .refused), Case("2[\"e\"],", .refused), Case("2['e']", .refused),
        Case("2[\"e\",01]", .refused), Case("2[\"e\",.5]", .refused), Case("2[\"e\",NaN]", .refused), Case("2[\"e\" 1]", .refused),
        Case("2[\"\u{1}\"]", .refused), Case("2[\"\\x\"]", .refused), Case("21.5[\"e\"]", .refused),
        Case("31[]", .acknowledgement(1, [])), Case("31 [1]", .acknowledgement(1, ["1"])), Case("31{}", .refused),
        Case("3[]", .refused, stricter: "the reference looks for an acknowledgement without an id, and finds none"),
        Case("5[\"e\"]", .refused), Case("5x-[\"e\"]", .refused), Case("5-1-[\"e\"]", .refused),
    ]

    /// Numbers as names are what JavaScript makes of them as keys.
    private static let numbers = [
        ("1.0", "1"), ("1", "1"), ("0", "0"), ("-0", "0"), ("-0.0", "0"), ("-1", "-1"), ("1e3", "1000"), ("1E3", "1000"), ("0.5", "0.5"),
        ("5e-1", "0.5"), ("1e21", "1e+21"), ("1e20", "100000000000000000000"), ("123456789012345678901", "123456789012345680000"),
        ("9007199254740993", "9007199254740992"), ("1e-6", "0.000001"), ("1e-7", "1e-7"), ("1.5e-9", "1.5e-9"), ("1.25e30", "1.25e+30"),
        ("-1.25e-30", "-1.25e-30"), ("123.456", "123.456"), ("1e400", "Infinity"), ("-1e400", "-Infinity"), ("1e-400", "0"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"), ("5e-324", "5e-324"),
    ]

    private func outcome(_ text: String) -> Outcome {
        var decoder = PacketDecoderStateMachine(format: .json)
        guard let packet = try? decoder.receive(text: ByteBuffer(string: text)) else { return .refused }
        func texts(_ arguments: EventArguments) -> [String] {
            (0..<arguments.count).compactMap { arguments[$0].map { String(buffer: $0.bytes) } }
        }
        switch packet.content {
        case .connect(let auth): return .connect(packet.namespace, auth: auth.map { String(buffer: $0.bytes) })
        case .disconnect: return .disconnect(packet.namespace)
        case .event(let name, let arguments, let id): return .event(name, texts(arguments), id: id)
        case .acknowledgement(let id, let arguments): return .acknowledgement(id, texts(arguments))
        case .connectError(let value): return .connectError(value.map { String(buffer: $0.bytes) })
        case .discarded: return .refused
        }
    }

    @Test(arguments: headers + events)
    private func `packets are what they are for the reference`(known: Case) { #expect(outcome(known.text) == known.outcome) }

    @Test(arguments: numbers)
    func `a number names the event that JavaScript names with it`(text: String, name: String) throws {
        #expect(outcome("21[\(text)]") == .event(name, [], id: 1))
        guard let value = Double(text) else { return }
        let packet = MessagePackValue.map([.init("type", 2), .init("nsp", "/"), .init("data", [.double(value), 1])])
        var decoder = PacketDecoderStateMachine(format: .messagePack)
        guard case .event(name, _, nil)? = try decoder.receive(binary: packet.encoded())?.content else {
            throw PacketError(.illegalPayload)
        }
    }

    @Test func `a placeholder in a text event is a plain object for every type`() throws {
        var decoder = PacketDecoderStateMachine(format: .json)
        let text = ByteBuffer(string: #"2["e",{"_placeholder":true,"num":0}]"#)
        guard case .event(_, let arguments, _)? = try decoder.receive(text: text)?.content else { throw PacketError(.illegalPayload) }
        #expect(try arguments.decode(SocketIOValue.self, at: 0) == ["_placeholder": true, "num": 0])
        struct Placeholder: Codable, Equatable {
            let _placeholder: Bool
            let num: Int
        }
        #expect(try arguments.decode(Placeholder.self, at: 0) == Placeholder(_placeholder: true, num: 0))
        #expect(throws: DecodingError.self) { try arguments.decode(ByteBuffer.self, at: 0) }
    }

    @Test func `an object that others would take for an attachment is not sent beside one`() throws {
        let encoder = PacketEncoder(format: .json)
        let (object, binary): (SocketIOValue, SocketIOValue) = (["_placeholder": true, "num": 0], .binary(ByteBuffer(bytes: [1])))
        #expect(try encoder.event("e", namespace: "/") { try $0.append(object) }.attachments.isEmpty)
        #expect(throws: EncodingError.self) { try encoder.event("e", namespace: "/") { try $0.append([object, binary] as SocketIOValue) } }
        #expect(throws: EncodingError.self) {
            try encoder.event("e", namespace: "/") {
                try $0.append(
                    contentsOf: EventArguments(array: ByteBuffer(string: #"[{"\u005fplaceholder":true,"num":9}]"#), format: .json)
                )
                try $0.append(binary)
            }
        }
        let harmless: [SocketIOValue] = [
            ["_placeholder": false], ["_placeholder": "true"], "\"_placeholder\":true", "_placeholder\"", "\u{1}",
        ]
        for value in harmless {
            let packet = try encoder.event("e", namespace: "/") { try $0.append([value, binary] as SocketIOValue) }
            #expect(packet.attachments.count == 1)
        }
    }
}
