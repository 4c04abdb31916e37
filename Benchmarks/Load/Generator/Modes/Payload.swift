// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

/// Payloads of a given size that begin with a number: `@000000012345` and a filler.
struct Payload {
    static let marker = UInt8(ascii: "@")
    private static let digits = 12
    static let minimumSize = 13

    private(set) var bytes: [UInt8]

    init(size: Int) {
        bytes = [Self.marker] + [UInt8](repeating: UInt8(ascii: "0"), count: Self.digits)
        bytes += (0..<max(0, size - bytes.count)).map { UInt8(ascii: "a") + UInt8($0 % 26) }
    }

    mutating func number(_ number: UInt64) {
        var rest = number
        for position in stride(from: Self.digits, to: 0, by: -1) {
            bytes[position] = 48 + UInt8(rest % 10)
            rest /= 10
        }
    }
}

/// Finds the number of a payload in a packet. The packets of a run are alike, so the place is looked for only once.
struct NumberReader {
    private var offset = 0

    @inline(__always)
    mutating func read(_ body: UnsafeBufferPointer<UInt8>) -> UInt64? {
        guard let base = body.baseAddress else { return nil }
        if offset + Payload.minimumSize > body.count || base[offset] != Payload.marker {
            guard let found = body.firstIndex(of: Payload.marker), found + Payload.minimumSize <= body.count else { return nil }
            offset = found
        }
        var number: UInt64 = 0
        for position in 1..<Payload.minimumSize { number = number &* 10 &+ UInt64(base[offset + position] &- 48) }
        return number
    }
}
