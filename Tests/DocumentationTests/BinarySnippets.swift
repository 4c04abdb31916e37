// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import SwiftSocketIO

enum BinarySnippets {
    static func binary(socket: Socket) throws {
        struct Photo: Codable, Sendable {
            var name: String
            var bytes: ByteBuffer
            var thumbnails: [Data]
        }

        socket.on("photo") { (photo: Photo) in
            print(photo.name, photo.bytes.readableBytes)
            return photo.thumbnails.count
        }
        try socket.emit("photo", Photo(name: "sea", bytes: ByteBuffer(bytes: [1, 2, 3]), thumbnails: []))
        try socket.emit("bytes", [UInt8]([1, 2, 3]))
    }

    static func dates(socket: Socket) throws {
        socket.on("when") { (date: Date) in date.addingTimeInterval(60) }
    }

    static func unknown(socket: Socket) {
        socket.on("anything") { (value: SocketIOValue) in
            if case .binary(let bytes)? = value["file"] { print(bytes.readableBytes) }
            if case .string(let name)? = value["names"]?[0] { print(name) }
        }
    }

    static func parser() -> SocketIOConfiguration {
        var configuration = SocketIOConfiguration()
        configuration.parser = .messagePack
        return configuration
    }
}
