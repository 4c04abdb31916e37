// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import Testing

@testable import EngineIO

@Suite struct HTTPConnectionStateMachineTests {
    private func request(
        _ id: Int = 1,
        _ kind: EngineRequest.Kind = .preflight,
        version: HTTPVersion = .http1_1,
        headers: HTTPHeaders = [:]
    ) -> EngineRequest {
        EngineRequest(id: id, head: HTTPRequestHead(version: version, method: .GET, uri: "/socket.io/", headers: headers), kind: kind)
    }

    /// Reads a request without a body.
    private func read(_ request: EngineRequest, _ machine: inout HTTPConnectionStateMachine) {
        #expect(machine.isIdle)
        let isReadable = machine.begin(request)
        #expect(isReadable)
        guard case .process(let read) = machine.endArrived() else { return #expect(Bool(false), "not processed") }
        #expect(read.id == request.id)
    }

    /// Answers a request and returns what follows, if the answer has been written.
    private func answer(
        _ request: EngineRequest,
        _ body: ByteBuffer = ByteBuffer(),
        isUnread: Bool = false,
        by machine: inout HTTPConnectionStateMachine
    ) -> HTTPConnectionStateMachine.AnswerEnd? {
        _ = machine.beginAnswer(to: request, body: body, isUnread: isUnread)
        while machine.nextPiece() != nil, case .writeNext = machine.pieceWritten(of: request.id) {}
        return machine.endAnswer(request.id)
    }

    @Test func `one request follows another on a connection that is kept`() throws {
        var machine = HTTPConnectionStateMachine(maximumBodySize: 10)
        for id in 1...3 {
            let request = request(id)
            read(request, &machine)
            #expect(machine.ownsRequest && !machine.isIdle)
            #expect(machine.waitingRequest(id)?.id == id && machine.waitingRequest(id + 1) == nil)
            let answered = answer(request, by: &machine)
            let end = try #require(answered)
            #expect(!end.closes && !end.isUnread && end.poll == nil)
        }
        #expect(machine.isIdle)
    }

    @Test func `a connection ends with the answer that says so`() throws {
        let cases: [(EngineRequest, isUnread: Bool)] = [
            (request(headers: ["Connection": "close"]), false),
            (request(version: .http1_0), false),
            (request(headers: ["Connection": "upgrade", "Upgrade": "h2c"]), false),
            (request(), true),
        ]
        for (request, isUnread) in cases {
            var machine = HTTPConnectionStateMachine(maximumBodySize: 10)
            read(request, &machine)
            let answered = answer(request, isUnread: isUnread, by: &machine)
            let end = try #require(answered)
            #expect(end.closes && end.isUnread == isUnread)
            #expect(!machine.isIdle)
        }
        var machine = HTTPConnectionStateMachine(maximumBodySize: 10)
        read(request(), &machine)
        machine.closeWhenDone()
        let end = answer(request(), by: &machine)
        #expect(end?.closes == true)
    }

    @Test func `a body may arrive in many pieces, but not in any number`() {
        var machine = HTTPConnectionStateMachine(maximumBodySize: 1 << 20)
        let isReadable = machine.begin(request())
        #expect(isReadable)
        let byte = ByteBuffer(integer: UInt8(0))
        var pieces = 0
        while case .none = machine.bodyArrived(byte) { pieces += 1 }
        // The fewest bytes for which a client needs so many pieces are a 64th of what it may send.
        #expect(pieces == 1_024 + (1 << 20) / 64)
        let refused = machine.refuseBody()
        #expect(refused != nil)
        _ = machine.beginAnswer(to: request(), body: ByteBuffer(), isUnread: true)
        guard case .disconnect = machine.bodyArrived(byte) else { return #expect(Bool(false), "the flood goes on") }
    }

    @Test func `a long answer is written piece by piece`() {
        var machine = HTTPConnectionStateMachine(maximumBodySize: 10)
        let request = request()
        read(request, &machine)
        let size = HTTPConnectionStateMachine.pieceSize * 2 + 1
        _ = machine.beginAnswer(to: request, body: ByteBuffer(repeating: 1, count: size), isUnread: false)
        #expect(machine.isWriting && machine.heldBytes == size)
        var sizes: [Int] = []
        while let piece = machine.nextPiece() {
            sizes.append(piece.readableBytes)
            if case .writeNext = machine.pieceWritten(of: request.id) { continue }
        }
        #expect(sizes == [HTTPConnectionStateMachine.pieceSize, HTTPConnectionStateMachine.pieceSize, 1])
        guard case .end = machine.pieceWritten(of: request.id) else { return #expect(Bool(false), "not at the end") }
        guard case .none = machine.pieceWritten(of: request.id + 1) else { return #expect(Bool(false), "another request's") }
    }

    @Test func `a body that is too large is refused at once, and read without end only up to the limit`() {
        var announced = HTTPConnectionStateMachine(maximumBodySize: 10)
        let isReadable = announced.begin(request(headers: ["content-length": "11"]))
        #expect(!isReadable)
        var machine = HTTPConnectionStateMachine(maximumBodySize: 10)
        let request = request()
        _ = machine.begin(request)
        guard case .refuse = machine.bodyArrived(ByteBuffer(repeating: 1, count: 11)) else { return #expect(Bool(false), "not refused") }
        let refused = machine.refuseBody()
        #expect(refused?.id == request.id)
        _ = machine.beginAnswer(to: request, body: ByteBuffer(), isUnread: true)
        guard case .none = machine.bodyArrived(ByteBuffer(repeating: 1, count: 10)) else { return #expect(Bool(false), "not read") }
        guard case .disconnect = machine.bodyArrived(ByteBuffer(repeating: 1, count: 1)) else { return #expect(Bool(false), "no end") }
    }

    @Test func `an answer that is ready before the request has been read waits for it`() {
        var machine = HTTPConnectionStateMachine(maximumBodySize: 10)
        _ = machine.begin(request(7))
        let early = machine.answered(.ok, id: 7)
        #expect(early == nil)
        guard case .answer(let request, .ok) = machine.endArrived() else { return #expect(Bool(false), "not answered") }
        #expect(request.id == 7)
        let other = machine.answered(.ok, id: 8)
        #expect(other == nil, "the answer to a request that has ended")
        let again = machine.answered(.ok, id: 7)
        #expect(again?.id == 7)
    }

    @Test func `requests of other handlers are passed on until their answer ends`() {
        var machine = HTTPConnectionStateMachine(maximumBodySize: 10)
        machine.pass(closes: false)
        #expect(machine.isPassing && !machine.ownsRequest)
        guard case .passOn = machine.bodyArrived(ByteBuffer(repeating: 1, count: 100)) else { return #expect(Bool(false), "kept") }
        guard case .passOn = machine.endArrived() else { return #expect(Bool(false), "kept") }
        guard case .passOn = machine.errorCaught(isMalformed: true) else { return #expect(Bool(false), "kept") }
        let closes = machine.endPassing()
        #expect(closes == false && machine.isIdle)
        machine.pass(closes: true)
        let last = machine.endPassing()
        #expect(last == true && !machine.isIdle)
        let none = machine.endPassing()
        #expect(none == nil)
    }

    @Test func `malformed bytes are answered only while no request waits`() {
        var machine = HTTPConnectionStateMachine(maximumBodySize: 10)
        guard case .answerMalformed = machine.errorCaught(isMalformed: true) else { return #expect(Bool(false), "idle") }
        guard case .disconnect = machine.errorCaught(isMalformed: false) else { return #expect(Bool(false), "idle, another error") }
        _ = machine.begin(request())
        guard case .answerMalformed = machine.errorCaught(isMalformed: true) else { return #expect(Bool(false), "reading") }
        _ = machine.endArrived()
        guard case .disconnect = machine.errorCaught(isMalformed: true) else { return #expect(Bool(false), "waiting") }
    }

    @Test func `a client that sends no more need not be waited for after a refusal`() {
        var machine = HTTPConnectionStateMachine(maximumBodySize: 10)
        let request = request()
        _ = machine.begin(request)
        _ = machine.refuseBody()
        let end = answer(request, isUnread: true, by: &machine)
        #expect(end?.isUnread == true)
        guard case .disconnect = machine.inputClosed() else { return #expect(Bool(false), "kept") }
        // It may also be known while the refusal is being written.
        var early = HTTPConnectionStateMachine(maximumBodySize: 10)
        _ = early.begin(request)
        _ = early.refuseBody()
        _ = early.beginAnswer(to: request, body: ByteBuffer(), isUnread: true)
        _ = early.inputClosed()
        let last = early.endAnswer(request.id)
        #expect(last?.closes == true && last?.isUnread == false)
    }

    @Test func `nothing that follows the last answer cuts it off`() {
        for passes in [false, true] {
            var machine = HTTPConnectionStateMachine(maximumBodySize: 10)
            if passes {
                machine.pass(closes: true)
                let closes = machine.endPassing()
                #expect(closes == true)
            } else {
                let request = request(headers: ["Connection": "close"])
                read(request, &machine)
                let end = answer(request, by: &machine)
                #expect(end?.closes == true)
            }
            guard case .none = machine.errorCaught(isMalformed: true), case .none = machine.inputClosed() else {
                return #expect(Bool(false), "cut off")
            }
            #expect(!machine.isIdle && !machine.ownsRequest)
        }
    }

    @Test func `only a request that waits becomes a WebSocket`() {
        var machine = HTTPConnectionStateMachine(maximumBodySize: 10)
        let early = machine.beginUpgrade()
        #expect(!early)
        read(request(), &machine)
        let upgrades = machine.beginUpgrade()
        #expect(upgrades && !machine.ownsRequest && !machine.isIdle)
    }
}
