// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOHTTP1
import SocketIOConcurrency
import SocketIOText

/// Writes refusals to the log: each at `debug`, and each cause at most once an hour with its cure, at `notice`.
struct RefusalLog: Sendable {
    /// Longer origins and paths share a line.
    private static let longestSubject = 200

    private let logger: Logger
    /// The engine's path.
    private let path: String
    private let causes = CauseLimiter<RefusalCause, Name>()

    init(_ logger: Logger, path: String) {
        self.logger = logger
        self.path = path
    }

    /// Writes a refusal.
    ///
    /// - Parameters:
    ///   - cause: Why it was refused.
    ///   - message: What the client got.
    ///   - head: The request.
    ///   - address: The client's address.
    func write(_ cause: RefusalCause, message: String, of head: HTTPRequestHead, from address: @autoclosure () -> String) {
        // Unknown sessions are a sign that every other request of all polling clients fails.
        let level = cause == .unknownSID ? Logger.Level.warning : .notice
        guard logger.logLevel <= level else { return }
        if logger.logLevel <= .debug {
            let texts: Logger.Metadata = [LogKey.message: "\(QuotedText(message))", LogKey.context: "\(cause.context)"]
            logger.debug("request refused", metadata: texts.merging(metadata(cause, head, address())) { first, _ in first })
        }
        guard let cure = cause.cure else { return }
        causes.log(cause, about: subject(cause, head)) { suppressed in
            var metadata = metadata(cause, head, address())
            metadata[LogKey.suppressed] = "\(suppressed ?? 0)"
            logger.log(level: level, "\(cause.headline). \(cure) Logged at most once an hour", metadata: metadata)
        }
    }

    /// The origin or path, which the client chooses.
    private func subject(_ cause: RefusalCause, _ head: HTTPRequestHead) -> Name? {
        let text: String? =
            switch cause {
            case .origin, .unreadable: head.headers.first(name: "origin")
            case .unknownPath: String(head.path)
            default: nil
            }
        return text.flatMap { $0.utf8.count <= Self.longestSubject ? Name($0) : nil }
    }

    private func metadata(_ cause: RefusalCause, _ head: HTTPRequestHead, _ address: String) -> Logger.Metadata {
        var metadata: Logger.Metadata = [LogKey.address: "\(QuotedText(address))"]
        switch cause {
        case .origin, .unreadable:
            metadata[LogKey.origin] = "\(QuotedText(head.headers.first(name: "origin") ?? ""))"
            metadata[LogKey.host] = "\(QuotedText(head.headers.first(name: "host") ?? ""))"
        case .unknownPath:
            metadata[LogKey.path] = "\(QuotedText(String(head.path)))"
            metadata[LogKey.expected] = "\(path)"
        default: break
        }
        return metadata
    }
}

extension RefusalCause {
    /// What has happened, as the beginning of a line.
    fileprivate var headline: String {
        switch self {
        case .unreadable: "a page cannot connect by long-polling: \(context)"
        case .unknownPath: "a request that looks like a Socket.IO client's has the wrong path"
        default: "a request was refused: \(context)"
        }
    }
}
