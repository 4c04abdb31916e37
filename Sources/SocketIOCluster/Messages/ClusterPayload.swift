// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
import SocketIOCore
import SocketIOMessagePack

/// The native encoding of message bodies: one MessagePack array for each kind, whose fields have fixed positions.
///
/// Additional fields at the end of an array are ignored, so that later versions may add some.
public enum ClusterPayloadCoder {
    /// Encodes a body.
    ///
    /// - Throws: ``ClusterError/Code/tooLarge`` if something in it exceeds 4 GiB.
    public static func encode(_ body: ClusterBody) throws -> ByteBuffer {
        var writer = PayloadWriter()
        // Of a size that nearly always suffices: growing step by step takes longer than writing.
        writer.output.buffer.reserveCapacity(min(body.estimatedByteCount, 64 << 10))
        do { try writer.write(body) } catch {
            throw ClusterError(.tooLarge, "the message is too large to be encoded", cause: error)
        }
        return writer.output.buffer
    }

    package static func encode(_ content: StoredSessionContent) throws -> ByteBuffer {
        var writer = PayloadWriter()
        do { try writer.write(content) } catch {
            throw ClusterError(.tooLarge, "the session is too large to be encoded", cause: error)
        }
        return writer.output.buffer
    }

    package static func encode(_ snapshot: SessionSnapshot) throws -> ByteBuffer {
        var writer = PayloadWriter()
        do { try writer.write(snapshot) } catch {
            throw ClusterError(.tooLarge, "the session is too large to be encoded", cause: error)
        }
        return writer.output.buffer
    }

    package static func decodeSnapshot(_ bytes: ByteBuffer) throws -> SessionSnapshot {
        var reader = PayloadReader(bytes, offset: MessageID(seconds: 0, process: 0, counter: 0))
        do { return try reader.readSnapshot() } catch let error as ClusterError { throw error } catch {
            throw ClusterError(.malformed, "the payload is not a snapshot of a session", cause: error)
        }
    }

    package static func decodeSession(_ bytes: ByteBuffer) throws -> StoredSessionContent {
        var reader = PayloadReader(bytes, offset: MessageID(seconds: 0, process: 0, counter: 0))
        do { return try reader.readStoredSession() } catch let error as ClusterError { throw error } catch {
            throw ClusterError(.malformed, "the payload is not a session", cause: error)
        }
    }

    /// Decodes a body.
    ///
    /// - Parameters:
    ///   - bytes: The payload. Packets in it are slices of it, not copies, where that is possible.
    ///   - header: The message's header, which determines the kind of the payload.
    /// - Throws: ``ClusterError/Code/malformed`` for anything that is not a body of that kind.
    public static func decode(_ bytes: ByteBuffer, for header: ClusterHeader) throws -> ClusterBody {
        var reader = PayloadReader(bytes, offset: header.id)
        do { return try reader.readBody(header.kind) } catch let error as ClusterError { throw error } catch {
            throw ClusterError(.malformed, "the payload does not match the kind \(header.kind)", cause: error)
        }
    }
}

/// The flags of a broadcast as bits.
struct FlagBits: OptionSet {
    var rawValue: UInt8
    static let volatile = FlagBits(rawValue: 1)
    static let uncompressed = FlagBits(rawValue: 2)
    static let single = FlagBits(rawValue: 4)
}
