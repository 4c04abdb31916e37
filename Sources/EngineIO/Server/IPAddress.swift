// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import CSocketIOSystem

/// An IP address. One of version 4 that is written in the form of version 6 (`::ffff:10.0.0.1`) is the one of version 4.
struct IPAddress: Sendable, Hashable {
    /// 4 or 6.
    let version: Int
    /// The address, from its first bit on; version 4 has the first 32.
    fileprivate let high: UInt64
    fileprivate let low: UInt64

    /// Parses an address without port, brackets or zone; nil if the text is not one.
    init?(_ text: some StringProtocol) {
        // The longest form of version 6 has 45 characters.
        guard text.utf8.count <= 45, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
        var octets = [UInt8](repeating: 0, count: 16)
        let version = String(text).withCString { text in
            octets.withUnsafeMutableBufferPointer { socketio_parse_address(text, $0.baseAddress) }
        }
        guard version != 0 else { return nil }
        let isMapped = version == 6 && octets[..<10].allSatisfy { $0 == 0 } && octets[10] == 0xff && octets[11] == 0xff
        if isMapped { octets = Array(octets[12...]) + [UInt8](repeating: 0, count: 12) }
        self.version = isMapped ? 4 : Int(version)
        self.high = octets[..<8].reduce(0) { $0 << 8 | UInt64($1) }
        self.low = octets[8...].reduce(0) { $0 << 8 | UInt64($1) }
    }

    fileprivate init(version: Int, high: UInt64, low: UInt64) {
        self.version = version
        self.high = high
        self.low = low
    }

    /// The groups of an address of version 6.
    private var groups: [UInt16] {
        [high, low].flatMap { half in [48, 32, 16, 0].map { UInt16(truncatingIfNeeded: half >> $0) } }
    }

    /// The number of bits.
    fileprivate var width: Int { version == 4 ? 32 : 128 }

    /// The address with zeros after the first `prefix` bits.
    fileprivate func masked(_ prefix: Int) -> IPAddress {
        let (first, second) = (min(prefix, 64), max(prefix - 64, 0))
        return IPAddress(
            version: version,
            high: first == 0 ? 0 : high & (UInt64.max << UInt64(64 - first)),
            low: second == 0 ? 0 : low & (UInt64.max << UInt64(64 - second))
        )
    }
}

/// Each address has one text: `192.0.2.1`, and for version 6 that of RFC 5952, with the longest run of zeros left out.
extension IPAddress: CustomStringConvertible {
    var description: String {
        guard version == 6 else { return [56, 48, 40, 32].map { "\(UInt8(truncatingIfNeeded: high >> $0))" }.joined(separator: ".") }
        let groups = groups
        let zeros = Self.longestZeros(groups)
        func text(_ part: ArraySlice<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
        return zeros.isEmpty ? text(groups[...]) : text(groups[..<zeros.lowerBound]) + "::" + text(groups[zeros.upperBound...])
    }

    /// The first of the longest runs of two zeros or more.
    private static func longestZeros(_ groups: [UInt16]) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for (index, group) in groups.enumerated() {
            if group != 0 { start = index + 1 } else if index + 1 - start > max(longest.count, 1) { longest = start..<(index + 1) }
        }
        return longest
    }
}

/// A range of addresses, in CIDR notation.
struct IPNetwork: Sendable, Hashable {
    private let base: IPAddress
    private let prefix: Int

    /// Parses `10.0.0.0/8`, `fd00::/8` or a single address.
    ///
    /// - Throws: What is wrong, as the end of a sentence about the text.
    init(_ text: String) throws(Problem) {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let address = IPAddress(Substring(parts[0])) else {
            throw Problem(text: "is not an IP address, nor a network such as 10.0.0.0/8 or fd00::/8")
        }
        // The prefix of an address of version 4 in the form of version 6 counts from the beginning of that form.
        let offset = address.version == 4 && parts[0].contains(UInt8(ascii: ":")) ? 96 : 0
        var prefix = address.width
        if parts.count == 2 {
            guard parts[1].allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let bits = Int(Substring(parts[1])),
                (offset...(offset + address.width)).contains(bits)
            else { throw Problem(text: "needs a prefix of \(offset) to \(offset + address.width) bits") }
            prefix = bits - offset
        }
        guard address.masked(prefix) == address else { throw Problem(text: "has bits after its prefix; write the network's first address") }
        self.base = address
        self.prefix = prefix
    }

    struct Problem: Error { let text: String }

    func contains(_ address: IPAddress) -> Bool { address.version == base.version && address.masked(prefix) == base }
}
