// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import SocketIOCore
import SocketIOText

extension FuzzTarget {
    /// The packet decoders, fed with several messages: each is a byte for its kind, a byte for its length, and that many bytes.
    static let packets = FuzzTarget(name: "packets") { bytes in
        var input = ByteBuffer(bytes: bytes)
        // A message here has at most 255 bytes.
        let limits = PacketDecoderStateMachine.Limits(eventName: 64)
        var json = PacketDecoderStateMachine(format: .json, limits: limits)
        var messagePack = PacketDecoderStateMachine(format: .messagePack, limits: limits)
        while let kind = input.readInteger(as: UInt8.self), let length = input.readInteger(as: UInt8.self) {
            guard let message = input.readSlice(length: min(Int(length), input.readableBytes)) else { return }
            let packet =
                switch kind % 3 {
                case 0: try? json.receive(text: message)
                case 1: try? json.receive(binary: message)
                default: try? messagePack.receive(binary: message)
                }
            if let packet { try readArguments(of: packet) }
        }
    }

    private static func readArguments(of packet: Packet) throws {
        let arguments: EventArguments
        switch packet.content {
        case .event(let name, let content, _):
            try rule(name.utf8.count <= 64, "no name is longer than the limit")
            arguments = content
        case .acknowledgement(_, let content): arguments = content
        default: return
        }
        for index in 0...arguments.count {
            _ = try? arguments.decode(SocketIOValue.self, at: index)
            _ = try? arguments.decode(ByteBuffer.self, at: index)
            try checkText(try? arguments.decode(String.self, at: index))
        }
        try rule(arguments[arguments.count] == nil, "there are no more arguments than counted")
    }

    /// What the application gets as a string.
    static func checkText(_ text: String?) throws {
        if let text { try rule(!CombiningMarks.exceedLimit(in: text), "no text is slow to compare") }
    }

    /// The payload codec of long-polling.
    static let payload = FuzzTarget(name: "payload") { bytes in
        let buffer = ByteBuffer(bytes: bytes)
        _ = buffer.isValidUTF8
        var decoder = EnginePayloadDecoder(buffer, maximumPackets: 16)
        var packets = 0
        while let element = decoder.next() {
            guard case .packet = element else {
                try rule(decoder.next() == nil, "nothing follows what is invalid")
                return
            }
            packets += 1
            try rule(packets <= 16, "no more packets than allowed")
        }
    }
}
