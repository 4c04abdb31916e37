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
        server = try lease.selectServer(forWrites: specification.requiresPrimary, preference: specification.readPreference)
        session = lease.startSession()
        self.lease = lease
        let reply = try exchange(specification.command)
        firstBatch = reply.batch
        cursorID = reply.cursorID
        collection = String(reply.namespace[...].utf8.drop { $0 != UInt8(ascii: ".") }.dropFirst()) ?? ""
    }

    // The session goes back before the client does.
    deinit {
        kill()
        if let session = self.session {
            mongoc_client_session_destroy(session)
        }
    }

    /// The next batch, possibly without documents; `nil` once the server has closed the cursor.
    /// - Throws: Any error of the `getMore`; ``MongoError/Code/notPrimary``. The cursor is of no use afterwards.
    func next() throws(MongoError) -> MongoBatch? {
        if let batch = firstBatch {
            firstBatch = nil
            return batch
        }
        guard cursorID != 0 else { return nil }
        let reply = try exchange(specification.getMore(cursorID: cursorID, collection: collection))
        cursorID = reply.cursorID
        return reply.batch
    }

    private func exchange(_ command: BSONDocument) throws(MongoError) -> CursorReply {
        do throws(MongoError) {
            let reply = try lease.run(
                command,
                database: specification.database,
                mode: .raw,
                target: .init(session: session, serverID: server.id, preference: specification.readPreference)
            )
            // Documents read from a former primary may be rolled back: they are dropped here and read again from the new primary.
            try checkPrimary()
            return try CursorReply(reply)
        } catch {
            if error.code == .network { isConnectionBroken = true }
            if error.serverCode != nil { cursorID = 0 }
            throw error.ofCursor()
        }
    }

    private func checkPrimary() throws(MongoError) {
        guard specification.requiresPrimary, lease.server(server.id)?.isWritable != true else { return }
        throw MongoError(.notPrimary, "\(server.address) is no longer the primary: open the cursor again on the new one.")
    }

    // A cursor that is left alone stays on the server for ten minutes.
    private func kill() {
        guard cursorID != 0, !isConnectionBroken else { return }
        let command = BSONDocument { command in
            command.append("killCursors", collection)
            command.appendArray("cursors") { $0.append(cursorID) }
        }
        cursorID = 0
        _ = try? lease.run(
            command,
            database: specification.database,
            mode: .raw,
            target: .init(session: session, serverID: server.id)
        )
    }
}

#endif
