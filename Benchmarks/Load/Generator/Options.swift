// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc

extension WireFormat: ExpressibleByArgument {}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case text, csv, json }

/// What all modes have in common.
struct CommonOptions: ParsableArguments {
    @Argument(help: "The server: http://HOST:PORT, with the path if it is not /socket.io/.") var url: String
    @Option(help: "The server's process, for its CPU time and memory.") var pid: [Int32] = []
    @Option(help: "The packets' format.") var parser = WireFormat.json
    @Option(help: "text, csv or json.") var format = OutputFormat.text
    @Option(help: "A file to append the result to, instead of the standard output.") var output: String?

    func server() throws -> ServerURL { try ServerURL(url) }

    func print(_ report: Report) throws {
        let text =
            switch format {
            case .text: report.text
            case .csv: report.csv
            case .json: report.json
            }
        if let output { try append(text, to: output) } else { try write(text, STDOUT_FILENO) }
    }

    private func append(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        guard file >= 0 else { throw LoadError.system(path) }
        defer { close(file) }
        try write(text, file)
    }

    private func write(_ text: String, _ file: Int32) throws {
        let bytes = Array(text.utf8)
        guard Glibc.write(file, bytes, bytes.count) == bytes.count else { throw LoadError.system("writing the result") }
    }
}

/// How long to measure.
struct TimeOptions: ParsableArguments {
    @Option(help: "Seconds to measure.") var seconds = 5.0
    @Option(help: "Seconds before that.") var warmUp = 1.0

    mutating func validate() throws {
        guard seconds > 0, seconds <= 3600, (0...600).contains(warmUp) else { throw ValidationError("--seconds must be from 0 to 3600") }
    }

    var warmUpTime: UInt64 { UInt64(warmUp * 1e9) }
    var time: UInt64 { UInt64(seconds * 1e9) }
}
