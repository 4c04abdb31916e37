// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import CSocketIOLibMongoC
/// A cursor that is open on a server, for the one thread that made it.
///
/// It sends `getMore` itself instead of using libmongoc's cursors: those resume change streams on their own, and hide resume tokens and
/// error replies.
final class ServerCursor {
    private let specification: CursorSpecification
    private let lease: LeasedClient
    private let session: OpaquePointer?
    private var cursorID: Int64 = 0
    private var collection = ""
    private var firstBatch: MongoBatch?
    private var isConnectionBroken = false

    let server: ServerDescription

    /// Selects a server and sends the command.
    init(_ specification: CursorSpecification, lease: consuming LeasedClient) throws(MongoError) {
        self.specification = specification
        self.server = try lease.selectServer(forWrites: specification.requiresPrimary, preference: specification.readPreference)
        self.session = lease.startSession()
        self.lease = lease
        let reply = try self.exchange(specification.command)
        self.firstBatch = reply.batch
        self.cursorID = reply.cursorID
        self.collection = String(reply.namespace[...].utf8.drop { $0 != UInt8(ascii: ".") }.dropFirst()) ?? ""
    }

    // The session goes back before the client does.
    deinit {
        self.kill()
        if let session = self.session {
            mongoc_client_session_destroy(session)
        }
    }

    /// The next batch, possibly without documents; `nil` once the server has closed the cursor.
    /// - Throws: Any error of the `getMore`; ``MongoError/Code/notPrimary``. The cursor is of no use afterwards.
    func next() throws(MongoError) -> MongoBatch? {
        if let batch = self.firstBatch {
            self.firstBatch = nil
            return batch
        }
        guard self.cursorID != 0 else { return nil }
        let reply = try self.exchange(self.specification.getMore(cursorID: self.cursorID, collection: self.collection))
        self.cursorID = reply.cursorID
        return reply.batch
    }

    private func exchange(_ command: BSONDocument) throws(MongoError) -> CursorReply {
        do throws(MongoError) {
            let reply = try self.lease.run(
                command,
                database: self.specification.database,
                mode: .raw,
                target: .init(session: self.session, serverID: self.server.id, preference: self.specification.readPreference)
            )
            // What a former primary has read may be rolled back: it is dropped here and read again from the new one.
            try self.checkPrimary()
            return try CursorReply(reply)
        } catch {
            if error.code == .network { self.isConnectionBroken = true }
            if error.serverCode != nil { self.cursorID = 0 }
            throw error.ofCursor()
        }
    }

    private func checkPrimary() throws(MongoError) {
        guard self.specification.requiresPrimary, self.lease.server(self.server.id)?.isWritable != true else { return }
        throw MongoError(.notPrimary, "\(self.server.address) is no longer the primary: open the cursor again on the new one.")
    }

    // A cursor that is left alone stays on the server for ten minutes.
    private func kill() {
        guard self.cursorID != 0, !self.isConnectionBroken else { return }
        let command = BSONDocument { command in
            command.append("killCursors", self.collection)
            command.appendArray("cursors") { $0.append(self.cursorID) }
        }
        self.cursorID = 0
        _ = try? self.lease.run(
            command,
            database: self.specification.database,
            mode: .raw,
            target: .init(session: self.session, serverID: self.server.id)
        )
    }
}

#endif
