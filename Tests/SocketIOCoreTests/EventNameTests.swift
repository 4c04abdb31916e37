// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOMessagePack
import Testing

@testable import SocketIOCore

/// The names of events as clients send them.
@Suite struct EventNameTests {
    private static func json(_ text: String, limit: Int? = nil) -> Result<Packet?, any Error> {
        var decoder = PacketDecoderStateMachine(format: .json, limits: limit.map { .init(eventName: $0) } ?? .init())
        return Result { try decoder.receive(text: ByteBuffer(string: text)) }
    }

    private static func messagePack(_ name: String, limit: Int? = nil) throws -> Result<Packet?, any Error> {
        var decoder = PacketDecoderStateMachine(format: .messagePack, limits: limit.map { .init(eventName: $0) } ?? .init())
        let packet: MessagePackValue = ["type": 2, "nsp": "/", "data": [.string(name), 1]]
        let bytes = try packet.encoded()
        return Result { try decoder.receive(binary: bytes) }
    }

    private static func name(_ result: Result<Packet?, any Error>) throws -> String? {
        guard case .event(let name, _, _) = try result.get()?.content else { return nil }
        return name
    }

    private static func isTooLong(_ result: Result<Packet?, any Error>) -> Bool {
        if case .failure(let error as PacketError) = result { error.code == .eventNameTooLong } else { false }
    }

    @Test(arguments: [String(repeating: "n", count: 256), String(repeating: "\u{E9}", count: 128)])
    func `a name of 256 bytes is the longest`(name: String) throws {
        #expect(try Self.name(Self.json(#"2["\#(name)",1]"#)) == name)
        #expect(try Self.name(Self.messagePack(name)) == name)
        #expect(Self.isTooLong(Self.json(#"2["\#(name)n",1]"#)))
        #expect(try Self.isTooLong(Self.messagePack(name + "n")))
    }

    @Test func `escapes count as what they stand for`() throws {
        let escaped = String(repeating: #"\u0061"#, count: 256)
        #expect(try Self.name(Self.json(#"2["\#(escaped)"]"#)) == String(repeating: "a", count: 256))
        #expect(Self.isTooLong(Self.json(#"2["\#(escaped)\u0061"]"#)))
    }

    @Test func `the limit can be set, and marks are refused whatever it is`() throws {
        let name = String(repeating: "n", count: 300)
        #expect(try Self.name(Self.json(#"2["\#(name)"]"#, limit: 300)) == name)
        #expect(try Self.name(Self.messagePack(name, limit: 300)) == name)
        let marks = String(repeating: "\u{301}\u{323}", count: 200)
        #expect(Self.isTooLong(Self.json(#"2["\#(marks)"]"#, limit: .max)))
        #expect(try Self.isTooLong(Self.messagePack(marks, limit: .max)))
    }

    @Test func `attachments of an event whose name is too long are not waited for`() {
        let name = String(repeating: "n", count: 257)
        #expect(Self.isTooLong(Self.json(#"51-["\#(name)",{"_placeholder":true,"num":0}]"#)))
    }

    @Test func `acknowledgements have no name`() throws {
        let text = String(repeating: "n", count: 1_000)
        guard case .acknowledgement(7, let arguments) = try Self.json(#"37["\#(text)"]"#).get()?.content else { throw CancellationError() }
        #expect(try arguments.decode(String.self, at: 0) == text)
    }
}
