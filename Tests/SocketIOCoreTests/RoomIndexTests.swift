// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import SocketIOTestSupport
import SocketIOText
import Testing

@testable import SocketIOCore

@Suite struct RoomIndexTests {
    private let loop = EmbeddedEventLoop()
    private let index = RoomIndex()

    private func add(_ id: SocketID, rooms: Room...) -> FakeSocket {
        let socket = FakeSocket(id, on: loop)
        index.add(socket)
        for room in rooms { index.join(id, room: room) }
        return socket
    }

    private func selected(rooms: [Room] = [], except: [Room] = []) -> [SocketID] {
        index.selected(BroadcastOptions(rooms: rooms, except: except)).map(\.id).sorted()
    }

    @Test func `a socket is met once however many rooms name it`() {
        _ = add("a", rooms: "r1", "r2", "r3")
        _ = add("b", rooms: "r2")
        _ = add("c")
        #expect(selected(rooms: ["r1", "r2", "r3", "a", "r1"]) == ["a", "b"])
        #expect(selected() == ["a", "b", "c"])
    }

    @Test func `a walk may start another`() {
        for id in ["a", "b", "c"] { _ = add(id, rooms: "r1", "r2") }
        var (outer, inner): ([SocketID], [SocketID]) = ([], [])
        index.forEach(rooms: ["r1", "r2"], except: []) { member in
            outer.append(member.socket.id)
            index.forEach(rooms: ["r2", "r1"], except: ["a"]) { inner.append($0.socket.id) }
        }
        #expect(outer.sorted() == ["a", "b", "c"])
        #expect(inner.sorted() == ["b", "b", "b", "c", "c", "c"])
    }

    @Test func `a walk within a walk visits the rooms in the order in which they are named`() {
        let names = (0..<20).map { "r\($0)" }
        for name in names.shuffled() { _ = add("in-\(name)", rooms: name) }
        _ = add("outer", rooms: "outer")
        let rooms = names.shuffled()
        var inner: [SocketID] = []
        index.forEach(rooms: ["outer"], except: []) { _ in
            index.forEach(rooms: rooms + rooms.reversed(), except: []) { inner.append($0.socket.id) }
        }
        #expect(inner == rooms.map { "in-\($0)" })
    }

    @Test func `a room whose members are away is created again`() throws {
        var events: [RoomEvent] = []
        index.onEvent = { events.append($0) }
        let away = add("a", rooms: "room")
        #expect(index.park(away, as: FakeSocket("a", on: loop)))
        events = []
        _ = add("b", rooms: "room")
        #expect(events.suffix(2) == [.create(room: "room"), .join(room: "room", socket: "b")])
    }

    @Test func `except wins over rooms`() {
        _ = add("a", rooms: "r1", "muted")
        _ = add("b", rooms: "r1")
        _ = add("c")
        #expect(selected(rooms: ["r1"], except: ["muted"]) == ["b"])
        #expect(selected(except: ["b", "nobody"]) == ["a", "c"])
        #expect(selected(rooms: ["a"], except: ["a"]).isEmpty)
    }

    @Test func `the own room is named by the ID and cannot be left`() {
        _ = add("a")
        _ = add("b")
        index.leave("a", room: "a")
        #expect(selected(rooms: ["a"]) == ["a"])
        #expect(index.rooms(of: "a") == ["a"])
        index.join("b", room: "a")
        #expect(selected(rooms: ["a"]) == ["a", "b"])
    }

    @Test func `rooms live as long as their members`() {
        var events: [RoomEvent] = []
        index.onEvent = { events.append($0) }
        _ = add("a", rooms: "r")
        _ = add("b", rooms: "r")
        index.leave("a", room: "r")
        index.remove("b")
        #expect(
            events == [
                .create(room: "a"), .join(room: "a", socket: "a"), .create(room: "r"), .join(room: "r", socket: "a"),
                .create(room: "b"), .join(room: "b", socket: "b"), .join(room: "r", socket: "b"), .leave(room: "r", socket: "a"),
                .leave(room: "r", socket: "b"), .delete(room: "r"), .leave(room: "b", socket: "b"), .delete(room: "b"),
            ]
        )
        #expect(index.roomNames() == ["a"])
        #expect(index.roomCount == 0)
    }

    @Test func `joins and leaves in any order keep the index right`() {
        var random = SystemRandomNumberGenerator()
        var model: [SocketID: NameSet] = [:]
        for step in 0..<5_000 {
            let id = "s\(Int.random(in: 0..<20, using: &random))"
            let room = "r\(Int.random(in: 0..<6, using: &random))"
            switch Int.random(in: 0..<5, using: &random) {
            case 0:
                if model[id] == nil { _ = add(id) }
                model[id] = model[id] ?? []
            case 1:
                index.remove(id)
                model[id] = nil
            case 2:
                index.leave(id, room: room)
                model[id]?.remove(room)
            default:
                index.join(id, room: room)
                model[id]?.insert(room)
            }
            if step % 50 == 0 {
                for room in (0..<6).map({ "r\($0)" }) {
                    #expect(selected(rooms: [room]) == model.filter { $0.value.contains(room) }.map(\.key).sorted())
                }
                #expect(selected() == model.keys.sorted())
            }
        }
    }

    @Test func `another socket of the same ID is not removed`() {
        let old = add("a")
        index.remove("a")
        _ = add("a")
        index.remove("a", ifOwnedBy: old)
        #expect(index.count == 1)
    }

    @Test func `a parked socket gets broadcasts and nothing else`() {
        let socket = add("a", rooms: "r")
        let stand = FakeSocket("a", on: loop)
        #expect(index.park(socket, as: stand))
        #expect(!index.park(socket, as: stand))
        #expect(index.count == 0)
        #expect(selected().isEmpty)
        #expect(index.roomNames().isEmpty)
        var met = 0
        index.forEach(rooms: ["r"], except: [], includingParked: true) { _ in met += 1 }
        #expect(met == 1)
    }
}
