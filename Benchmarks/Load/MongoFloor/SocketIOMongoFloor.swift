// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
import NIOCore
import SocketIOMongoTesting

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What a replica set of three members on this machine can do through `MongoClient` alone: the baseline for the adapter's numbers.
///
///     swift run -c release SocketIOMongoFloor [SECONDS] [inserts|latency|bson]
///
/// With MONGODB_URI set, on that deployment instead.
@main
struct SocketIOMongoFloor {
    static func main() async {
        do {
            try await Self.run()
        } catch {
            print("The benchmark failed: \(error)")
            exit(1)
        }
    }

    private static func run() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        let seconds = arguments.first.flatMap { Int($0) } ?? 5
        let set = MongoBinary.externalConnectionString == nil ? try await MongoReplicaSet.start() : nil
        let address = set?.connectionString ?? MongoBinary.externalConnectionString ?? ""
        let client = try MongoClient(configuration: .init(connectionString: address))
        do {
            try await Self.run(client.database("benchmark\(getpid())"), .seconds(seconds), only: arguments.dropFirst().first)
        } catch {
            await set?.stop()
            throw error
        }
        await client.close()
        await set?.stop()
    }

    private static func run(_ database: MongoDatabase, _ time: Duration, only part: String?) async throws {
        if part == nil || part == "inserts" { try await Self.inserts(database, time) }
        if part == nil || part == "latency" { try await Self.latency(database, time) }
        if part == nil || part == "bson" { try Self.bson() }
    }

    private static func inserts(_ database: MongoDatabase, _ time: Duration) async throws {
        for size in [1, 100, 1_000] {
            try await Self.inserts(database.collection("plain"), batch: size, time, isWatched: false)
        }
        try await Self.inserts(database.collection("watched"), batch: 100, time, isWatched: true)
    }

    private static func latency(_ database: MongoDatabase, _ time: Duration) async throws {
        let plain = database.collection("latency")
        try await plain.create()
        try await Self.latency("change stream", plain, try await plain.watch(), time)
        let capped = database.collection("capped")
        try await capped.createCapped(bytes: 64 << 20)
        _ = try await capped.insert([Self.document(-1)])
        try await Self.latency("tailable cursor", capped, try await capped.tail(), time)
    }

    /// Documents per second with one insert in flight and write concern majority.
    private static func inserts(_ collection: MongoCollection, batch: Int, _ time: Duration, isWatched: Bool) async throws {
        try await collection.create()
        let stream = isWatched ? try await collection.watch() : nil
        let seen = Task { try await Self.count(stream) }
        var sent = 0
        let start = ContinuousClock.now
        let processor = processorSeconds()
        while ContinuousClock.now - start < time {
            sent += try await collection.insert((0..<batch).map { Self.document(sent + $0) }).insertedCount
        }
        let rate = Int(Double(sent) / (ContinuousClock.now - start).seconds)
        let cost = (processorSeconds() - processor) * 1e6 / Double(sent)
        if isWatched { try await Task.sleep(for: .seconds(1)) }
        stream?.cancel()
        print(
            "insert \(batch) at a time\(isWatched ? ", one watcher" : ""): \(rate) documents/s, client CPU \(cost.rounded(toPlaces: 2)) µs each"
        )
        if isWatched { print("  seen \(try await seen.value) of \(sent)") }
        try await collection.drop()
    }

    private static func count(_ stream: MongoCursor?) async throws -> Int {
        guard let stream else { return 0 }
        var count = 0
        var iterator = stream.makeAsyncIterator()
        while let batch = try? await iterator.next() { count += batch.documents.count }
        return count
    }

    /// Time from the start of an insert to its event, 200 inserts a second of one document each.
    private static func latency(_ name: String, _ collection: MongoCollection, _ cursor: MongoCursor, _ time: Duration) async throws {
        let clock = ContinuousClock()
        let rounds = Int(time.seconds * 200)
        let start = clock.now
        let processor = processorSeconds()
        let arrivals = Task { try await Self.arrivals(cursor, rounds, start) }
        let departures = try await withThrowingTaskGroup(of: Void.self) { group in
            var departures: [Duration] = []
            for round in 0..<rounds {
                try await clock.sleep(until: start + .milliseconds(5) * round)
                departures.append(clock.now - start)
                group.addTask { _ = try await collection.insert([Self.document(round)]) }
            }
            try await group.waitForAll()
            return departures
        }
        let sorted = zip(try await arrivals.value, departures).map { $0 - $1 }.sorted()
        let cost = Int((processorSeconds() - processor) * 1e6) / rounds
        print(
            "\(name): insert to event p50 \(sorted[sorted.count / 2].text), p99 \(sorted[sorted.count * 99 / 100].text), "
                + "client CPU \(cost) µs each"
        )
    }

    private static func arrivals(_ cursor: MongoCursor, _ count: Int, _ start: ContinuousClock.Instant) async throws -> [Duration] {
        var arrivals = [Duration](repeating: .zero, count: count)
        var seen = 0
        for try await batch in cursor {
            let now = ContinuousClock.now - start
            for document in batch.documents {
                let inner = document["fullDocument"]?.document ?? document
                guard let number = inner["n"]?.integer, arrivals.indices.contains(Int(number)) else { continue }
                arrivals[Int(number)] = now
                seen += 1
            }
            if seen == count { break }
        }
        return arrivals
    }

    /// Nanoseconds to write and to read one document with a header and a payload.
    private static func bson() throws {
        let rounds = 1_000_000
        var bytes = 0
        var start = processorSeconds()
        for round in 0..<rounds { bytes += Self.document(round).count }
        let written = processorSeconds() - start
        let document = Self.document(1)
        var sum: Int64 = 0
        start = processorSeconds()
        for _ in 0..<rounds { sum += try Self.read(document) }
        let read = processorSeconds() - start
        print("BSON: write \(Int(written * 1e9) / rounds) ns, read \(Int(read * 1e9) / rounds) ns (\(bytes / rounds) bytes, \(sum))")
    }

    private static func read(_ document: BSONDocument) throws -> Int64 {
        var sum: Int64 = 0
        var reader = BSONReader(document)
        while let element = try reader.next() {
            if element.hasKey("n") { sum += element.integer ?? 0 }
            if element.hasKey("payload") { sum += Int64(element.binary?.bytes.readableBytes ?? 0) }
        }
        return sum
    }

    private static let payload = ByteBuffer(repeating: 7, count: 100)

    private static func document(_ number: Int) -> BSONDocument {
        BSONDocument(capacity: 256) { document in
            document.append("_id", ObjectID())
            document.append("n", number)
            document.append("nsp", "/")
            document.append("payload", binary: Self.payload)
        }
    }
}

/// Processor time of this process, all threads.
private func processorSeconds() -> Double {
    var usage = rusage()
    #if canImport(Glibc)
    getrusage(CInt(RUSAGE_SELF.rawValue), &usage)
    #else
    getrusage(RUSAGE_SELF, &usage)
    #endif
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
}

extension Double {
    fileprivate func rounded(toPlaces places: Int) -> Double {
        let factor = (0..<places).reduce(1.0) { factor, _ in factor * 10 }
        return (self * factor).rounded() / factor
    }
}

extension Duration {
    fileprivate var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }

    fileprivate var text: String {
        let microseconds = Int(seconds * 1e6)
        return "\(microseconds / 1_000).\(String(String(1_000 + microseconds % 1_000).dropFirst().prefix(2))) ms"
    }
}

#else

@main
struct SocketIOMongoFloor {
    static func main() {
        print("built without the trait MongoDB")
    }
}

#endif
