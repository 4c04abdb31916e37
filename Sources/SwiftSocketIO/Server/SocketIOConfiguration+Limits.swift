// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import SocketIOCore

extension SocketIOConfiguration {
    /// Bounds of what clients and other servers can make this server keep or do. A name that ends in `Bytes` is a size, all others are counts.
    public struct Limits: Sendable, Hashable {
        /// Binary attachments of one packet; a packet with more closes the connection. Default 10.
        public var attachments = 10
        /// Values of one packet from a client: its arguments and everything inside them, counting arrays, objects, their elements and keys one
        /// by one. A packet with more closes the connection with the reason `parse error`. At least 1; default 65 536.
        ///
        /// Decoding takes time for each value, on the client's event loop, however few bytes the value has: the limit bounds how long one packet
        /// can delay the other clients. If your clients send more, such as long arrays of numbers, send them as binary or raise the limit.
        public var packetValues = 65_536
        /// Size of the name of a client's event; a longer name closes the connection with `parse error`. Default 256, since names are written in
        /// code; at most 65 536. Names with more than 64 combining marks in a row are refused in any case.
        public var eventNameBytes = 256
        /// Namespaces that one client may join, including those whose middleware still runs; further ones are refused. Default 100.
        public var namespacesPerClient = 100
        /// Children of all dynamic namespaces together. At the limit, a client that asks for another child takes the place of a child without
        /// clients, regardless of ``SocketIOConfiguration/cleanupEmptyChildNamespaces``; if there is none, it is refused. Default 10 000.
        public var childNamespaces = 10_000
        /// Children of dynamic namespaces that exist because one client was the first to ask for them. At the limit it takes the place of one of
        /// its own children without clients; if there is none, it is refused, and only this client. At least 1. Default 100.
        public var childNamespacesPerClient = 100
        /// Size of the `auth` that a client sends when it joins a namespace; with more it is refused, with an error that says so. The server
        /// keeps it for as long as the socket exists. At least 1. Default 16 KiB, as much as a request may have headers, so that every token
        /// fits.
        public var authBytes = 16 << 10
        /// Size of the `auth` of one client in all of its namespaces together; further namespaces are refused, with an error that says so. At
        /// least ``authBytes``. Default 256 KiB.
        public var authBytesPerClient = 256 << 10
        /// The number of rooms of a socket and of an operation, and the size of their names.
        public var rooms = RoomLimits()
        /// Size of the description of one socket that `fetchSockets` returns. Parts that do not fit are omitted and named by
        /// ``RemoteSocket/omitted``: of data, rooms, `auth` and request, in this order, each that is too large for the rest. At least 1 024.
        /// Default 32 KiB.
        ///
        /// The `data` of a socket may have the same size if its session is to be kept for recovery or taken over from another node: with more
        /// it is not, which is counted and logged, and the client gets a new session.
        public var descriptionBytes = 32 << 10
        /// Events from other servers that one namespace handles at the same time; further ones are dropped and counted, and reported to the
        /// error hook once, until half of them are done. Default 10 000.
        public var serverSideEvents = 10_000
        /// Size of the arguments of these events, with the same outcome; a larger event is handled if it is the only one. At least 1.
        /// Default 64 MiB.
        public var serverSideEventBytes = 64 << 20
        /// The number and size of the events of one client that wait for their handlers.
        public var eventQueue = EventQueueLimits()
        /// Pending acknowledgements of one client; beyond that, `emitWithAck` throws. Default 10 000.
        public var pendingAcknowledgements = 10_000

        /// Creates the default limits.
        public init() {}

        /// Conditions on the values, each with the advice for a value that breaks it.
        var rules: [(Bool, String)] {
            [
                (attachments >= 0, "limits.attachments must not be negative"),
                (packetValues > 0, "limits.packetValues must be positive"),
                ((1...65_536).contains(eventNameBytes), "limits.eventNameBytes must be between 1 and 65 536"),
                (namespacesPerClient > 0, "limits.namespacesPerClient must be positive"),
                (childNamespaces >= 0, "limits.childNamespaces must not be negative"),
                (childNamespacesPerClient > 0, "limits.childNamespacesPerClient must be positive"),
                (authBytes > 0, "limits.authBytes must be positive"),
                (authBytesPerClient >= authBytes, "limits.authBytesPerClient must not be less than authBytes"),
                (
                    rooms.perSocket > 0 && rooms.nameBytes > 0 && rooms.perOperation > 0,
                    "limits.rooms.perSocket, nameBytes and perOperation must be positive"
                ),
                (descriptionBytes >= 1_024, "limits.descriptionBytes must be at least 1 024"),
                (serverSideEvents > 0, "limits.serverSideEvents must be positive"),
                (serverSideEventBytes > 0, "limits.serverSideEventBytes must be positive"),
                (eventQueue.events > 0 && eventQueue.bytes > 0, "limits.eventQueue.events and bytes must be positive"),
                (
                    eventQueue.hardEvents >= eventQueue.events && eventQueue.hardBytes >= eventQueue.bytes,
                    "limits.eventQueue.hardEvents and hardBytes must not be less than events and bytes"
                ),
                (pendingAcknowledgements > 0, "limits.pendingAcknowledgements must be positive"),
            ]
        }
    }
}
