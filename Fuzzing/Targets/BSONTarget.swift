// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
import NIOCore

extension FuzzTarget {
    /// The BSON reader, validator and writer.
    static let bson = FuzzTarget(name: "bson") { bytes in
        let buffer = ByteBuffer(bytes: bytes)
        let isValid = (try? BSONDocument(validating: buffer)) != nil
        guard let document = try? BSONDocument(buffer) else {
            return try rule(!isValid, "what is valid has a valid frame")
        }
        try checkCopy(document, isValid: isValid)
        var open = [BSONReader(document)]
        while var reader = open.popLast() {
            guard let element = try? reader.next() else { continue }
            open.append(reader)
            touch(element)
            // A branch of at most a hundred levels, as the server has it.
            if open.count < 100, let inner = element.document ?? element.array { open.append(BSONReader(inner)) }
        }
    }

    private static func checkCopy(_ document: BSONDocument, isValid: Bool) throws {
        var copy = BSONWriter()
        do {
            try copy.append(contentsOf: document)
        } catch {
            return try rule(!isValid, "what is valid can be read")
        }
        let written = copy.finish()
        // Keys that are no UTF-8 are repaired.
        guard written.count == document.count else { return }
        try rule(((try? BSONDocument(validating: written.bytes)) != nil) == isValid, "a copy is as valid as the original")
    }

    private static func touch(_ element: BSONElement) {
        _ = (element.key, element.double, element.string, element.stringBytes, element.binary, element.objectID, element.bool)
        _ = (element.dateMilliseconds, element.isNull, element.int32, element.int64, element.integer, element.timestamp)
        _ = (element.hasKey("a"), element.valueBytes.readableBytes)
    }
}
#endif
