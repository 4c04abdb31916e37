// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import SocketIOCluster
import SocketIOCore
import SocketIOEmitter

#if MongoDB
import SocketIOMongoAdapter
#endif

/// The message and the exit code for a failure. The codes are those of `sysexits.h`.
struct Failure {
    let message: String
    let code: ExitCode

    private static let usage = ExitCode(64)
    private static let unavailable = ExitCode(69)
    private static let temporary = ExitCode(75)
    private static let notSent = ExitCode(76)
    private static let configuration = ExitCode(78)

    init(_ error: any Error) {
        switch error {
        case let error as ClusterError:
            (message, code) = Self.outcome(error)
        case let error as SocketIOEmitterError:
            (message, code) = (error.message, Self.usage)
        case let error as ValidationError:
            (message, code) = (error.message, Self.usage)
        default:
            (message, code) = Self.other(error)
        }
    }

    private static func outcome(_ error: ClusterError) -> (String, ExitCode) {
        guard error.code == .unknown else { return ("The message was not sent. \(error)", notSent) }
        return ("The message may have been written, at most once. Check before you send it again. \(error)", temporary)
    }

    #if MongoDB
    private static func other(_ error: any Error) -> (String, ExitCode) {
        guard let error = error as? MongoAdapterError else { return ("\(error)", notSent) }
        return ("The message was not sent. \(error)", error.code == .unreachable ? unavailable : configuration)
    }
    #else
    private static func other(_ error: any Error) -> (String, ExitCode) { ("\(error)", notSent) }
    #endif
}
