// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Benchmark
import EngineIO
import Logging
import NIOCore
import NIOEmbedded

private final class Sessions: EngineServerDelegate {
    func engineServer(didOpen session: EngineSession) -> any EngineSessionDelegate { Nobody() }
}

private final class Nobody: EngineSessionDelegate {
    func session(_ session: EngineSession, didReceiveText message: ByteBuffer) {}
    func session(_ session: EngineSession, didReceiveBinary message: ByteBuffer) {}
    func session(_ session: EngineSession, didCloseWith reason: EngineCloseReason) {}
}

/// A connection without a network, from its first byte to its end.
func handshakeBenchmarks() {
    let fields = """
        Host: 127.0.0.1:3000\r
        Pragma: no-cache\r
        Cache-Control: no-cache\r
        User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r
        Accept-Encoding: gzip, deflate, br, zstd\r
        Accept-Language: en-GB,en;q=0.9\r

        """
    let upgrade = """
        Connection: Upgrade\r
        Upgrade: websocket\r
        Sec-WebSocket-Version: 13\r
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r

        """
    measureHandshake("WebSocket", "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n\(fields)\(upgrade)\r\n")
    measureHandshake("long-polling", "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n\(fields)\r\n")
}

private func measureHandshake(_ transport: String, _ request: String) {
    Benchmark("handshake: \(transport)", configuration: .init(scalingFactor: .one)) { benchmark in
        let loop = EmbeddedEventLoop()
        let engine = EngineServer(delegate: Sessions(), logger: Logger(label: "none") { _ in SwiftLogNoOpLogHandler() })
        let bytes = ByteBuffer(string: request)
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        benchmark.startMeasurement()
        for _ in 0..<1_000 {
            let channel = EmbeddedChannel(loop: loop)
            try engine.configure(channel)
            channel.connect(to: address, promise: nil)
            try channel.writeInbound(bytes)
            loop.run()
            channel.close(promise: nil)
            loop.run()
        }
        benchmark.stopMeasurement()
        await engine.shutdown()
    }
}
