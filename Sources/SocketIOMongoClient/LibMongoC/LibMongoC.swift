// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import CSocketIOLibMongoC
import Logging
import Synchronization
import SocketIOText

/// The process-wide part of libmongoc: started once, never cleaned up, because other users of the library may still need it.
enum LibMongoC {
    /// Starts libmongoc and takes over its log; cheap after the first call.
    static func start() {
        _ = started
    }

    /// Sends libmongoc's own log lines to this logger from now on.
    static func log(to logger: Logger) {
        self.logger.withLock { $0 = logger }
    }

    private static let logger = Mutex(Logger(label: "mongo-client.libmongoc"))

    private static let started: Void = {
        // The handler is called under libmongoc's log lock: it must not call back into libmongoc.
        mongoc_log_set_handler(
            { level, domain, message, _ in
                let domain = domain.map { String(cString: $0) } ?? ""
                guard let level = LibMongoC.level(of: level, in: domain), let message else { return }
                let logger = LibMongoC.logger.withLock { $0 }
                logger.log(
                    level: level,
                    "\(String(cString: message))",
                    metadata: [LogKey.library: "\(domain)"]
                )
            },
            nil
        )
        mongoc_init()
        _ = mongoc_handshake_data_append("swift-socketio", nil, "Swift")
    }()

    // libmongoc's warnings reach the caller as a `MongoError`, except those about a connection string.
    private static func level(of level: mongoc_log_level_t, in domain: String) -> Logger.Level? {
        switch level {
        case MONGOC_LOG_LEVEL_ERROR, MONGOC_LOG_LEVEL_CRITICAL: .warning
        case MONGOC_LOG_LEVEL_WARNING: domain == "mongoc" ? .warning : .debug
        case MONGOC_LOG_LEVEL_MESSAGE, MONGOC_LOG_LEVEL_INFO: .debug
        case MONGOC_LOG_LEVEL_DEBUG: .trace
        default: nil
        }
    }
}

extension bson_error_t {
    /// libmongoc's text.
    var text: String {
        withUnsafePointer(to: self) { String(cString: clibmongoc_message($0)) }
    }
}

#endif
