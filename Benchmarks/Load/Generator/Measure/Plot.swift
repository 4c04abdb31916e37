// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Draws a latency distribution as SVG: percentiles from left to right, the last ones spread out, milliseconds from bottom to top.
enum Plot {
    private static let (width, height, margin) = (800.0, 450.0, 60.0)
    private static let marks: [Double] = [0, 50, 90, 99, 99.9, 99.99, 99.999]

    static func svg(_ report: Report) -> String {
        let top = niceMaximum(report.curve.map(\.milliseconds).max() ?? 1)
        let title = report.parameters.reduce(report.mode) { "\($0) \($1.name)=\($1.value)" }
        var body = ""
        for mark in marks {
            let x = horizontal(mark)
            body += line(x, margin, x, height - margin) + text(x, height - margin + 18, "\(short(mark))%")
        }
        for step in 0...5 {
            let value = top * Double(step) / 5
            let y = vertical(value, top)
            body += line(margin, y, width - margin, y) + text(margin - 8, y + 4, short(value), anchor: "end")
        }
        let points = report.curve.map { "\(short(horizontal($0.percentile))),\(short(vertical($0.milliseconds, top)))" }
        body += "<polyline fill=\"none\" stroke=\"#1763c6\" stroke-width=\"2\" points=\"\(points.joined(separator: " "))\"/>\n"
        body += text(width / 2, 28, escaped(title)) + text(width / 2, height - 14, "percentile") + text(margin, margin - 12, "ms")
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(width)) \(Int(height))" font-family="sans-serif" font-size="12">
            <rect width="100%" height="100%" fill="white"/>
            \(body)</svg>

            """
    }

    /// Each further nine takes the same room.
    private static func horizontal(_ percentile: Double) -> Double {
        let nines = -log10(max(1 - percentile / 100, 0.00001))
        return margin + (width - 2 * margin) * nines / 5
    }

    private static func vertical(_ milliseconds: Double, _ top: Double) -> Double {
        height - margin - (height - 2 * margin) * milliseconds / top
    }

    private static func niceMaximum(_ value: Double) -> Double {
        guard value > 0 else { return 1 }
        let magnitude = pow(10, floor(log10(value)))
        for factor in [1.0, 2, 5, 10] where value <= factor * magnitude { return factor * magnitude }
        return 10 * magnitude
    }

    private static func short(_ number: Double) -> String {
        let rounded = (number * 1000).rounded() / 1000
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }

    private static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> String {
        "<line x1=\"\(short(x1))\" y1=\"\(short(y1))\" x2=\"\(short(x2))\" y2=\"\(short(y2))\" stroke=\"#ddd\"/>\n"
    }

    private static func text(_ x: Double, _ y: Double, _ text: String, anchor: String = "middle") -> String {
        "<text x=\"\(short(x))\" y=\"\(short(y))\" text-anchor=\"\(anchor)\">\(text)</text>\n"
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { $0 += $1 == "<" ? "&lt;" : $1 == "&" ? "&amp;" : String($1) }
    }
}
