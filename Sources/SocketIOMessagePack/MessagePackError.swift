// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import SocketIOText

/// An error of the MessagePack reader, writer or value.
///
/// ``MessagePackEncoder`` and ``MessagePackDecoder`` throw the standard library's `EncodingError` and `DecodingError`; when the bytes
/// themselves are at fault, the underlying error is a `MessagePackError`.
public struct MessagePackError: Error, Hashable, Sendable {
    /// What went wrong.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Base: String {
            case truncated, invalidByte, typeMismatch, outOfRange, invalidUTF8, tooDeep, tooManyValues, tooLong, trailingBytes
            case unsupportedExtension, combiningMarks
        }

        private let base: Base

        /// The input ends inside a value, or a declared length exceeds what is left of it.
        public static let truncated = Code(base: .truncated)
        /// A byte that starts no value (`c1`).
        public static let invalidByte = Code(base: .invalidByte)
        /// The next value is of another type than the one asked for.
        public static let typeMismatch = Code(base: .typeMismatch)
        /// The number does not fit the type asked for.
        public static let outOfRange = Code(base: .outOfRange)
        /// A string is not UTF-8.
        public static let invalidUTF8 = Code(base: .invalidUTF8)
        /// Arrays and maps are nested deeper than ``MessagePackLimits/maximumDepth``.
        public static let tooDeep = Code(base: .tooDeep)
        /// There are more values than ``MessagePackLimits/maximumValues``.
        public static let tooManyValues = Code(base: .tooManyValues)
        /// A string, binary, array or map is longer than MessagePack can say (2³² − 1).
        public static let tooLong = Code(base: .tooLong)
        /// Bytes follow the value.
        public static let trailingBytes = Code(base: .trailingBytes)
        /// An extension type other than a timestamp or notepack's `undefined` and date.
        public static let unsupportedExtension = Code(base: .unsupportedExtension)

        /// A string has more than 64 combining marks in a row: Swift needs quadratic time to compare it.
        public static let combiningMarks = Code(base: .combiningMarks)

        /// The name of the code.
        public var description: String { base.rawValue }
    }

    /// What went wrong.
    public var code: Code
    /// A description of the error. Contains no bytes of the input.
    public var message: String
    /// The offset of the error in the input, in bytes from the start; nil without an input.
    public var offset: Int?

    package init(_ code: Code, _ message: String, at offset: Int? = nil) {
        self.code = code
        self.message = message
        self.offset = offset
    }
}

extension MessagePackError: CustomStringConvertible {
    /// The code, the message and the offset.
    public var description: String {
        if let offset = self.offset {
            "MessagePackError.\(code): \(message) (at byte \(offset))"
        } else {
            "MessagePackError.\(code): \(message)"
        }
    }
}
