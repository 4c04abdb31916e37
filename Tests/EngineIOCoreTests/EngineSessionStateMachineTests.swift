// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import EngineIOCore

@Suite struct EngineSessionStateMachineTests {
    private typealias Machine = EngineSessionStateMachine
    private let timing = EngineTiming()

    private func at(_ seconds: Double) -> NIODeadline {
        .uptimeNanoseconds(1_000_000_000_000) + .nanoseconds(Int64(seconds * 1e9))
    }

    private func machine(_ transport: Machine.Transport = .polling) -> Machine {
        Machine(transport: transport, now: at(0), timing: timing)
    }

    // MARK: Long-polling

    @Test func `a second poll overlaps until the first is answered`() {
        var machine = machine()
        #expect(machine.pollArrived() == .park)
        #expect(machine.pollArrived() == .overlap)
        machine.pollAnswered()
        #expect(machine.pollArrived() == .park)
    }

    @Test func `a second post overlaps until the first has ended`() {
        var machine = machine()
        #expect(machine.postArrived() == .accept)
        #expect(machine.postArrived() == .overlap)
        machine.postEnded()
        #expect(machine.postArrived() == .accept)
    }

    @Test func `requests of the wrong transport or after the end are refused`() {
        var machine = machine(.websocket)
        #expect(machine.pollArrived() == .refuseTransport)
        #expect(machine.postArrived() == .refuseTransport)
        #expect(machine.finishClose() == true)
        #expect(machine.pollArrived() == .refuseUnknown)
        #expect(machine.postArrived() == .refuseUnknown)
        #expect(machine.finishClose() == false)
    }

    // MARK: Heartbeat

    @Test func `a ping that is a little late does not give the client more time`() {
        let timing = EngineTiming(pingInterval: .milliseconds(300), pingTimeout: .milliseconds(200))
        var machine = Machine(transport: .polling, now: at(0), timing: timing)
        #expect(machine.timeout(now: at(0.309), timing: timing) == .sendPing)
        #expect(machine.deadline(timing: timing) == at(0.5))
        #expect(!machine.isOverdue(now: at(0.4999), timing: timing))
        #expect(machine.isOverdue(now: at(0.5), timing: timing))
        #expect(machine.timeout(now: at(0.4999), timing: timing) == .none)
        #expect(machine.timeout(now: at(0.5), timing: timing) == .close(.pingTimeout))
    }

    @Test func `a ping that is held up gives the client its whole time`() {
        var machine = machine()
        #expect(machine.timeout(now: at(60), timing: timing) == .sendPing)
        #expect(machine.deadline(timing: timing) == at(80))
        // The event loop was held up: the pong may be among what it has not read.
        #expect(!machine.isOverdue(now: at(81), timing: timing))
        #expect(machine.received(.pong(isProbe: false), now: at(81), timing: timing) == .pong(number: 1))
        #expect(machine.timeout(now: at(81), timing: timing) == .none)
    }

    @Test func `a client that was heard is not overdue`() {
        var machine = machine()
        #expect(machine.timeout(now: at(25), timing: timing) == .sendPing)
        let accepts = machine.acceptsMessage()
        #expect(accepts)
        #expect(!machine.isOverdue(now: at(45), timing: timing))
        #expect(machine.timeout(now: at(45), timing: timing) == .none)
        #expect(machine.deadline(timing: timing) == at(65))
    }

    @Test func `pings follow pongs by the int erval`() {
        var machine = machine()
        #expect(machine.deadline(timing: timing) == at(25))
        #expect(machine.timeout(now: at(24), timing: timing) == .none)
        #expect(machine.timeout(now: at(25), timing: timing) == .sendPing)
        #expect(machine.timeout(now: at(25), timing: timing) == .none)
        #expect(machine.deadline(timing: timing) == at(45))
        #expect(machine.received(.pong(isProbe: false), now: at(30), timing: timing) == .pong(number: 1))
        #expect(machine.deadline(timing: timing) == at(55))
        #expect(machine.timeout(now: at(55), timing: timing) == .sendPing)
        #expect(machine.received(.pong(isProbe: false), now: at(56), timing: timing) == .pong(number: 2))
    }

    @Test func `surplus pongs change nothing`() {
        var machine = machine()
        for second in 1..<20 {
            #expect(machine.received(.pong(isProbe: false), now: at(Double(second)), timing: timing) == .none)
        }
        #expect(machine.deadline(timing: timing) == at(25))
    }

    @Test func `silence after a ping ends the session`() {
        var machine = machine()
        #expect(machine.timeout(now: at(25), timing: timing) == .sendPing)
        #expect(machine.timeout(now: at(44.9), timing: timing) == .none)
        #expect(machine.timeout(now: at(45), timing: timing) == .close(.pingTimeout))
    }

    @Test func `a client whose pong is stuck behind other traffic is alive`() {
        var machine = machine()
        #expect(machine.timeout(now: at(25), timing: timing) == .sendPing)
        #expect(machine.acceptsMessage() == true)
        #expect(machine.timeout(now: at(45), timing: timing) == .none)
        #expect(machine.deadline(timing: timing) == at(65))
        #expect(machine.timeout(now: at(65), timing: timing) == .close(.pingTimeout))
    }

    @Test func `the pong deadline waits while nothing is read`() {
        var machine = machine()
        #expect(machine.timeout(now: at(25), timing: timing) == .sendPing)
        machine.readingPaused(now: at(30))
        #expect(machine.timeout(now: at(80), timing: timing) == .none)
        machine.readingResumed(now: at(80), timing: timing)
        // 15 s of the 20 were left at the pause.
        #expect(machine.deadline(timing: timing) == at(95))
        #expect(machine.timeout(now: at(95), timing: timing) == .close(.pingTimeout))
    }

    @Test func `a pause does not keep a dead client for ever`() {
        var machine = machine()
        machine.readingPaused(now: at(20))
        #expect(machine.timeout(now: at(25), timing: timing) == .sendPing)
        // The pause counts until 80; then the pong has its 20 s.
        #expect(machine.deadline(timing: timing) == at(100))
        #expect(machine.timeout(now: at(99), timing: timing) == .none)
        #expect(machine.timeout(now: at(100), timing: timing) == .close(.pingTimeout))
    }

    @Test func `a ping from the client is an error`() {
        var machine = machine()
        #expect(machine.received(.ping(isProbe: false), now: at(1), timing: timing) == .close(.transportError))
    }

    // MARK: Packets

    @Test func `packets that cannot be parsed close the session`() {
        var machine = machine()
        #expect(machine.received(nil, now: at(1), timing: timing) == .close(.parseError))
    }

    @Test func `messages are delivered only while open`() {
        var machine = machine()
        let message = ByteBuffer(string: "a")
        #expect(machine.received(.text(message), now: at(1), timing: timing) == .deliverText(message))
        #expect(machine.received(.binary(message), now: at(1), timing: timing) == .deliverBinary(message))
        #expect(machine.beginClose(now: at(2), timing: timing) == true)
        #expect(machine.received(.text(message), now: at(3), timing: timing) == .none)
        #expect(machine.received(nil, now: at(3), timing: timing) == .none)
        #expect(machine.acceptsMessage() == false)
        #expect(machine.received(.close, now: at(3), timing: timing) == .close(.transportClose))
        #expect(machine.finishClose() == true)
        #expect(machine.received(.close, now: at(4), timing: timing) == .none)
    }

    // MARK: Upgrade

    @Test func `an upgrade is probed freed and finished`() {
        var machine = machine()
        #expect(machine.candidateArrived(now: at(1), timing: timing) == true)
        #expect(machine.candidateReceived(.ping(isProbe: true), now: at(1), timing: timing) == .answerProbe)
        #expect(machine.timeout(now: at(1.05), timing: timing) == .none)
        // A noop every 100 ms, for whatever poll is parked.
        #expect(machine.timeout(now: at(1.1), timing: timing) == .sendNoop)
        #expect(machine.timeout(now: at(1.1), timing: timing) == .none)
        #expect(machine.timeout(now: at(1.2), timing: timing) == .sendNoop)
        #expect(machine.transport == .polling)
        #expect(machine.candidateReceived(.upgrade, now: at(1.3), timing: timing) == .upgrade)
        #expect(machine.transport == .websocket && !machine.isUpgrading)
        #expect(machine.timeout(now: at(1.4), timing: timing) == .none)
        #expect(machine.pollArrived() == .refuseTransport)
        #expect(machine.candidateArrived(now: at(2), timing: timing) == false)
    }

    @Test func `an upgrade packet is enough`() {
        var machine = machine()
        #expect(machine.candidateArrived(now: at(1), timing: timing) == true)
        #expect(machine.candidateReceived(.upgrade, now: at(1), timing: timing) == .upgrade)
    }

    @Test(arguments: [
        EnginePacket.text(ByteBuffer(string: "x")), .ping(isProbe: false), .pong(isProbe: true), .open, .close, .noop, nil,
    ])
    func `anything else closes only the candidate`(packet: EnginePacket?) {
        var machine = machine()
        #expect(machine.pollArrived() == .park)
        #expect(machine.candidateArrived(now: at(1), timing: timing) == true)
        #expect(machine.candidateReceived(packet, now: at(1), timing: timing) == .closeCandidate)
        #expect(machine.phase == .open && machine.transport == .polling && machine.isPollParked)
        #expect(machine.candidateArrived(now: at(2), timing: timing) == true)
    }

    @Test func `one candidate at a time and not too many`() {
        var machine = machine()
        #expect(machine.candidateArrived(now: at(1), timing: timing) == true)
        #expect(machine.candidateArrived(now: at(1), timing: timing) == false)
        for _ in 1..<timing.maximumUpgradeAttempts {
            machine.candidateClosed()
            #expect(machine.candidateArrived(now: at(1), timing: timing) == true)
        }
        machine.candidateClosed()
        #expect(machine.candidateArrived(now: at(1), timing: timing) == false)
        #expect(machine.phase == .open)
    }

    @Test func `a candidate that never finishes is closed and the heartbeat goes on`() {
        var machine = machine()
        #expect(machine.candidateArrived(now: at(20), timing: timing) == true)
        #expect(machine.timeout(now: at(25), timing: timing) == .sendPing)
        #expect(machine.timeout(now: at(30), timing: timing) == .closeCandidate)
        #expect(!machine.isUpgrading)
        #expect(machine.timeout(now: at(45), timing: timing) == .close(.pingTimeout))
    }

    @Test func `probes do not extend the upgrade timeout`() {
        var machine = machine()
        #expect(machine.candidateArrived(now: at(0), timing: timing) == true)
        for probe in 0..<16 {
            let now = at(Double(probe) * 0.6)
            #expect(machine.candidateReceived(.ping(isProbe: true), now: now, timing: timing) == .answerProbe)
        }
        #expect(machine.timeout(now: at(10), timing: timing) == .closeCandidate)
    }

    @Test func `a candidate that probes on and on is closed`() {
        var machine = machine()
        #expect(machine.candidateArrived(now: at(0), timing: timing) == true)
        for _ in 0..<16 { #expect(machine.candidateReceived(.ping(isProbe: true), now: at(1), timing: timing) == .answerProbe) }
        // A noop in between changes nothing about the number.
        #expect(machine.timeout(now: at(2), timing: timing) == .sendNoop)
        #expect(machine.candidateReceived(.ping(isProbe: true), now: at(2), timing: timing) == .closeCandidate)
        #expect(!machine.isUpgrading)
    }

    // MARK: Close

    @Test func `closing waits for the client but not for ever`() {
        var machine = machine()
        #expect(machine.beginClose(now: at(1), timing: timing) == true)
        #expect(machine.beginClose(now: at(1), timing: timing) == false)
        #expect(machine.pollArrived() == .park)
        // No ping in between.
        #expect(machine.timeout(now: at(30.9), timing: timing) == .none)
        #expect(machine.deadline(timing: timing) == at(31))
        #expect(machine.timeout(now: at(31), timing: timing) == .finishClose)
        #expect(machine.finishClose() == true)
        #expect(machine.deadline(timing: timing) == nil)
        #expect(machine.timeout(now: at(100), timing: timing) == .none)
    }

    @Test func `an upgrade may finish while closing`() {
        var machine = machine()
        #expect(machine.candidateArrived(now: at(1), timing: timing) == true)
        #expect(machine.beginClose(now: at(1), timing: timing) == true)
        #expect(machine.candidateReceived(.upgrade, now: at(2), timing: timing) == .upgrade)
        #expect(machine.finishClose() == true)
        #expect(machine.candidateReceived(.upgrade, now: at(2), timing: timing) == .closeCandidate)
    }
}
