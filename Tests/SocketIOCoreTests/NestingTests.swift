// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SocketIOMessagePack
import Testing

@testable import SocketIOCore

/// The documented nesting of arguments, 64 and 32 levels, and what is beyond.
@Suite struct NestingTests {
    private func text(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }

    private func packed(_ depth: Int) -> [UInt8] { [UInt8](repeating: 0x91, count: depth - 1) + [0x90] }

    private func field(_ name: String) -> [UInt8] { [0xa0 | UInt8(name.utf8.count)] + Array(name.utf8) }

    /// An event as the client of the NPM package writes it, with the namespace behind the arguments.
    private func event(_ argument: [UInt8], id: UInt8? = nil) -> ByteBuffer {
        let head: [UInt8] = [id == nil ? 0x83 : 0x84] + field("type") + [2] + field("data") + [0x93] + field("e")
        return ByteBuffer(bytes: head + argument + [7] + (id.map { field("id") + [$0] } ?? []) + field("nsp") + field("/n"))
    }

    private func receive(json: String) throws -> Packet? {
        var decoder = PacketDecoderStateMachine(format: .json)
        return try decoder.receive(text: ByteBuffer(string: json))
    }

    private func receive(_ bytes: ByteBuffer) throws -> Packet? {
        var decoder = PacketDecoderStateMachine(format: .messagePack)
        return try decoder.receive(binary: bytes)
    }

    private func check(_ packet: Packet?, _ type: PacketType, event: String?, id: UInt64?, namespace: String = "/") {
        guard let packet, case .discarded(type, event, id) = packet.content, packet.namespace == namespace else {
            Issue.record("\(String(describing: packet))")
            return
        }
    }

    @Test func `an argument may have exactly the documented depth`() throws {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deepest = String(repeating: open, count: 64) + "1" + String(repeating: close, count: 64)
            guard case .event("e", let arguments, 3)? = try receive(json: "23[\"e\",\(deepest),\(deepest)]")?.content else {
                throw PacketError(.illegalPayload)
            }
            let value = try arguments.decode(SocketIOValue.self, at: 1)
            let again = try PacketEncoder(format: .json).event("e", namespace: "/", id: 3) { writer in
                for _ in 0..<2 { try writer.append(value) }
            }
            #expect(String(buffer: again.message) == "23[\"e\",\(deepest),\(deepest)]")
            check(try receive(json: "23[\"e\",1,\(open)\(deepest)\(close),1]"), .event, event: "e", id: 3)
        }
        guard case .event("e", let arguments, nil)? = try receive(event(packed(32)))?.content else { throw PacketError(.illegalPayload) }
        let value = try arguments.decode(SocketIOValue.self, at: 0)
        let again = try PacketEncoder(format: .messagePack).event("e", namespace: "/") { try $0.append(value) }
        guard case .event("e", _, nil)? = try receive(again.message)?.content else { throw PacketError(.illegalPayload) }
        check(try receive(event(packed(33))), .event, event: "e", id: nil, namespace: "/n")
        check(try receive(event(packed(33), id: 9)), .event, event: "e", id: 9, namespace: "/n")
    }

    @Test func `binary is as deep as everything else`() throws {
        let placeholder = #"{"_placeholder":true,"num":0}"#
        for (depth, fits) in [(63, true), (64, false)] {
            var decoder = PacketDecoderStateMachine(format: .json)
            let argument = String(repeating: "[", count: depth) + placeholder + String(repeating: "]", count: depth)
            #expect(try decoder.receive(text: ByteBuffer(string: "51-/b,4[\"e\",\(argument)]")) == nil)
            #expect(decoder.isWaitingForAttachments)
            let packet = try decoder.receive(binary: ByteBuffer(bytes: [1]))
            #expect(!decoder.isWaitingForAttachments)
            if fits {
                guard case .event("e", let arguments, 4)? = packet?.content else { throw PacketError(.illegalPayload) }
                #expect(arguments.attachments.count == 1)
            } else {
                check(packet, .event, event: "e", id: 4, namespace: "/b")
            }
            // The decoder goes on.
            #expect(try decoder.receive(text: ByteBuffer(string: "2[\"next\"]")) != nil)
        }
    }

    @Test func `every type of packet is discarded, with what is known of it`() throws {
        let deep = text(65)
        check(try receive(json: "3/n,8[1,\(deep)]"), .acknowledgement, event: nil, id: 8, namespace: "/n")
        check(try receive(json: "0/n,{\"a\":\(deep)}"), .connect, event: nil, id: nil, namespace: "/n")
        check(try receive(json: "4{\"a\":\(deep)}"), .connectError, event: nil, id: nil)
        // Without a name it is not an event.
        #expect(throws: PacketError(.illegalPayload)) { try receive(json: "2[\(deep)]") }
        #expect(throws: PacketError(.illegalPayload)) { try receive(json: "2" + String(repeating: "[", count: 100_000)) }
        #expect(throws: PacketError(.eventNameTooLong)) { try receive(json: "2[\"\(String(repeating: "x", count: 300))\",\(deep)]") }
        #expect(throws: PacketError(.illegalPayload)) { try receive(json: "2[\"disconnect\",\(deep)]") }
    }

    @Test(.timeLimit(.minutes(1))) func `hostile depth takes linear time and costs the packet only`() throws {
        let count = 990_000
        let open = String(repeating: "[", count: count)
        let clock = ContinuousClock()
        let time = try clock.measure {
            check(try receive(json: "21[\"e\",\(open)"), .event, event: "e", id: 1)
            check(try receive(json: "21[\"e\",\(text(count / 2))]"), .event, event: "e", id: 1)
            check(try receive(json: "21[\"e\"," + String(repeating: "{\"a\":", count: count / 5)), .event, event: "e", id: 1)
            check(try receive(event(packed(count))), .event, event: "e", id: nil, namespace: "/n")
            let maps = [UInt8]((0..<count / 3).flatMap { _ in [0x81, 0xa1, 0x61] as [UInt8] }) + [0xc0]
            check(try receive(event(maps)), .event, event: "e", id: nil, namespace: "/n")
        }
        #expect(time < .seconds(10))
        // Without its end it is not known whom the packet is for, unless that comes first.
        #expect(throws: PacketError.self) { try receive(ByteBuffer(bytes: event(packed(50)).readableBytesView.dropLast(8))) }
        let first: [UInt8] = [0x83] + field("type") + [2] + field("nsp") + field("/") + field("data") + [0x92] + field("e")
        check(try receive(ByteBuffer(bytes: first + [UInt8](repeating: 0x91, count: count))), .event, event: "e", id: nil)
    }
}
