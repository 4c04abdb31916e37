// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOCluster
import SocketIOConcurrency
import Crypto
import NIOCore
import SocketIOCore
import SocketIOText

/// Signs the documents of a node, and verifies those of others: HMAC-SHA256 (RFC 2104) over a fixed layout of bytes.
///
/// All integers are big-endian. A *field* is its length in bytes as 32 bits, then its bytes; text is UTF-8.
///
/// | message | |
/// | --- | --- |
/// | 16 bytes | `socketio-message` |
/// | 12 bytes | `_id` |
/// | 32 bits each | `v`, `kind` |
/// | fields | `cluster`, `nsp` (empty if several messages are in the document), `origin` |
/// | 64 bits | `epoch` |
/// | 1 byte | 1 if there is a `target`, else 0; then the target as a field |
/// | 1 byte | 1 if there is a `request`, else 0; then its 16 bytes |
/// | 1 byte | 1 if there is a `lane`, else 0; then the lane as 32 bits, `number` as 64 bits (0 if there is none), the count of `void` ranges as 32 bits and their bounds as 64 bits each |
/// | fields | `ids` (empty if it is one message), `data` |
///
/// | session | |
/// | --- | --- |
/// | 16 bytes | `socketio-session` |
/// | fields | `cluster`, `nsp`, `pid` |
/// | 64 bits | `until`, in milliseconds |
/// | 1 byte | 1 if there is an `owner`, else 0; then its id as a field and its epoch as 64 bits |
/// | field | `data` |
///
/// `createdAt` and `ts` are not covered: the first matters only to the TTL index, the second is filled in by the server. A replayed message
/// is recognised by its number and epoch, like any message that is read twice. Since those are remembered for ten minutes after a node's
/// last message, a message whose `_id` is older than that is not read.
package struct Signer: Sendable {
    /// The size of a signature.
    package static let size = 32

    private let keys: [SymmetricKey]
    /// Whether what has no signature at all is read.
    let acceptsUnsigned: Bool

    /// Seconds that a message may be older, or by the clocks of others newer, than now.
    package static let oldest: Int64 = 600
    private let clock: @Sendable () -> Int64

    /// - Parameters:
    ///   - keys: The keys; the first signs. At least one.
    ///   - acceptsUnsigned: Whether what has no signature is read.
    ///   - clock: Returns the seconds since 1970.
    package init?(
        keys: [SigningKey],
        acceptsUnsigned: Bool = false,
        clock: @escaping @Sendable () -> Int64 = { WallClock.millisecondsSince1970() / 1_000 }
    ) {
        guard !keys.isEmpty else { return nil }
        self.keys = keys.map { SymmetricKey(data: $0.bytes) }
        self.acceptsUnsigned = acceptsUnsigned
        self.clock = clock
    }

    /// Why a message is not read; nil if it may be.
    func refusal(of id: MessageID, _ content: SignedContent, signature: ByteBuffer?) -> String? {
        if let reason = refusal(of: content, signature: signature) { return reason }
        let age = clock() - Int64(id.seconds)
        guard signature != nil, abs(age) > Self.oldest else { return nil }
        return "it is \(age) s old; if it is not a repetition, the clocks differ, or this node was cut off for too long"
    }

    /// Why a document is not read; nil if it may be.
    func refusal(of content: SignedContent, signature: ByteBuffer?) -> String? {
        guard let signature else { return acceptsUnsigned ? nil : "it has no signature" }
        guard signature.readableBytes == Self.size else { return "its signature has \(signature.readableBytes) bytes" }
        let isValid = signature.withUnsafeReadableBytes { given in
            keys.contains { key in
                // In constant time.
                HMAC<SHA256>.isValidAuthenticationCode(given, authenticating: content.header, and: content.data, using: key)
            }
        }
        return isValid ? nil : "its signature is not of one of the keys, or it was changed"
    }

    /// The signature of something that is to be written.
    func sign(_ content: SignedContent) -> ByteBuffer {
        var code = HMAC<SHA256>(key: keys[0])
        code.update(content)
        return code.finalize().withUnsafeBytes { ByteBuffer(bytes: $0) }
    }
}

extension HMAC<SHA256> {
    fileprivate mutating func update(_ content: SignedContent) {
        content.header.withUnsafeReadableBytes { update(data: $0) }
        content.data.withUnsafeReadableBytes { update(data: $0) }
    }

    fileprivate static func isValidAuthenticationCode(
        _ given: UnsafeRawBufferPointer,
        authenticating header: ByteBuffer,
        and data: ByteBuffer,
        using key: SymmetricKey
    ) -> Bool {
        var code = HMAC<SHA256>(key: key)
        code.update(SignedContent(header: header, data: data))
        // `==` of authentication codes and data takes the same time wherever they differ.
        return code.finalize() == given
    }
}

/// The bytes that a signature is about, in the layout of ``Signer``. The payload is not copied.
struct SignedContent {
    fileprivate(set) var header = ByteBuffer()
    fileprivate(set) var data: ByteBuffer

    fileprivate init(header: ByteBuffer, data: ByteBuffer) {
        self.header = header
        self.data = data
    }

    private init(_ domain: StaticString, data: ByteBuffer) {
        self.data = data
        header.reserveCapacity(320)
        header.writeStaticString(domain)
    }

    /// A document with one message, or with several.
    ///
    /// - Parameters:
    ///   - message: The header of the message, or of the first of several, which count only with what they have in common.
    ///   - kind: What the document says it is.
    ///   - version: The version of the format.
    ///   - cluster: The name of the cluster.
    ///   - ids: The ids of several messages.
    ///   - data: The payload.
    init(_ message: ClusterHeader, kind: Int32, version: Int32, cluster: String, ids: ByteBuffer? = nil, data: ByteBuffer) {
        self.init("socketio-message", data: data)
        message.id.write(to: &header)
        header.writeMultipleIntegers(version, kind)
        write(cluster)
        write(ids == nil ? message.namespace : "")
        write(message.origin.id)
        header.writeInteger(message.origin.epoch)
        header.writeInteger(UInt8(message.target == nil ? 0 : 1))
        if let target = message.target { write(target) }
        let request = ids == nil ? message.request : nil
        header.writeInteger(UInt8(request == nil ? 0 : 1))
        if let request { header.writeMultipleIntegers(request.high, request.low) }
        header.writeInteger(UInt8(message.stamp == nil ? 0 : 1))
        if let stamp = message.stamp { write(stamp, hasNumber: ids == nil) }
        header.writeInteger(UInt32(clamping: ids?.readableBytes ?? 0))
        if let ids { header.writeImmutableBuffer(ids) }
        header.writeInteger(UInt32(clamping: data.readableBytes))
    }

    /// A session in the store.
    init(session id: (cluster: String, namespace: String, pid: String), until: Int64, owner: NodeIdentity?, data: ByteBuffer) {
        self.init("socketio-session", data: data)
        write(id.cluster)
        write(id.namespace)
        write(id.pid)
        header.writeInteger(until)
        header.writeInteger(UInt8(owner == nil ? 0 : 1))
        if let owner {
            write(owner.id)
            header.writeInteger(owner.epoch)
        }
        header.writeInteger(UInt32(clamping: data.readableBytes))
    }

    private mutating func write(_ stamp: NumberStamp, hasNumber: Bool) {
        header.writeInteger(UInt32(stamp.lane))
        header.writeInteger(hasNumber ? stamp.number : 0)
        let void = hasNumber ? stamp.void : []
        header.writeInteger(UInt32(clamping: void.count))
        for range in void { header.writeMultipleIntegers(range.lowerBound, range.upperBound) }
    }

    private mutating func write(_ text: String) {
        header.writeInteger(UInt32(clamping: text.utf8.count))
        header.writeString(text)
    }
}
#endif
