// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOText

/// Why no suitable server was found, and what to do about it.
struct SelectionFailure: Sendable {
    let code: MongoError.Code
    let message: String

    private init(_ message: String, code: MongoError.Code = .serverSelection) {
        self.code = code
        self.message = message
    }

    /// - Parameters:
    ///   - text: libmongoc's error, which quotes the last error of each server that did not answer.
    ///   - topology: The servers that the connection string names, and those that have answered.
    init(_ text: String, _ topology: Topology) {
        self =
            Self.mismatch(text, topology) ?? Self.ofAnswering(topology) ?? Self.hiddenMembers(text, topology)
            ?? Self.ofUnreachable(text, topology)
    }

    // MARK: Servers that answer

    /// A server is not a member of the replica set in the connection string.
    private static func mismatch(_ text: String, _ topology: Topology) -> SelectionFailure? {
        guard let wanted = topology.replicaSet else { return nil }
        for answer in topology.answers where answer.type != "Unknown" && answer.type != "RSGhost" {
            if let actual = answer.setName {
                guard actual != wanted else { continue }
                let text = "\(answer.address) belongs to the replica set \(actual), not \(wanted)"
                return SelectionFailure("\(text): set replicaSet=\(actual) in the connection string.", code: .wrongDeployment)
            }
            let isRouter = answer.type == "Mongos"
            let text = "\(answer.address) is a \(isRouter ? "mongos" : "standalone mongod"), not a member of the replica set \(wanted)"
            let start = isRouter ? "" : "start it with --replSet \(wanted) and run rs.initiate(), or "
            return SelectionFailure("\(text): \(start)remove replicaSet from the connection string.", code: .wrongDeployment)
        }
        guard let reason = reasons(in: text).first(where: { $0.contains("reported set name") }) else { return nil }
        let hosts = topology.hosts.joined(separator: ", ")
        let verb = topology.hosts.count == 1 ? "belongs" : "belong"
        let message = "\(hosts) \(verb) to another replica set than the connection string names (\(reason)): correct replicaSet."
        return SelectionFailure(message, code: .wrongDeployment)
    }

    private static func ofAnswering(_ topology: Topology) -> SelectionFailure? {
        let answering = topology.answering.sorted { $0.address < $1.address }
        guard !answering.isEmpty else { return nil }
        let addresses = answering.map(\.address).joined(separator: ", ")
        if let ghost = answering.first(where: { $0.type == "RSGhost" }) {
            return SelectionFailure(
                "\(ghost.address) belongs to a replica set that is not initiated: run rs.initiate(), or wait if the server is starting."
            )
        }
        guard answering.contains(where: \.isWritable) else {
            let answers = answering.count == 1 ? "answers" : "answer"
            let text = "The replica set has no primary: an election is under way, or most of its members are down; \(addresses) \(answers)."
            return SelectionFailure(text)
        }
        return SelectionFailure(
            "The servers at \(addresses) do not fit the read preference in the connection string: change it, or start such a server."
        )
    }

    /// A server answers and names the members of its set by addresses that cannot be reached.
    private static func hiddenMembers(_ text: String, _ topology: Topology) -> SelectionFailure? {
        let answers = topology.answers
        guard let answer = answers.first(where: { $0.type.hasPrefix("RS") && topology.hosts.contains($0.address) }) else { return nil }
        let reasons = reasons(in: text).joined(separator: "; ")
        let message =
            "\(answer.address) answers, but its replica set has other addresses for its members, which cannot be reached (\(reasons)): use "
            + "addresses in rs.conf() that this process can reach, or directConnection=true if the set has one member."
        return SelectionFailure(message)
    }

    // MARK: Servers that do not answer

    private static func ofUnreachable(_ text: String, _ topology: Topology) -> SelectionFailure {
        let hosts = topology.hosts.joined(separator: ", ")
        let reasons = reasons(in: text)
        func reason(with part: String) -> String? { reasons.first { $0.contains(part) } }
        if let reason = reason(with: "certificate verify failed") {
            let detail = reason.split(separator: ":").last.map { $0.drop { $0 == " " } } ?? ""
            return SelectionFailure(
                "The TLS certificate of \(hosts) is not trusted (\(detail)): name its authority with tlsCAFile in the connection string, and "
                    + "use a host name that is in the certificate."
            )
        }
        if reason(with: "initialize TLS") != nil {
            return SelectionFailure(
                "TLS cannot be set up: check that the files of tlsCAFile and tlsCertificateKeyFile in the connection string exist and can be "
                    + "read."
            )
        }
        if let reason = reason(with: "TLS handshake failed") {
            return SelectionFailure(
                "The TLS handshake with \(hosts) failed (\(reason)): remove tls=true if the server does not use TLS; otherwise check its log."
            )
        }
        if reason(with: "Failed to read") != nil {
            return SelectionFailure(
                "No answer from \(hosts), although connections are accepted: check that this is MongoDB and that it has not stopped "
                    + "responding, or add tls=true to the connection string if it requires TLS."
            )
        }
        if let reason = reason(with: "Failed to resolve") {
            let host = reason.split(separator: " ").last ?? ""
            return SelectionFailure("The host name \(host) cannot be resolved: check its spelling in the connection string, and the DNS.")
        }
        return SelectionFailure(
            "MongoDB could not be reached at \(hosts): check that mongod runs there, that the address is right, and that no firewall is in "
                + "between."
        )
    }

    /// The parts in brackets: `No suitable servers found: … expired: [Failed to connect to target host: a:1] [Failed to resolve b]`
    private static func reasons(in text: String) -> [String] {
        guard let start = text.firstRange(of: ": [") else { return [] }
        var rest = text[start.upperBound...]
        if rest.hasSuffix("]") { rest.removeLast() }
        return rest.split(separator: "] [").map(String.init)
    }
}
#endif
