// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// The rules of one WebSocket connection, on the server's side: frames in, messages and answers out (RFC 6455).
///
/// It performs no I/O. The connection's handler gives it the bytes that were read, does what the actions say, and asks for the answers to
/// pings at the end of each read:
///
///     var bytes = machine.begin(read)
///     while let action = machine.next(from: &bytes) { … }
///     machine.end(bytes)
package struct WebSocketConnectionStateMachine {
    package enum Phase: Sendable {
        case open
        /// A close frame has been sent. Only the client's close frame matters from now on.
        case closing
        /// The connection has ended.
        case closed
    }

    package enum Action: Sendable, Equatable {
        /// A text message has arrived. It is valid UTF-8.
        case text(ByteBuffer)
        /// A binary message has arrived.
        case binary(ByteBuffer)
        /// The client has broken the rules: notify the session, then send a close frame with this code.
        case fail(WebSocketCloseCode)
        /// The client closes the connection: send this frame, notify the session and disconnect.
        case answerClose(ByteBuffer)
        /// The client has answered the server's close frame: disconnect.
        case disconnect
    }

    /// Answers to the pings of one read, and reads whose answers may wait for a client that does not read. Only the latest matter
    /// (section 5.5.3).
    package static let maximumPongs = 16

    /// A message whose last fragment has not arrived. Out of line: hardly any connection ever has one.
    private indirect enum Partial {
        case none
        case message(isText: Bool, payload: ByteBuffer, fragments: Int)
    }

    package private(set) var phase = Phase.open
    private var reader: WebSocketFrameReader
    private var partial = Partial.none
    private let maximumFragments: Int32
    /// How many writes of pongs the channel has not finished.
    private var unfinishedPongs: Int8 = 0
    /// The answers to the pings of this read: the first ones and the latest.
    private var pongs: [ByteBuffer] = []

    /// - Parameters:
    ///   - maximumMessageSize: The largest message, in bytes.
    ///   - maximumFragments: The number of frames that a message may have.
    package init(maximumMessageSize: Int, maximumFragments: Int) {
        self.reader = WebSocketFrameReader(maxPayload: maximumMessageSize)
        self.maximumFragments = Int32(clamping: maximumFragments)
    }

    /// How much is kept of frames and messages whose rest has not arrived, in bytes.
    package var bufferedBytes: Int {
        guard case .message(_, let payload, _) = partial else { return reader.bufferedBytes }
        return reader.bufferedBytes + payload.readableBytes
    }
}

// MARK: - Reading

extension WebSocketConnectionStateMachine {
    /// Takes what has just been read. The caller passes the result to ``next(from:)`` until that returns nil, and the rest to ``end(_:)``.
    package mutating func begin(_ bytes: ByteBuffer) -> ByteBuffer { reader.begin(bytes) }

    /// Keeps the beginning of a frame until the next read.
    package mutating func end(_ bytes: consuming ByteBuffer) { reader.end(bytes) }

    /// Takes frames from the front of `bytes` until there is something to do; nil if they are used up.
    package mutating func next(from bytes: inout ByteBuffer) -> Action? {
        do throws(WebSocketFrameReader.Failure) {
            while let frame = try reader.next(from: &bytes) {
                if let action = received(frame) { return action }
            }
            return nil
        } catch {
            guard phase == .open else { return nil }
            return fail(error == .messageTooLarge ? .messageTooLarge : .protocolError)
        }
    }

    private mutating func received(_ frame: WebSocketClientFrame) -> Action? {
        guard phase == .open else { return frame.opcode == .close ? .disconnect : nil }
        switch frame.opcode {
        case .text, .binary: return messageBegan(frame)
        case .continuation: return messageContinued(frame)
        case .ping:
            if pongs.count == Self.maximumPongs { pongs.removeLast() }
            pongs.append(.webSocketFrame(WebSocketFrameHeader.pong, frame.payload.webSocketUnmasked(frame.mask)))
            return nil
        case .pong: return nil
        case .close: return closedByClient(frame)
        }
    }

    private mutating func messageBegan(_ frame: WebSocketClientFrame) -> Action? {
        guard case .none = partial else { return fail(.protocolError) }
        let payload = frame.payload.webSocketUnmasked(frame.mask)
        let isText = frame.opcode == .text
        if frame.isFinal { return message(payload, isText: isText) }
        partial = .message(isText: isText, payload: payload, fragments: 1)
        return nil
    }

    private mutating func messageContinued(_ frame: WebSocketClientFrame) -> Action? {
        guard case .message(let isText, var payload, var fragments) = partial else { return fail(.protocolError) }
        // The payload must have one owner, or it would be copied with each fragment.
        partial = .none
        fragments += 1
        guard fragments <= maximumFragments else { return fail(.policyViolation) }
        guard payload.readableBytes + frame.payload.readableBytes <= reader.maxPayload else { return fail(.messageTooLarge) }
        frame.payload.writeWebSocketUnmasked(frame.mask, to: &payload)
        if frame.isFinal { return message(payload, isText: isText) }
        partial = .message(isText: isText, payload: payload, fragments: fragments)
        return nil
    }

    private mutating func message(_ payload: ByteBuffer, isText: Bool) -> Action {
        guard isText else { return .binary(payload) }
        return payload.isValidUTF8 ? .text(payload) : fail(.invalidData)
    }

    private mutating func closedByClient(_ frame: WebSocketClientFrame) -> Action {
        let payload = frame.payload.webSocketUnmasked(frame.mask)
        if let problem = payload.problemOfClosePayload { return fail(problem) }
        beginClosing()
        // The answer repeats the code and leaves the reason out.
        return .answerClose(.webSocketFrame(WebSocketFrameHeader.close, payload.getSlice(at: 0, length: 2) ?? ByteBuffer()))
    }

    private mutating func fail(_ code: WebSocketCloseCode) -> Action {
        beginClosing()
        return .fail(code)
    }

    private mutating func beginClosing() {
        phase = .closing
        partial = .none
    }
}

// MARK: - Pongs

extension WebSocketConnectionStateMachine {
    /// Whether pings of this read have not been answered.
    package var owesPongs: Bool { !pongs.isEmpty }

    /// The answers to the pings of a read, together: there may have been thousands. A client that sends pings and reads nothing gets no
    /// answers.
    ///
    /// - Parameter isWritable: Whether the client reads.
    /// - Returns: The frames to write, or nil. ``pongsWritten()`` says that the channel has written them.
    package mutating func takePongs(isWritable: Bool) -> ByteBuffer? {
        let frames = pongs
        pongs = []
        guard !frames.isEmpty, phase == .open, isWritable, unfinishedPongs < Self.maximumPongs else { return nil }
        unfinishedPongs += 1
        var all = ByteBufferAllocator().buffer(capacity: frames.reduce(0) { $0 + $1.readableBytes })
        for frame in frames { all.writeImmutableBuffer(frame) }
        return all
    }

    /// The channel has written what ``takePongs(isWritable:)`` returned, or has failed to.
    package mutating func pongsWritten() { unfinishedPongs -= 1 }
}

// MARK: - Closing

extension WebSocketConnectionStateMachine {
    /// The server closes the connection.
    ///
    /// - Returns: Whether a close frame is to be sent.
    package mutating func close() -> Bool {
        guard phase == .open else { return false }
        beginClosing()
        return true
    }

    /// The connection has ended. What was read and not used is discarded, and so is everything that still arrives.
    ///
    /// - Returns: Whether it had not ended before.
    package mutating func ended() -> Bool {
        guard phase != .closed else { return false }
        phase = .closed
        partial = .none
        reader.discard()
        return true
    }
}
