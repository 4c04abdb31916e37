// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
import NIOCore
import NIOHTTP1
import SocketIOConcurrency
import SocketIOCore
import SocketIOText
import Synchronization

/// A long-polling session of a test client: one connection that always has a poll under way, and one for what the client sends.
final class PollingTransport: TestTransport {
    private struct State {
        var polls = true
        var isClosed = false
        /// Succeeds when the last request that sends something is answered: a session takes one at a time.
        var lastPost: EventLoopFuture<Void>?
    }

    private struct Open: Decodable { var sid: String }

    private let requests: TestRequests
    private let sid: String
    private let inbox: Inbox
    private let poller: TestHTTPConnection
    private let poster: TestHTTPConnection
    private let state = Mutex(State())
    private let paused = Gate()
    private let closed = Gate()

    private init(_ requests: TestRequests, sid: String, _ inbox: Inbox, poller: TestHTTPConnection, poster: TestHTTPConnection) {
        self.requests = requests
        self.sid = sid
        self.inbox = inbox
        self.poller = poller
        self.poster = poster
    }

    static func connect(_ requests: TestRequests, _ inbox: Inbox) async throws -> PollingTransport {
        let poller = try await TestHTTPConnection.open(requests)
        let answer = try await poller.request(.GET, requests.target("polling")).get()
        guard answer.status == 200, let open = messages(in: answer.body).first, case .text(let text) = open, text.hasPrefix("0{") else {
            await poller.close()
            throw TestClient.Failure(description: "the server refused the session: \(answer.status) \(String(buffer: answer.body))")
        }
        let sid = try EncodedValue(format: .json, bytes: ByteBuffer(string: String(text.dropFirst()))).decode(Open.self).sid
        let poster = try await TestHTTPConnection.open(requests)
        let transport = PollingTransport(requests, sid: sid, inbox, poller: poller, poster: poster)
        transport.receive(answer.body)
        transport.poll()
        return transport
    }

    // MARK: Receiving

    private func poll() {
        guard state.withLock({ $0.polls && !$0.isClosed }) else { return paused.open() }
        poller.request(.GET, requests.target("polling", sid: sid)).whenComplete { [self] result in
            guard case .success(let answer) = result, answer.status == 200 else {
                paused.open()
                return end()
            }
            receive(answer.body)
            poll()
        }
    }

    private func receive(_ payload: ByteBuffer) {
        for message in Self.messages(in: payload) {
            switch message {
            case .text("1"): end()
            // It ends a poll, and means nothing else.
            case .text("6"): break
            case .text("2"): if requests.answersPings { _ = post([.text("3")]) }
            default: inbox.append(message)
            }
        }
    }

    private func end() {
        let wasClosed = state.withLock { state in
            defer { state.isClosed = true }
            return state.isClosed
        }
        guard !wasClosed else { return }
        inbox.finish()
        closed.open()
        poller.closeSoon()
        poster.closeSoon()
    }

    private static func messages(in payload: ByteBuffer) -> [TestClient.Message] {
        payload.readableBytesView.split(separator: 0x1e).map { packet in
            guard packet.first == UInt8(ascii: "b"), let data = Base64.decode(ByteBuffer(packet.dropFirst())) else {
                return .text(String(decoding: packet, as: UTF8.self))
            }
            return .binary(data)
        }
    }

    // MARK: Sending

    func send(_ messages: [TestClient.Message]) async throws { try await post(messages).get() }

    private func post(_ messages: [TestClient.Message]) -> EventLoopFuture<Void> {
        var body = ByteBuffer()
        for message in messages {
            if body.readableBytes > 0 { body.writeInteger(UInt8(0x1e)) }
            switch message {
            case .text(let text): body.writeString(text)
            case .binary(let data):
                body.writeInteger(UInt8(ascii: "b"))
                Base64.encode(data, into: &body)
            }
        }
        return state.withLock { state in
            let target = requests.target("polling", sid: sid)
            let send = { @Sendable [poster, body] in
                poster.request(.POST, target, body: body).flatMapThrowing { answer in
                    guard answer.status == 200 else {
                        let text = "the server refused a request: \(answer.status) \(String(buffer: answer.body))"
                        throw TestClient.Failure(description: text)
                    }
                }
            }
            let next = state.lastPost.map { $0.flatMap(send) } ?? send()
            state.lastPost = next
            return next
        }
    }

    // MARK: The end

    var isOpen: Bool { state.withLock { !$0.isClosed } }

    func waitUntilClosed() async { await closed.waitUntilOpen() }

    func cut() async {
        end()
        await poller.close()
        await poster.close()
    }

    func stopReading() async throws { state.withLock { $0.polls = false } }

    /// Moves the session to a WebSocket.
    func upgrade() async throws -> WebSocketTransport {
        let webSocket = try await WebSocketTransport.connect(requests, sid: sid, inbox)
        let probed = inbox.claim { $0.messages.first == .text("3probe") }
        // The server ends the poll that is under way, and another one could wait for long.
        state.withLock { $0.polls = false }
        try await webSocket.send([.text("2probe")])
        guard await inbox.take(probed, within: .seconds(10)) != nil else {
            state.withLock { $0.polls = true }
            poll()
            throw TestClient.Failure(description: "the server did not answer the probe of the WebSocket")
        }
        await paused.wait()
        try await webSocket.send([.text("5")])
        state.withLock { $0.isClosed = true }
        await poller.close()
        await poster.close()
        return webSocket
    }
}
