// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

public import HTTPTypes
public import NIOCore
import SocketIOText
import _NIOFileSystem

/// A file that is served from memory, gzipped for clients that accept it, and not again to those that have it (`ETag`).
public struct StaticFile: Sendable {
    private let bytes: ByteBuffer
    private let compressed: ByteBuffer?
    private let contentType: String
    private let tag: String
    private let cacheControl: String

    /// Makes a file of bytes.
    ///
    /// - Parameters:
    ///   - bytes: The content.
    ///   - contentType: The value of `Content-Type`.
    ///   - cacheControl: The value of `Cache-Control`. Default `no-cache`: clients ask each time whether it has changed.
    public init(bytes: ByteBuffer, contentType: String, cacheControl: String = "no-cache") {
        self.bytes = bytes
        let compressed = bytes.readableBytes >= 1024 ? Gzip.compress(bytes) : nil
        self.compressed = compressed.flatMap { $0.readableBytes < bytes.readableBytes ? $0 : nil }
        self.contentType = contentType
        self.cacheControl = cacheControl
        self.tag = Self.tag(of: bytes)
    }

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - path: Where it is.
    ///   - contentType: The value of `Content-Type`. Default: by the extension of the name.
    ///   - maxSize: The size in bytes up to which it is read. Default 16 MiB.
    /// - Throws: `FileSystemError` if it cannot be read or is larger.
    public init(path: String, contentType: String? = nil, maxSize: Int = 16 << 20) async throws {
        let bytes = try await ByteBuffer(contentsOf: FilePath(path), maximumSizeAllowed: .bytes(Int64(maxSize)))
        self.init(bytes: bytes, contentType: contentType ?? Self.contentType(of: path))
    }

    /// The answer to a request for this file: 200, 304, or 405 if it is neither GET nor HEAD.
    public func response(to request: HTTPRequest) -> EngineHTTPResponse {
        guard request.method == .get || request.method == .head else {
            return EngineHTTPResponse(status: .methodNotAllowed, headerFields: [.allow: "GET, HEAD"])
        }
        var fields: HTTPFields = [.eTag: tag, .cacheControl: cacheControl]
        if compressed != nil { fields[.vary] = "Accept-Encoding" }
        if let known = request.headerFields[.ifNoneMatch], Self.names(known, tag) {
            return EngineHTTPResponse(status: .notModified, headerFields: fields)
        }
        fields[.contentType] = contentType
        guard let compressed, ContentCoding.acceptsGzip(request.headerFields[values: .acceptEncoding]) else {
            return EngineHTTPResponse(headerFields: fields, body: bytes)
        }
        fields[.contentEncoding] = "gzip"
        return EngineHTTPResponse(headerFields: fields, body: compressed)
    }

    private static func names(_ known: String, _ tag: String) -> Bool {
        known.utf8.split(separator: UInt8(ascii: ",")).contains { candidate in
            var candidate = candidate.trimmed
            if candidate.starts(with: "W/".utf8) { candidate.removeFirst(2) }
            return candidate.elementsEqual(tag.utf8) || candidate.elementsEqual("*".utf8)
        }
    }

    /// FNV-1a and the size: it has to differ between versions of a file, not to withstand forgery.
    private static func tag(of bytes: ByteBuffer) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        bytes.withUnsafeReadableBytes { pointer in
            for byte in pointer { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        return "\"\(String(bytes.readableBytes, radix: 16))-\(String(hash, radix: 16))\""
    }

    static func contentType(of path: String) -> String {
        guard let dot = path.lastIndex(of: ".") else { return "application/octet-stream" }
        return contentTypes[path[path.index(after: dot)...].lowercased()] ?? "application/octet-stream"
    }

    private static let contentTypes = [
        "css": "text/css; charset=utf-8", "gif": "image/gif", "html": "text/html; charset=utf-8", "ico": "image/x-icon",
        "jpeg": "image/jpeg", "jpg": "image/jpeg", "js": "text/javascript; charset=utf-8", "json": "application/json",
        "map": "application/json", "mjs": "text/javascript; charset=utf-8", "png": "image/png", "svg": "image/svg+xml",
        "txt": "text/plain; charset=utf-8", "wasm": "application/wasm", "webmanifest": "application/manifest+json",
        "webp": "image/webp", "woff2": "font/woff2",
    ]
}

/// Reads `Accept-Encoding` (RFC 9110, section 12.5.3).
enum ContentCoding {
    static func acceptsGzip(_ values: some Sequence<some StringProtocol>) -> Bool {
        for value in values {
            for coding in value.utf8.split(separator: UInt8(ascii: ",")) {
                let parts = coding.split(separator: UInt8(ascii: ";")).map {
                    $0.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
                }
                guard let name = parts.first, name.isLowercase("gzip") || name.elementsEqual("*".utf8) else { continue }
                if !parts.dropFirst().contains(where: isZeroWeight) { return true }
            }
        }
        return false
    }

    /// Whether a parameter says that the coding is not wanted: `q=0`, with zeros behind the point or none.
    private static func isZeroWeight(_ parameter: [UInt8]) -> Bool {
        let digits = UInt8(ascii: "1")...UInt8(ascii: "9")
        return parameter.prefix(3).isLowercase("q=0") && !parameter.contains { digits.contains($0) }
    }
}
