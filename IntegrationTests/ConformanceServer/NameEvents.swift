// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOCore
import SocketIOText
import SwiftSocketIO

/// The main namespace's events in which the application itself compares what clients send, as applications do.
@Sendable
func addNames(_ socket: Socket) {
    socket.on("login") { (token: String) in token == "secret" }
    socket.on("tally") { (values: [String: Int]) in values.values.reduce(0, &+) }
    socket.on("caf\u{E9}") { "composed" }
    socket.on("store") { (key: String, value: Int) in socket.data[key] = value }
    socket.on("stored") { (key: String) in socket.data[key, as: Int.self] }
    socket.on("members") { (value: SocketIOValue) -> Int in
        if case .object(let members) = value { members.count } else { 0 }
    }
}
