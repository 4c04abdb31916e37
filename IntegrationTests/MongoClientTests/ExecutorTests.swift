// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
import Testing

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

extension MongoTests {
    @Suite("Executors")
    struct Executors {
        @Test(arguments: [true, false])
        func `A task that reads a cursor works on the cursor's thread, and ends at once when it is cancelled`(isTailable: Bool) async throws
        {
            try await withCollection { _, collection async throws in
                try await collection.createCapped(bytes: 1 << 20)
                _ = try await collection.insert(numbered(0..<1))
                let executor = MongoCursorExecutor()
                let (seen, continuation) = AsyncStream<(numbers: [Int], thread: UInt)>.makeStream()
                let isOpen = AsyncStream<Void>.makeStream()
                let reading = Task(executorPreference: executor) {
                    let cursor = try await isTailable ? collection.tail(tailOptions(executor)) : collection.watch(watchOptions(executor))
                    isOpen.continuation.finish()
                    for try await batch in cursor { continuation.yield((batch.numbers, currentThread())) }
                }
                for await _ in isOpen.stream {}
                for start in stride(from: 10, to: 100, by: 10) { _ = try await collection.insert(numbered(start..<start + 10)) }
                var numbers: [Int] = []
                var threads: Set<UInt> = []
                for await batch in seen where !batch.numbers.isEmpty {
                    numbers += batch.numbers.filter { $0 >= 10 }
                    threads.insert(batch.thread)
                    if numbers.last == 99 { break }
                }
                #expect(numbers == Array(10..<100))
                #expect(threads.count == 1)

                let time = await duration {
                    reading.cancel()
                    _ = await reading.result
                }
                // The thread itself waits for the server for another minute.
                #expect(time < .seconds(20))
            }
        }

        @Test
        func `Commands run on the thread that is made for them, one after the other, and elsewhere once it has stopped`() async throws {
            try await withCollection { _, collection async throws in
                let thread = MongoCommandThread()
                let threads = try await withTaskExecutorPreference(thread) { () async throws -> Set<UInt> in
                    var threads: Set<UInt> = []
                    for number in 0..<20 {
                        _ = try await collection.insert(numbered(number..<number + 1))
                        threads.insert(currentThread())
                    }
                    return threads
                }
                #expect(threads.count == 1)
                thread.stop()
                try await withTaskExecutorPreference(thread) { _ = try await collection.insert(numbered(20..<21)) }
                #expect(try await collection.find().count == 21)
            }
        }

        @Test
        func `A client that is closed refuses commands of such a thread, too`() async throws {
            try await withCollection { _, collection async throws in
                let thread = MongoCommandThread()
                await collection.database.client.close()
                let error = await withTaskExecutorPreference(thread) {
                    await #expect(throws: MongoError.self) { try await collection.insert(numbered(0..<1)) }
                }
                #expect(error?.code == .shutDown)
                thread.stop()
            }
        }
    }
}

private func tailOptions(_ executor: MongoCursorExecutor) -> MongoTailOptions {
    var options = MongoTailOptions()
    options.executor = executor
    options.maxAwaitTime = .seconds(60)
    return options
}

private func watchOptions(_ executor: MongoCursorExecutor) -> MongoChangeStreamOptions {
    var options = MongoChangeStreamOptions()
    options.executor = executor
    options.maxAwaitTime = .seconds(60)
    return options
}

private func currentThread() -> UInt {
    #if canImport(Darwin)
    UInt(bitPattern: pthread_self())
    #else
    UInt(pthread_self())
    #endif
}

#endif
