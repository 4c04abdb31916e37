// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import CSocketIOLibMongoC
import SocketIOText

/// The deployment as the monitors of a pool see it.
struct Topology: Sendable {
    /// The addresses in the connection string, or those in its SRV record.
    var hosts: [String] = []
    /// The replica set that the connection string names.
    var replicaSet: String?
    /// The servers that belong to the deployment and answer.
    var answering: [ServerDescription] = []
    /// The last answers of all servers, including those that libmongoc has removed from the deployment.
    var answers: [ServerAnswer] = []
}

/// One server as the monitors of the pool know it.
struct ServerDescription: Sendable {
    let id: UInt32
    let address: String
    /// libmongoc's name: `RSPrimary`, `RSSecondary`, `Standalone`, `Mongos`, `Unknown`…
    let type: String

    init(id: UInt32, address: String, type: String) {
        self.id = id
        self.address = address
        self.type = type
    }

    /// Whether writes go there.
    var isWritable: Bool {
        type == "RSPrimary" || type == "Standalone" || type == "Mongos" || type == "LoadBalancer"
    }

    fileprivate init?(_ description: OpaquePointer?) {
        guard let description else { return nil }
        id = mongoc_server_description_id(description)
        address = mongoc_server_description_host(description).map { String(cString: clibmongoc_host($0)) } ?? ""
        type = mongoc_server_description_type(description).map { String(cString: $0) } ?? "Unknown"
    }
}

extension LeasedClient {
    /// A description of the deployment for error messages.
    borrowing func topology() -> Topology {
        Topology(hosts: hosts(), replicaSet: replicaSet(), answering: answeringServers(), answers: pool.observer.answers.all)
    }

    /// The addresses in the connection string, or those in its SRV record.
    private borrowing func hosts() -> [String] {
        var hosts: [String] = []
        var next = mongoc_uri_get_hosts(mongoc_client_get_uri(client))
        while let host = next {
            hosts.append(String(cString: clibmongoc_host(host)))
            next = UnsafePointer(host.pointee.next)
        }
        return hosts
    }

    private borrowing func replicaSet() -> String? {
        mongoc_uri_get_replica_set(mongoc_client_get_uri(client)).map { String(cString: $0) }
    }

    // libmongoc leaves out the servers that do not answer.
    private borrowing func answeringServers() -> [ServerDescription] {
        var count = 0
        guard let servers = mongoc_client_get_server_descriptions(client, &count) else { return [] }
        defer { mongoc_server_descriptions_destroy_all(servers, count) }
        return (0..<count).compactMap { ServerDescription(servers[$0]) }
    }

    /// One server as the monitors see it now; `nil` if it is no longer part of the deployment.
    borrowing func server(_ id: UInt32) -> ServerDescription? {
        let description = mongoc_client_get_server_description(client, id)
        defer { description.map(mongoc_server_description_destroy) }
        return ServerDescription(description)
    }

    /// Waits for a suitable server, at most the server selection timeout. For writes the preference does not count.
    borrowing func selectServer(forWrites: Bool, preference: MongoReadPreference?) throws(MongoError) -> ServerDescription {
        let own = preference?.makeHandle()
        defer { own.map(mongoc_read_prefs_destroy) }
        let wanted = forWrites ? nil : own ?? mongoc_client_get_read_prefs(client)
        var error = bson_error_t()
        let chosen = mongoc_client_select_server(client, forWrites, wanted, &error)
        defer { chosen.map(mongoc_server_description_destroy) }
        guard let server = ServerDescription(chosen) else {
            throw .from(error, attempts: 0, topology: topology())
        }
        return server
    }

    /// A session without causal consistency, or `nil` where the deployment has none. End it with `mongoc_client_session_destroy`.
    borrowing func startSession() -> OpaquePointer? {
        let options = mongoc_session_opts_new()
        defer { mongoc_session_opts_destroy(options) }
        mongoc_session_opts_set_causal_consistency(options, false)
        var error = bson_error_t()
        return mongoc_client_start_session(client, options, &error)
    }
}

extension MongoReadPreference {
    /// Destroy it with `mongoc_read_prefs_destroy`.
    func makeHandle() -> OpaquePointer? {
        let mode =
            switch self.mode {
            case .primary: MONGOC_READ_PRIMARY
            case .primaryPreferred: MONGOC_READ_PRIMARY_PREFERRED
            case .secondary: MONGOC_READ_SECONDARY
            case .secondaryPreferred: MONGOC_READ_SECONDARY_PREFERRED
            case .nearest: MONGOC_READ_NEAREST
            }
        return mongoc_read_prefs_new(mode)
    }
}

#endif
