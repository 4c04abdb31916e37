// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import EngineIOCore

@Suite struct WebSocketConnectionStateMachineTests {
    private typealias Action = WebSocketConnectionStateMachine.Action

    private static let mask: [UInt8] = [0x12, 0x34, 0x56, 0x78]

    /// A frame of a client with at most 125 bytes.
    private func frame(_ first: UInt8, _ payload: [UInt8] = []) -> [UInt8] {
        [first, 0x80 | UInt8(payload.count)] + Self.mask + payload.enumerated().map { $1 ^ Self.mask[$0 & 3] }
    }

    private func frame(_ first: UInt8, _ text: String) -> [UInt8] { frame(first, Array(text.utf8)) }

    private func closeFrame(_ code: UInt16, reason: String = "") -> [UInt8] {
        frame(0x88, [UInt8(code >> 8), UInt8(code & 0xff)] + Array(reason.utf8))
    }

    private func machine(maximumMessageSize: Int = 100, maximumFragments: Int = 3) -> WebSocketConnectionStateMachine {
        WebSocketConnectionStateMachine(maximumMessageSize: maximumMessageSize, maximumFragments: maximumFragments)
    }

    /// All actions of one read.
    private func read(_ machine: inout WebSocketConnectionStateMachine, _ bytes: [UInt8]) -> [Action] {
        var buffer = machine.begin(ByteBuffer(bytes: bytes))
        var actions: [Action] = []
        while let action = machine.next(from: &buffer) { actions.append(action) }
        machine.end(buffer)
        return actions
    }

    @Test func `messages arrive, whole or in fragments, wherever the bytes are cut`() {
        let bytes =
            frame(0x81, "a") + frame(0x82, [0, 1]) + frame(0x01, "b") + frame(0x00, "c") + frame(0x89, "ping") + frame(0x80, "d")
        for cut in 0...bytes.count {
            var machine = machine()
            let actions = read(&machine, Array(bytes[..<cut])) + read(&machine, Array(bytes[cut...]))
            #expect(
                actions == [.text(ByteBuffer(string: "a")), .binary(ByteBuffer(bytes: [0, 1])), .text(ByteBuffer(string: "bcd"))],
                "cut at \(cut)"
            )
            #expect(machine.bufferedBytes == 0)
        }
    }

    @Test func `what breaks the rules ends the connection with the right code`() {
        let cases: [([UInt8], WebSocketCloseCode)] = [
            (frame(0x80, "x"), .protocolError),
            (frame(0x01, "x") + frame(0x81, "y"), .protocolError),
            (frame(0x83), .protocolError),
            (frame(0x81, [0xff]), .invalidData),
            (frame(0x01, [0xe2]) + frame(0x80, [0x82]), .invalidData),
            (frame(0x81, [UInt8](repeating: 0x61, count: 101)), .messageTooLarge),
            (frame(0x01, [UInt8](repeating: 0x61, count: 60)) + frame(0x80, [UInt8](repeating: 0x61, count: 60)), .messageTooLarge),
            (frame(0x01, "a") + frame(0x00, "b") + frame(0x00, "c") + frame(0x80, "d"), .policyViolation),
            (closeFrame(1005), .protocolError),
            (frame(0x88, [3]), .protocolError),
        ]
        for (bytes, code) in cases {
            var machine = machine()
            #expect(read(&machine, bytes) == [.fail(code)], "\(bytes)")
            #expect(machine.phase == .closing)
            #expect(read(&machine, frame(0x81, "late")).isEmpty)
            let closes = machine.close()
            #expect(!closes, "only one close frame is sent")
        }
    }

    @Test(
        arguments: [
            (0, .protocolError), (999, .protocolError), (1000, nil), (1001, nil), (1002, nil), (1003, nil), (1004, .protocolError),
            (1005, .protocolError), (1006, .protocolError), (1007, nil), (1008, nil), (1009, nil), (1010, nil), (1011, nil), (1012, nil),
            (1013, nil), (1014, nil), (1015, .protocolError), (1016, .protocolError), (1100, .protocolError), (2000, .protocolError),
            (2999, .protocolError), (3000, nil), (3999, nil), (4000, nil), (4999, nil), (5000, .protocolError), (65_535, .protocolError),
        ] as [(UInt16, WebSocketCloseCode?)]
    )
    func `the codes that a client may send are those of section 7 dot 4`(code: UInt16, problem: WebSocketCloseCode?) {
        let echo = ByteBuffer(bytes: [0x88, 2, UInt8(code >> 8), UInt8(code & 0xff)])
        for reason in ["", "bye", "grüße"] {
            var machine = machine()
            #expect(read(&machine, closeFrame(code, reason: reason)) == [problem.map { .fail($0) } ?? .answerClose(echo)], "\(reason)")
        }
    }

    @Test(arguments: [[0xff], [0x61, 0xc3], [0xed, 0xa0, 0x80], [0xc0, 0xaf]] as [[UInt8]])
    func `a reason that is not UTF 8 is invalid data, unless the code is wrong already`(reason: [UInt8]) {
        var machine = machine()
        #expect(read(&machine, frame(0x88, [0x03, 0xe8] + reason)) == [.fail(.invalidData)])
        machine = self.machine()
        #expect(read(&machine, frame(0x88, [0x03, 0xed] + reason)) == [.fail(.protocolError)])
    }

    @Test func `a close frame is answered with its code`() {
        var machine = machine()
        #expect(read(&machine, closeFrame(3000, reason: "bye")) == [.answerClose(ByteBuffer(bytes: [0x88, 2, 0x0b, 0xb8]))])
        #expect(machine.phase == .closing)
        var other = self.machine()
        #expect(read(&other, frame(0x88)) == [.answerClose(ByteBuffer(bytes: [0x88, 0]))])
    }

    @Test func `after the servers close frame only the clients counts`() {
        var machine = machine()
        let closes = machine.close()
        #expect(closes)
        #expect(read(&machine, frame(0x81, "late") + frame(0x89) + closeFrame(1000)) == [.disconnect])
        #expect(!machine.owesPongs)
    }

    @Test func `pings of one read are answered together, and only the first ones and the latest`() throws {
        var machine = machine()
        let pings = (0..<100).flatMap { frame(0x89, [UInt8($0)]) }
        #expect(read(&machine, pings).isEmpty)
        #expect(machine.owesPongs)
        let taken = machine.takePongs(isWritable: true)
        let pongs = try #require(taken)
        let answered = Array(0..<15) + [99]
        #expect(Array(pongs.readableBytesView) == answered.flatMap { [0x8a, 1, UInt8($0)] })
        #expect(!machine.owesPongs)
    }

    @Test func `a client that reads nothing gets no pongs`() {
        var machine = machine()
        _ = read(&machine, frame(0x89))
        #expect(machine.takePongs(isWritable: false) == nil)
        for _ in 0..<WebSocketConnectionStateMachine.maximumPongs {
            _ = read(&machine, frame(0x89))
            #expect(machine.takePongs(isWritable: true) != nil)
        }
        _ = read(&machine, frame(0x89))
        #expect(machine.takePongs(isWritable: true) == nil)
        machine.pongsWritten()
        _ = read(&machine, frame(0x89))
        #expect(machine.takePongs(isWritable: true) != nil)
    }

    @Test func `an ended connection keeps nothing`() {
        var machine = machine()
        _ = read(&machine, frame(0x01, "beginning") + [0x81])
        #expect(machine.bufferedBytes == 10)
        let ended = machine.ended()
        #expect(ended)
        let endedAgain = machine.ended()
        #expect(!endedAgain)
        #expect(machine.bufferedBytes == 0)
        #expect(read(&machine, frame(0x81, "late")).isEmpty)
    }

    @Test(arguments: [0, 125, 126, 65_535, 65_536]) func `frames of every length have the right header`(count: Int) {
        let payload = ByteBuffer(repeating: 7, count: count)
        let frame = ByteBuffer.webSocketFrame(WebSocketFrameHeader.binary, payload)
        let length: [UInt8] =
            count < 126
            ? [UInt8(count)]
            : count < 65_536 ? [126, UInt8(count >> 8), UInt8(count & 0xff)] : [127, 0, 0, 0, 0, 0, 1, 0, 0]
        #expect(Array(frame.readableBytesView) == [0x82] + length + Array(payload.readableBytesView))
    }
}
