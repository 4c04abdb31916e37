// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import EngineIOCore
public import SocketIOText

/// The state of a session, which follows its client from socket to socket, from loop to loop and from node to node.
///
/// The private session id is not part of it: it is the key by which a session is found. Only the client and its node may know it.
public struct SessionState: Sendable {
    /// The socket's id, which the client keeps.
    public var id: SocketID
    /// The rooms that the socket is in, its own included.
    public var rooms: NameSet
    /// The socket's data, as an encoded object with string keys.
    public var data: EncodedValue

    /// Creates a state.
    public init(id: SocketID, rooms: NameSet, data: EncodedValue) {
        self.id = id
        self.rooms = rooms
        self.data = data
    }
}
