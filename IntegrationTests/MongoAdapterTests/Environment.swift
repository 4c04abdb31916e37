#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

enum Environment {
    static func has(_ name: String) -> Bool { getenv(name) != nil }
}
