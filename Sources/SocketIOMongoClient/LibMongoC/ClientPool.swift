// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import CSocketIOLibMongoC
import NIOCore
import Synchronization

/// libmongoc's pool of clients. Its clients are leased to one thread at a time.
final class ClientPool: Sendable {
    // The pool handle is thread-safe, unlike everything that comes out of it.
    private struct Handle: @unchecked Sendable { let pool: OpaquePointer }

    private let handle: Handle
    let observer = PoolObserver()
    private let onDestroyed: @Sendable () -> Void

    /// May block for SRV look-ups.
    /// - Parameter onDestroyed: Called on another thread when the last lease has ended, `self` is gone and libmongoc has stopped.
    init(_ uri: borrowing ConnectionURI, onDestroyed: @escaping @Sendable () -> Void) throws(MongoError) {
        handle = Handle(pool: try uri.makePool())
        self.onDestroyed = onDestroyed
        observer.observe(handle.pool)
    }

    // Destroying joins libmongoc's monitor threads, which takes too long for an event loop.
    deinit {
        let (handle, observer, onDestroyed) = (self.handle, self.observer, self.onDestroyed)
        let destroy: @Sendable () -> Void = {
            mongoc_client_pool_destroy(handle.pool)
            withExtendedLifetime(observer) {}
            onDestroyed()
        }
        if !DedicatedThread.run(name: "mongo-close", destroy) {
            destroy()
        }
    }

    /// Waits for a free client.
    func lease() throws(MongoError) -> LeasedClient {
        guard let client = mongoc_client_pool_pop(handle.pool) else {
            throw MongoError(
                .overloaded,
                "No connection of the pool became free within waitQueueTimeoutMS: raise maxPoolSize, or wait for running commands."
            )
        }
        return LeasedClient(client: client, pool: self)
    }

    /// A client if one is free now.
    func tryLease() throws(MongoError) -> LeasedClient {
        guard let client = mongoc_client_pool_try_pop(handle.pool) else {
            throw MongoError(.overloaded, "All connections of the pool are in use: close some cursors, or raise maxPoolSize.")
        }
        return LeasedClient(client: client, pool: self)
    }

    fileprivate func giveBack(_ client: OpaquePointer) {
        mongoc_client_pool_push(handle.pool, client)
    }
}

/// One client while it is out of its pool; only for the thread that leased it.
struct LeasedClient: ~Copyable {
    let client: OpaquePointer
    let pool: ClientPool

    fileprivate init(client: OpaquePointer, pool: ClientPool) {
        self.client = client
        self.pool = pool
    }

    deinit {
        pool.giveBack(client)
    }

    /// How libmongoc is to treat a command.
    enum Mode: Sendable {
        /// Sent once, as it is.
        case raw
        /// Retried once if the connection string allows it.
        case read
        /// Sent with the write concern of the options; of these libmongoc retries `findAndModify` only.
        case write
    }

    /// Where and within which session a command runs.
    struct Target {
        var session: OpaquePointer?
        var serverID: UInt32 = 0
        var preference: MongoReadPreference?
    }

    /// Runs one command and returns the server's reply if that says `ok`.
    ///
    /// A reply that says `ok` may still hold `writeErrors` and `writeConcernError`: those are the caller's.
    borrowing func run(
        _ command: BSONDocument,
        database: String,
        mode: Mode,
        options: BSONDocument = BSONDocument(),
        target: Target = Target()
    ) throws(MongoError) -> BSONDocument {
        var reply = clibmongoc_reply()
        let attempts = pool.observer.attempts.counting(command.firstKey) {
            Self.send(command, to: client, database: database, mode: mode, options: options, target: target, reply: &reply)
        }
        let answer = Self.takeDocument(&reply)
        if let answer, answer["ok"]?.integer == 1 {
            return answer
        }
        if let answer, answer["ok"] != nil {
            throw .fromServer(answer, attempts: attempts, isWrite: mode == .write)
        }
        throw .from(reply.error, attempts: mode == .write ? attempts : 0, labels: answer?.errorLabels ?? [], topology: topology())
    }

    private static func send(
        _ command: BSONDocument,
        to client: OpaquePointer,
        database: String,
        mode: Mode,
        options: BSONDocument,
        target: Target,
        reply: inout clibmongoc_reply
    ) {
        let preference = target.preference?.makeHandle()
        defer { preference.map(mongoc_read_prefs_destroy) }
        command.bytes.withUnsafeReadableBytes { command in
            options.bytes.withUnsafeReadableBytes { options in
                clibmongoc_run(
                    client,
                    mode.cValue,
                    database,
                    clibmongoc_document(command),
                    clibmongoc_document(options),
                    target.session,
                    target.serverID,
                    preference,
                    &reply
                )
            }
        }
    }

    // libmongoc owns the reply: it is copied out once and freed.
    private static func takeDocument(_ reply: inout clibmongoc_reply) -> BSONDocument? {
        guard let bytes = reply.bytes else { return nil }
        defer { clibmongoc_free(bytes) }
        return try? BSONDocument(.init(bytes: UnsafeRawBufferPointer(start: bytes, count: Int(reply.length))))
    }
}

extension LeasedClient.Mode {
    fileprivate var cValue: clibmongoc_mode {
        switch self {
        case .raw: CLIBMONGOC_RAW
        case .read: CLIBMONGOC_READ
        case .write: CLIBMONGOC_WRITE
        }
    }
}

extension clibmongoc_document {
    fileprivate init(_ bytes: UnsafeRawBufferPointer) {
        self.init(bytes: bytes.bindMemory(to: UInt8.self).baseAddress, length: bytes.count)
    }
}

extension BSONDocument {
    /// The key of the first element: a command's name.
    var firstKey: String {
        var reader = BSONReader(self)
        return (try? reader.next())?.key ?? ""
    }

    /// The labels that the server or libmongoc put on an error.
    var errorLabels: [String] {
        guard let labels = self["errorLabels"]?.array else { return [] }
        var reader = BSONReader(labels)
        var result: [String] = []
        while let element = try? reader.next() {
            if let label = element.string { result.append(label) }
        }
        return result
    }
}

#endif
