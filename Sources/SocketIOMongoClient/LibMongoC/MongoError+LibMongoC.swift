// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import CSocketIOLibMongoC
import SocketIOText

extension MongoError {
    /// An error that libmongoc made itself: there was no answer of a server.
    /// - Parameter attempts: How often the write was sent; 0 for everything that writes nothing.
    static func from(
        _ error: bson_error_t,
        attempts: Int,
        labels: [String] = [],
        topology: Topology = Topology()
    ) -> MongoError {
        var details = Details()
        details.labels = labels
        details.serverMessage = error.text
        details.outcome = attempts == 0 ? .notApplied : .unknown
        let code = Code(domain: error.domain, code: error.code)
        return MongoError(code, Self.message(code, error, topology), details: details)
    }

    private static func message(_ code: Code, _ error: bson_error_t, _ topology: Topology) -> String {
        switch code {
        case .serverSelection:
            "No suitable MongoDB server was found in time. \(Self.advice(topology)) (\(error.text))"
        case .authentication:
            "MongoDB did not accept the credentials: check user name, password and authSource in the connection string. (\(error.text))"
        case .network:
            "The connection to MongoDB could not be made, broke, or did not answer in time. (\(error.text))"
        default:
            error.text
        }
    }

    private static func advice(_ topology: Topology) -> String {
        let answering = topology.answering
        if answering.isEmpty {
            return "None of \(topology.hosts.joined(separator: ", ")) answers as the connection string expects: check that mongod runs "
                + "there, that addresses, TLS options and replicaSet name in the connection string are right, and that no firewall is in "
                + "between."
        }
        let addresses = answering.map(\.address).sorted { $0 < $1 }.joined(separator: ", ")
        if answering.contains(where: { $0.type == "RSGhost" }) {
            return "A server at \(addresses) belongs to a replica set that is not initiated: run rs.initiate()."
        }
        if !answering.contains(where: \.isWritable) {
            return "Of \(addresses) none is the primary: an election is under way, or most members of the replica set are down."
        }
        return "The servers at \(addresses) do not fit the read preference or the other options of the connection string."
    }
}

extension MongoError.Code {
    fileprivate init(domain: UInt32, code: UInt32) {
        switch mongoc_error_domain_t(domain) {
        case MONGOC_ERROR_SERVER_SELECTION:
            self = .serverSelection
        case MONGOC_ERROR_CLIENT where mongoc_error_code_t(code) == MONGOC_ERROR_CLIENT_AUTHENTICATE:
            self = .authentication
        case MONGOC_ERROR_SASL, MONGOC_ERROR_SCRAM:
            self = .authentication
        case MONGOC_ERROR_STREAM, MONGOC_ERROR_PROTOCOL:
            self = .network
        case MONGOC_ERROR_BSON, MONGOC_ERROR_MATCHER, MONGOC_ERROR_NAMESPACE:
            self = .invalidArgument
        case MONGOC_ERROR_COMMAND where mongoc_error_code_t(code) == MONGOC_ERROR_COMMAND_INVALID_ARG:
            self = .invalidArgument
        case MONGOC_ERROR_CURSOR:
            self = .cursor
        default:
            self = .command
        }
    }
}

#endif
