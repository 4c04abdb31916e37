// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What a run found out.
struct Report {
    struct Value {
        let name: String
        let number: Double
        let unit: String
        let digits: Int

        /// For people: with thousands set apart.
        var text: String { Report.format(number, digits, grouped: true) }
        /// For programs.
        var plain: String { Report.format(number, digits, grouped: false) }
    }

    let mode: String
    let parameters: [(name: String, value: String)]
    private(set) var values: [Value] = []
    private(set) var warnings: [String] = []

    init(_ mode: String, _ parameters: [(name: String, value: String)]) {
        self.mode = mode
        self.parameters = parameters
    }

    mutating func add(_ name: String, _ number: Double, _ unit: String, digits: Int = 2) {
        values.append(Value(name: name, number: number, unit: unit, digits: digits))
    }

    mutating func add(_ name: String, _ number: Int, _ unit: String = "") { add(name, Double(number), unit, digits: 0) }

    mutating func add(_ latencies: Latencies, _ name: String = "latency") {
        guard !latencies.isEmpty else { return }
        for percentile in Latencies.percentiles {
            add("\(name) \(percentile.name)", latencies.milliseconds(at: percentile.value), "ms", digits: 3)
        }
    }

    mutating func add(_ counts: SequenceTracker.Counts) {
        add("lost", counts.lost)
        add("duplicated", counts.duplicated)
        add("out of order", counts.outOfOrder)
    }

    mutating func warn(_ text: String) { warnings.append(text) }

    // MARK: Output

    var text: String {
        let width = values.map(\.name.count).max() ?? 0
        var lines = [parameters.reduce(mode) { "\($0) \($1.name)=\($1.value)" }]
        for value in values {
            let padding = String(repeating: " ", count: width - value.name.count)
            lines.append("  \(value.name)\(padding)  \(value.text) \(value.unit)")
        }
        for warning in warnings { lines.append("  warning: \(warning)") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// One line per value: mode, parameters, name, number, unit.
    var csv: String {
        let parameters = parameters.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
        return values.map { "\(mode),\(parameters),\($0.name),\($0.plain),\($0.unit)\n" }.joined()
    }

    /// One object on one line.
    var json: String {
        var fields = ["\"mode\":\(Self.quoted(mode))"]
        fields += parameters.map { "\(Self.quoted($0.name)):\(Self.quoted($0.value))" }
        let values = values.map { "\(Self.quoted($0.name)):\($0.number.isFinite ? "\($0.number)" : "null")" }
        fields.append("\"values\":{\(values.joined(separator: ","))}")
        fields.append("\"warnings\":[\(warnings.map(Self.quoted).joined(separator: ","))]")
        return "{\(fields.joined(separator: ","))}\n"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for character in text.unicodeScalars {
            switch character {
            case "\"", "\\": result += "\\\(character)"
            case ..<" ": result += " "
            default: result.unicodeScalars.append(character)
            }
        }
        return result + "\""
    }

    private static func format(_ number: Double, _ digits: Int, grouped: Bool) -> String {
        guard number.isFinite else { return "-" }
        let scale = pow(10, Double(digits))
        let scaled = (number.magnitude * scale).rounded()
        let whole = String(UInt64(scaled / scale))
        var text = ""
        for (position, digit) in whole.enumerated() {
            if grouped, position > 0, (whole.count - position) % 3 == 0, whole.count > 4 { text += "\u{202f}" }
            text.append(digit)
        }
        if digits > 0 {
            let fraction = String(UInt64(scaled.truncatingRemainder(dividingBy: scale)))
            text += "." + String(repeating: "0", count: digits - fraction.count) + fraction
        }
        return number < 0 ? "-" + text : text
    }
}
