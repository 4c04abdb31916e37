// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import EngineIOCore

@Suite struct WebSocketFrameReaderTests {
    private typealias Opcode = WebSocketClientFrame.Opcode

    private struct Frame: Equatable {
        var opcode: WebSocketClientFrame.Opcode
        var isFinal = true
        var payload: [UInt8]
    }

    private static let mask: [UInt8] = [0x12, 0x34, 0x56, 0x78]

    /// What a client writes; `lengthBytes` is 0, 2 or 8 and by default as many as the length needs.
    private func encode(_ first: UInt8, _ payload: [UInt8], lengthBytes: Int? = nil) -> [UInt8] {
        let needed = payload.count < 126 ? 0 : payload.count < 65_536 ? 2 : 8
        return header(first, UInt64(payload.count), lengthBytes: lengthBytes ?? needed)
            + payload.enumerated().map { $1 ^ Self.mask[$0 & 3] }
    }

    private func header(_ first: UInt8, _ length: UInt64, lengthBytes: Int) -> [UInt8] {
        let short: UInt8 = lengthBytes == 0 ? UInt8(length) : lengthBytes == 2 ? 126 : 127
        let long = (0..<lengthBytes).reversed().map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) }
        return [first, 0x80 | short] + long + Self.mask
    }

    private func plain(_ frame: WebSocketClientFrame) -> Frame {
        let payload = frame.payload.readableBytesView.enumerated().map { $1 ^ UInt8(truncatingIfNeeded: frame.mask >> (8 * ($0 & 3))) }
        return Frame(opcode: frame.opcode, isFinal: frame.isFinal, payload: payload)
    }

    private func read(_ reader: inout WebSocketFrameReader, _ bytes: some Collection<UInt8>) throws -> [Frame] {
        var buffer = reader.begin(ByteBuffer(bytes: bytes))
        var frames: [Frame] = []
        while let frame = try reader.next(from: &buffer) { frames.append(plain(frame)) }
        reader.end(buffer)
        return frames
    }

    private func failure(_ bytes: [UInt8], maxPayload: Int = 1000) -> WebSocketFrameReader.Failure? {
        var reader = WebSocketFrameReader(maxPayload: maxPayload)
        do {
            _ = try read(&reader, bytes)
            return nil
        } catch { return error as? WebSocketFrameReader.Failure }
    }

    @Test(arguments: [0, 1, 125, 126, 127, 65_535, 65_536])
    func `every length is read`(count: Int) throws {
        var reader = WebSocketFrameReader(maxPayload: 100_000)
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        #expect(try read(&reader, encode(0x82, payload)) == [Frame(opcode: .binary, payload: payload)])
        #expect(reader.bufferedBytes == 0)
    }

    @Test func `frames may be cut anywhere`() throws {
        let sent = [
            Frame(opcode: .text, payload: Array("one".utf8)), Frame(opcode: .ping, payload: []),
            Frame(opcode: .binary, isFinal: false, payload: Array(repeating: 7, count: 300)),
            Frame(opcode: .continuation, payload: [1, 2, 3]), Frame(opcode: .close, payload: [3, 232]),
        ]
        let bytes = sent.flatMap { encode(($0.isFinal ? 0x80 : 0) | $0.opcode.rawValue, $0.payload) }
        for first in 0...bytes.count {
            var reader = WebSocketFrameReader(maxPayload: 300)
            let second = min(first + 9, bytes.count)
            let received = try [bytes[..<first], bytes[first..<second], bytes[second...]].flatMap { try read(&reader, $0) }
            #expect(received == sent, "cut at \(first) and \(second)")
            #expect(reader.bufferedBytes == 0)
        }
    }

    @Test func `bytes may come one by one`() throws {
        var reader = WebSocketFrameReader(maxPayload: 70_000)
        let payload = (0..<66_000).map { UInt8(truncatingIfNeeded: $0) }
        let bytes = encode(0x81, payload)
        for byte in bytes.dropLast() { #expect(try read(&reader, [byte]).isEmpty) }
        #expect(reader.bufferedBytes == bytes.count - 1)
        #expect(try read(&reader, bytes.suffix(1)) == [Frame(opcode: .text, payload: payload)])
        #expect(reader.bufferedBytes == 0)
    }

    @Test(arguments: [0xc1, 0xa1, 0x91] as [UInt8])
    func `reserved bits are refused`(first: UInt8) {
        #expect(failure(encode(first, [1])) == .protocolError)
    }

    @Test(arguments: [0x3, 0x4, 0x5, 0x6, 0x7, 0xb, 0xc, 0xd, 0xe, 0xf] as [UInt8])
    func `unknown opcodes are refused`(opcode: UInt8) {
        #expect(failure(encode(0x80 | opcode, [])) == .protocolError)
    }

    @Test func `frames without mask are refused`() {
        #expect(failure([0x81, 0x01, 0x34]) == .protocolError)
    }

    @Test(arguments: [0x8, 0x9, 0xa] as [UInt8])
    func `control frames are short and whole`(opcode: UInt8) {
        #expect(failure(encode(0x80 | opcode, Array(repeating: 0, count: 125))) == nil)
        #expect(failure(encode(0x80 | opcode, Array(repeating: 0, count: 126))) == .protocolError)
        #expect(failure(encode(opcode, [])) == .protocolError)
    }

    @Test(arguments: [1001, 65_536, 1 << 32, 1 << 63, .max] as [UInt64])
    func `a length that is too large is refused before its payload`(length: UInt64) {
        let bytes = header(0x82, length, lengthBytes: 8)
        #expect(failure(bytes) == .messageTooLarge)
        #expect(failure(Array(bytes.prefix(10))) == .messageTooLarge, "the length is enough")
        #expect(failure(Array(bytes.prefix(9))) == nil)
    }

    @Test func `lengths may be longer than needed`() throws {
        var reader = WebSocketFrameReader(maxPayload: 1000)
        #expect(try read(&reader, encode(0x81, [65], lengthBytes: 8)) == [Frame(opcode: .text, payload: [65])])
    }

    @Test func `nothing is read after a failure or the end`() throws {
        var reader = WebSocketFrameReader(maxPayload: 10)
        #expect(throws: WebSocketFrameReader.Failure.protocolError) { try read(&reader, [0xff, 0xff]) }
        #expect(try read(&reader, encode(0x81, [65])).isEmpty)
        var other = WebSocketFrameReader(maxPayload: 10)
        #expect(try read(&other, encode(0x81, [65]).dropLast()).isEmpty)
        other.discard()
        #expect(other.bufferedBytes == 0)
        #expect(try read(&other, [0]).isEmpty)
        #expect(other.bufferedBytes == 0)
    }

    @Test func `the receive buffer is not kept`() throws {
        var reader = WebSocketFrameReader(maxPayload: 1000)
        let whole = encode(0x81, [65])
        var read = ByteBuffer()
        read.writeBytes(whole + whole.dropLast())
        read.reserveCapacity(1 << 16)
        var bytes = reader.begin(read)
        _ = try reader.next(from: &bytes)
        reader.end(bytes)
        let rest = reader.begin(ByteBuffer(bytes: whole.suffix(1)))
        #expect(rest.capacity < 1000)
    }
}
