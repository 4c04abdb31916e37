// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import Foundation
import SocketIOEmitter

enum EmitterSnippets {
    static func overview() async throws {
        let io = try await SocketIOEmitter.mongo("mongodb://db1,db2,db3/?replicaSet=rs0")
        try await io.to("lobby").except("muted").emit("news", "The doors are open.", Date())
        try await io.of("/chat").in("room-7").disconnectSockets(close: true)
        try await io.serverSideEmit("reload-prices")
        await io.close()
    }
}
#endif
