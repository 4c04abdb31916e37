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
        guard code == .serverSelection else { return MongoError(code, Self.message(code, error), details: details) }
        let failure = SelectionFailure(error.text, topology)
        return MongoError(failure.code, failure.message, details: details)
    }

    private static func message(_ code: Code, _ error: bson_error_t) -> String {
        switch code {
        case .authentication:
            "MongoDB did not accept the credentials: check user name, password, authSource and authMechanism in the connection string. "
                + "(\(error.text))"
        case .network where error.text.contains("SRV record"):
            "\(error.text) Check the host name in the connection string, and the DNS."
        case .network:
            "The connection to MongoDB broke, or the server did not answer in time. (\(error.text))"
        default:
            error.text
        }
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
