// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOMessagePack
import SocketIOText

extension MessagePackValue {
    /// The same value for MessagePack's own coder, which writes it without containers; nil if it is nested too deeply.
    init?(_ value: SocketIOValue, depthLeft: Int = MessagePackLimits.deepestNesting) {
        switch value {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(value)
        case .uint(let value): self = .uint(value)
        case .double(let value): self = .double(value)
        case .string(let value): self = .string(value)
        case .binary(let value): self = .binary(value)
        case .array(let values):
            guard depthLeft > 0 else { return nil }
            var elements: [MessagePackValue] = []
            elements.reserveCapacity(values.count)
            for value in values {
                guard let element = MessagePackValue(value, depthLeft: depthLeft - 1) else { return nil }
                elements.append(element)
            }
            self = .array(elements)
        case .object(let members):
            guard depthLeft > 0 else { return nil }
            var pairs: [Pair] = []
            pairs.reserveCapacity(members.count)
            for (key, value) in members {
                guard let member = MessagePackValue(value, depthLeft: depthLeft - 1) else { return nil }
                pairs.append(Pair(.string(key), member))
            }
            self = .map(pairs)
        }
    }
}
