// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import SocketIOCore

@Suite struct HandshakeTests {
    @Test func `a handshake is encoded as Node.js describes it`() throws {
        let handshake = Handshake(
            headers: ["host": "localhost", "accept": "*/*"],
            query: ["EIO": "4"],
            url: "/socket.io/?EIO=4",
            address: "::1",
            issued: 1_795_259_686_084,
            isCrossDomain: true,
            secure: false,
            auth: EncodedValue(format: .json, bytes: ByteBuffer(string: #"{"token":"abc"}"#))
        )
        var buffer = ByteBuffer()
        var attachments: [ByteBuffer] = []
        try JSONArgumentEncoder().encode(handshake, into: &buffer, attachments: &attachments)
        #expect(
            String(buffer: buffer)
                == #"{"headers":{"accept":"*/*","host":"localhost"},"time":"Sat Nov 21 2026 11:14:46 GMT+0000 (Coordinated Universal Time)","#
                + #""address":"::1","xdomain":true,"secure":false,"issued":1795259686084,"url":"/socket.io/?EIO=4","query":{"EIO":"4"},"#
                + #""auth":{"token":"abc"}}"#
        )
    }

    @Test func `reserved names`() {
        for name in ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"] {
            #expect(EventName.isReserved(name))
            #expect(!EventName.isReserved(name + "x") && !EventName.isReserved(String(name.dropLast())))
        }
        for name in ["message", "connecter", "connection", "", "new_namespace", "disconnected!"] { #expect(!EventName.isReserved(name)) }
        for name in ["connect", "connection", "new_namespace"] { #expect(EventName.isReservedForServers(name)) }
        for name in ["disconnect", "disconnecting", "message"] { #expect(!EventName.isReservedForServers(name)) }
    }
}
