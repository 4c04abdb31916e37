/// Ids that nobody can guess: 90 random bits as 15 characters of the base64 URL alphabet, which is as much as a `String` holds without
/// memory of its own.
enum RandomID {
    private static let alphabet: [UInt8] = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        var high = generator.next()
        var low = generator.next()
        return String(unsafeUninitializedCapacity: 15) { output in
            for position in 0..<15 {
                let bits = position < 10 ? high : low
                output[position] = alphabet[Int(bits & 63)]
                if position < 10 { high >>= 6 } else { low >>= 6 }
            }
            return 15
        }
    }
}
