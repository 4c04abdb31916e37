// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import CSocketIOLibMongoC
/// A parsed connection string; every option that it holds goes to libmongoc as it is.
struct ConnectionURI: ~Copyable {
    private let uri: OpaquePointer

    /// - Throws: ``MongoError/Code/invalidArgument`` if the string is malformed. Nothing is looked up or connected.
    init(_ string: String) throws(MongoError) {
        LibMongoC.start()
        var error = bson_error_t()
        guard let uri = mongoc_uri_new_with_error(string, &error) else {
            throw .invalidArgument("The MongoDB connection string is malformed: \(error.text)")
        }
        // libmongoc takes what is behind the first @ as a host, and quotes it in its errors.
        guard !Self.hosts(uri).contains(where: { $0.contains("@") }) else {
            mongoc_uri_destroy(uri)
            throw .invalidArgument("The MongoDB connection string has an @ in the user name or password: write it as %40.")
        }
        self.uri = uri
    }

    /// The addresses in the string.
    private static func hosts(_ uri: OpaquePointer) -> [String] {
        var hosts: [String] = []
        var next = mongoc_uri_get_hosts(uri)
        while let host = next {
            hosts.append(String(cString: clibmongoc_host(host)))
            next = UnsafePointer(host.pointee.next)
        }
        return hosts
    }

    deinit {
        mongoc_uri_destroy(uri)
    }

    /// Sets an option in milliseconds unless the connection string has it.
    borrowing func setDefault(_ option: String, _ value: Duration) {
        guard !mongoc_uri_has_option(uri, option) else { return }
        set(option, value)
    }

    /// Sets an option in milliseconds.
    borrowing func set(_ option: String, _ value: Duration) {
        _ = mongoc_uri_set_option_as_int32(uri, option, Int32(clamping: value.milliseconds))
    }

    /// Sets the application's name unless the connection string has one.
    borrowing func setDefaultApplicationName(_ name: String) {
        guard mongoc_uri_get_appname(uri) == nil else { return }
        _ = mongoc_uri_set_appname(uri, name)
    }

    /// `maxPoolSize`, 100 unless the connection string says otherwise.
    borrowing func maximumPoolSize() -> Int {
        Swift.max(1, Int(mongoc_uri_get_option_as_int32(uri, MONGOC_URI_MAXPOOLSIZE, 100)))
    }

    /// The database in the path of the connection string.
    borrowing func database() -> String? {
        mongoc_uri_get_database(uri).map { String(cString: $0) }
    }

    /// Makes a pool; looks up SRV records, so it may block.
    borrowing func makePool() throws(MongoError) -> OpaquePointer {
        var error = bson_error_t()
        guard let pool = mongoc_client_pool_new_with_error(uri, &error) else {
            throw .from(error, attempts: 0)
        }
        _ = mongoc_client_pool_set_error_api(pool, MONGOC_ERROR_API_VERSION_2)
        return pool
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, so that something above zero stays above it.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        guard (Int64.min / 2_000...Int64.max / 2_000).contains(seconds) else { return seconds < 0 ? .min : .max }
        return seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }
}

#endif
