// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

package import NIOCore
import NIOPosix

/// A TCP connection whose bytes a test writes and reads itself.
package final class RawClient: Sendable {
    package struct Response: Sendable {
        package var status: Int
        package var headers: [String: String]
        package var body: String
    }

    package enum Failure: Error { case closed, timeout, malformed(String) }

    package let channel: any Channel
    private let inbox: Inbox

    private init(channel: any Channel, inbox: Inbox) {
        self.channel = channel
        self.inbox = inbox
    }

    /// What has arrived; a test awaits until it holds what it looks for.
    actor Inbox {
        private var bytes: [UInt8] = []
        private var isClosed = false
        private var waiters: [CheckedContinuation<Void, Never>] = []

        func append(_ new: [UInt8]) {
            bytes += new
            wake()
        }

        func close() {
            isClosed = true
            wake()
        }

        private func wake() {
            for waiter in waiters { waiter.resume() }
            waiters = []
        }

        /// Takes from the front what `parse` accepts: it returns the result and how many bytes it used, or nil to wait for more.
        func take<T: Sendable>(_ parse: @Sendable ([UInt8]) throws -> (T, Int)?) async throws -> T {
            while true {
                if let (result, used) = try parse(bytes) {
                    bytes.removeFirst(used)
                    return result
                }
                if isClosed { throw Failure.closed }
                await withCheckedContinuation { waiters.append($0) }
            }
        }

        func waitForClose() async -> [UInt8] {
            while !isClosed { await withCheckedContinuation { waiters.append($0) } }
            return bytes
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let stream: AsyncStream<[UInt8]>.Continuation

        init(stream: AsyncStream<[UInt8]>.Continuation) { self.stream = stream }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            stream.yield(Array(Self.unwrapInboundIn(data).readableBytesView))
        }

        func channelInactive(context: ChannelHandlerContext) { stream.finish() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    /// Connects, runs `body` and closes.
    package static func with<T: Sendable>(
        _ port: Int,
        halfClosure: Bool = false,
        readsAutomatically: Bool = true,
        first: (@Sendable () throws -> any ChannelHandler)? = nil,
        _ body: @Sendable (RawClient) async throws -> T
    ) async throws -> T {
        let (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self)
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.allowRemoteHalfClosure, value: halfClosure)
            .channelOption(.autoRead, value: readsAutomatically)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let first { try channel.pipeline.syncOperations.addHandler(first()) }
                    try channel.pipeline.syncOperations.addHandler(Handler(stream: continuation))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        let inbox = Inbox()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await bytes in stream { await inbox.append(bytes) }
                await inbox.close()
            }
            defer { group.cancelAll() }
            let result: Result<T, any Error>
            do { result = .success(try await body(RawClient(channel: channel, inbox: inbox))) } catch { result = .failure(error) }
            try? await channel.close()
            return try result.get()
        }
    }

    // MARK: HTTP

    package func send(_ text: String) async throws {
        try await channel.writeAndFlush(ByteBuffer(string: text))
    }

    package func send(bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    /// Sends a request without waiting for its answer.
    package func request(_ method: String, _ target: String, headers: [String] = [], body: String? = nil) async throws {
        try await send(Self.encodeRequest(method, target, headers: headers, body: body))
    }

    package static func encodeRequest(_ method: String, _ target: String, headers: [String] = [], body: String? = nil) -> String {
        var text = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n"
        for header in headers { text += header + "\r\n" }
        if let body { text += "Content-Length: \(body.utf8.count)\r\n" }
        return text + "\r\n" + (body ?? "")
    }

    package func response() async throws -> Response {
        try await inbox.take { bytes in try Self.parseResponse(bytes) }
    }

    package func get(_ target: String, headers: [String] = []) async throws -> Response {
        try await request("GET", target, headers: headers)
        return try await response()
    }

    package func post(_ target: String, _ body: String, headers: [String] = []) async throws -> Response {
        try await request("POST", target, headers: headers, body: body)
        return try await response()
    }

    /// Opens a polling session and returns its id.
    package func handshake(_ path: String = "/socket.io/") async throws -> String {
        let response = try await get("\(path)?EIO=4&transport=polling")
        guard response.status == 200 else { throw Failure.malformed(response.body) }
        return Self.sessionID(in: response.body)
    }

    /// The session id in an open packet.
    package static func sessionID(in packet: String) -> String {
        guard let range = packet.firstRange(of: "\"sid\":\"") else { return "" }
        return String(packet[range.upperBound...].prefix { $0 != "\"" })
    }

    /// Polls until the session no longer does.
    package func waitUntilUpgraded(_ target: String) async throws {
        while try await get(target).status == 200 {}
    }

    package static func parseResponse(_ bytes: [UInt8]) throws -> (Response, Int)? {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw Failure.malformed(String(decoding: bytes, as: UTF8.self))
        }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let name = line.prefix { $0 != ":" }
            headers[name.lowercased()] = String(line.dropFirst(name.count + 1).drop { $0 == " " })
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        guard bytes.count >= end.upperBound + length else { return nil }
        let body = String(decoding: bytes[end.upperBound..<end.upperBound + length], as: UTF8.self)
        return (Response(status: status, headers: headers, body: body), end.upperBound + length)
    }

    // MARK: WebSocket

    package static let upgradeHeaders = [
        "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]

    /// Asks for a WebSocket on this connection and checks that it is granted.
    package func upgrade(_ target: String, headers: [String] = []) async throws {
        let response = try await get(target, headers: Self.upgradeHeaders + headers)
        guard response.status == 101, response.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" else {
            throw Failure.malformed("\(response)")
        }
    }

    package enum Frame: Equatable, Sendable {
        case text(String)
        case binary([UInt8])
        case close(UInt16?)
        case pong([UInt8])
        case other(UInt8)
    }

    package func frame() async throws -> Frame {
        try await inbox.take { bytes in Self.parseFrame(bytes) }
    }

    package func sendFrame(_ firstByte: UInt8, _ payload: [UInt8], masked: Bool = true) async throws {
        try await send(bytes: Self.encodeFrame(firstByte, payload, masked: masked))
    }

    package func sendText(_ text: String) async throws {
        try await sendFrame(0x81, Array(text.utf8))
    }

    package static func encodeFrame(_ firstByte: UInt8, _ payload: [UInt8], masked: Bool = true) -> [UInt8] {
        var frame: [UInt8] = [firstByte]
        let bit: UInt8 = masked ? 0x80 : 0
        switch payload.count {
        case ..<126: frame.append(bit | UInt8(payload.count))
        case ..<65_536: frame += [bit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        default: frame += [bit | 127] + (0..<8).reversed().map { UInt8(payload.count >> ($0 * 8) & 255) }
        }
        guard masked else { return frame + payload }
        let key: [UInt8] = [0x12, 0x34, 0x56, 0x78]
        return frame + key + payload.enumerated().map { $1 ^ key[$0 & 3] }
    }

    package static func parseFrame(_ bytes: [UInt8]) -> (Frame, Int)? {
        guard bytes.count >= 2 else { return nil }
        var length = Int(bytes[1] & 0x7f)
        var start = 2
        if length >= 126 {
            let size = length == 126 ? 2 : 8
            guard bytes.count >= 2 + size else { return nil }
            length = bytes[2..<2 + size].reduce(0) { $0 << 8 | Int($1) }
            start += size
        }
        guard bytes.count >= start + length else { return nil }
        let payload = Array(bytes[start..<start + length])
        let frame: Frame =
            switch bytes[0] {
            case 0x81: .text(String(decoding: payload, as: UTF8.self))
            case 0x82: .binary(payload)
            case 0x88: .close(payload.count >= 2 ? UInt16(payload[0]) << 8 | UInt16(payload[1]) : nil)
            case 0x8a: .pong(payload)
            default: .other(bytes[0])
            }
        return (frame, start + length)
    }

    /// Waits until the server closes the connection; returns what was not read.
    @discardableResult
    package func waitForClose() async -> [UInt8] {
        await inbox.waitForClose()
    }
}

extension Array where Element: Equatable {
    fileprivate func firstRange(of other: [Element]) -> Range<Int>? {
        guard count >= other.count else { return nil }
        for start in 0...(count - other.count) where self[start] == other[0] && Array(self[start..<start + other.count]) == other {
            return start..<start + other.count
        }
        return nil
    }
}
