// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SwiftSocketIO

enum AcknowledgementsSnippets {
    static func one(socket: Socket) async throws {
        let accepted = try await socket.timeout(.seconds(5)).emitWithAck("invite", "room 4", as: Bool.self)
        print(accepted)
    }

    static func several(socket: Socket) async throws {
        let answer = try await socket.timeout(.seconds(5)).emitWithAck("size")
        let width = try answer.decode(Int.self, at: 0)
        let height = try answer.decode(Int.self, at: 1)
        print(width, height)
    }

    static func errors(socket: Socket) async {
        do {
            let accepted = try await socket.timeout(.seconds(5)).emitWithAck("invite", as: Bool.self)
            print(accepted)
        } catch let error as SocketIOError where error.code == .acknowledgementTimeout {
            print("no answer in time")
        } catch let error as SocketIOError where error.code == .disconnected {
            print("the client has gone")
        } catch {
            print(error)
        }
    }

    static func remote(io: SocketIOServer) async throws {
        for remote in try await io.in("players").fetchSockets() {
            let accepted = try await remote.timeout(.seconds(30)).emitWithAck("invite", "room 4", as: Bool.self)
            print(remote.id, accepted)
        }
    }

    static func stream(io: SocketIOServer) async throws {
        let acknowledgements = try await io.to("players").timeout(.seconds(2)).emitWithAck("ready?", as: Bool.self)
        for try await ready in acknowledgements {
            print(ready ? "somebody is ready" : "somebody is not")
        }
    }

    static func collect(io: SocketIOServer) async throws {
        let votes = try await io.to("players").emitWithAck("vote", as: Bool.self).collect()
        print(votes.count(where: { $0 }), "in favour")
    }

    static func available(io: SocketIOServer) async throws {
        let acknowledgements = try await io.to("players").emitWithAck("vote", as: Bool.self)
        let (votes, summary) = try await acknowledgements.collectAvailable()
        print("\(votes.count) of \(summary.expected) have voted; \(summary.disconnected) have gone")
        if !summary.missingNodes.isEmpty { print("no answer from", summary.missingNodes) }
    }
}
