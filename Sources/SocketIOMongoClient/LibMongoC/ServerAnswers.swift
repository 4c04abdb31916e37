// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import CSocketIOLibMongoC
import SocketIOText
import Synchronization

/// The last answer of a server to the monitors of a pool.
struct ServerAnswer: Sendable {
    let address: String
    /// As in ``ServerDescription``.
    let type: String
    /// The replica set that the server belongs to; nil if none.
    let setName: String?
}

/// The last answer of each server that a pool has asked.
///
/// libmongoc removes a server from its deployment, without an error, if the connection string names another replica set or the server is
/// not a member of one. Only the answer of the server tells that apart from a server that cannot be reached.
final class ServerAnswers: Sendable {
    /// More servers than a deployment has; the addresses come from the servers themselves.
    private static let limit = 1_000

    private let answers = Mutex<[Name: ServerAnswer]>([:])

    /// All answers, by address.
    var all: [ServerAnswer] { answers.withLock { Array($0.values) }.sorted { $0.address < $1.address } }

    /// Must not call libmongoc's functions about the deployment: its lock is held.
    func changed(_ event: OpaquePointer) {
        guard let description = mongoc_apm_server_changed_get_new_description(event),
            let host = mongoc_apm_server_changed_get_host(event), let type = mongoc_server_description_type(description)
        else { return }
        let answer = ServerAnswer(
            address: String(cString: clibmongoc_host(host)),
            type: String(cString: type),
            setName: clibmongoc_set_name(description).map { String(cString: $0) }
        )
        answers.withLock { answers in
            let name = Name(answer.address)
            guard answers[name] != nil || answers.count < Self.limit else { return }
            answers[name] = answer
        }
    }
}
#endif
