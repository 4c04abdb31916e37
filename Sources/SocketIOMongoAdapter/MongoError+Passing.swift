// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
// What passes without anybody doing something about it.
extension MongoError {
    /// Whether a stream fails like this because its server comes or goes, is no longer the primary or has killed the cursor, or because
    /// nobody may read it now: nothing is wrong with the position.
    var leavesPositionGood: Bool {
        guard let serverCode else { return true }
        return hasLabel("ResumableChangeStreamError") || hasLabel("RetryableWriteError") || isOfElection
            || Self.transientCodes.contains(serverCode)
    }

    /// Whether the server is not, or no longer, the primary, or is about to end.
    var isOfElection: Bool { serverCode.map(Self.electionCodes.contains) ?? false }

    private static let electionCodes: Set<Int32> = [91, 189, 10_058, 10_107, 11_600, 11_602, 13_435, 13_436]

    private static let transientCodes: Set<Int32> = [
        // Unauthorized, authentication.
        13, 18, 8_000,
        6, 7, 11, 43, 63, 89, 133, 150, 202, 234, 237, 262, 50, 290, 317, 358, 384, 9_001, 11_601, 13_388,
    ]
}
#endif
