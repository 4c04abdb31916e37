// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
import SocketIOCluster
import SocketIOCore
@testable import SocketIOMongoAdapter
import Testing

@Suite("Attempts to write a batch")
struct OrderedInsertTests {
    /// What a server answers.
    private static func answer(
        inserted: Int,
        error: (index: Int, code: MongoErrorCode, key: String)? = nil,
        isUnconfirmed: Bool = false
    ) throws -> MongoInsertResult {
        try MongoInsertResult(
            BSONDocument { reply in
                reply.append("n", Int32(inserted))
                if let error {
                    reply.appendArray("writeErrors") { errors in
                        errors.appendDocument { entry in
                            entry.append("index", Int32(error.index))
                            entry.append("code", error.code.rawValue)
                            entry.appendDocument("keyPattern") { $0.append(error.key, Int32(1)) }
                        }
                    }
                }
                if isUnconfirmed {
                    reply.appendDocument("writeConcernError") { $0.append("code", MongoErrorCode.writeConcernTimeout.rawValue) }
                }
                reply.append("ok", Int32(1))
            }
        )
    }

    private static func machine(_ count: Int, bytesPerCommand: Int = 1 << 20) -> OrderedInsertStateMachine {
        OrderedInsertStateMachine(sizes: Array(repeating: 84, count: count), bytesPerCommand: bytesPerCommand)
    }

    private static func describe(_ action: OrderedInsertStateMachine.Action) -> String {
        switch action {
        case .insert(let range): "insert \(range)"
        case .look(let range): "look \(range)"
        case .finish(.written): "written"
        case .finish(.refused(let index, _)): "refused \(index)"
        case .finish(.unknown): "unknown"
        case .finish(.notWritten): "not written"
        }
    }

    @Test
    func `All written`() throws {
        var insert = Self.machine(3)
        #expect(Self.describe(insert.next) == "insert 0..<3")
        insert.answered(try Self.answer(inserted: 3), range: 0..<3)
        #expect(Self.describe(insert.next) == "written")
        #expect(Self.describe(Self.machine(0).next) == "written")
    }

    @Test
    func `What does not fit into one command takes several, in order`() throws {
        var insert = Self.machine(5, bytesPerCommand: 200)
        for range in [0..<2, 2..<4, 4..<5] {
            #expect(Self.describe(insert.next) == "insert \(range)")
            insert.answered(try Self.answer(inserted: range.count), range: range)
        }
        #expect(Self.describe(insert.next) == "written")
        #expect(Self.describe(Self.machine(2, bytesPerCommand: 10).next) == "insert 0..<1")
    }

    @Test
    func `A document that is there counts as written, and the attempt goes on behind it and what else is there`() throws {
        var insert = Self.machine(10)
        insert.answered(try Self.answer(inserted: 0, error: (0, .duplicateKey, "_id")), range: 0..<10)
        #expect(Self.describe(insert.next) == "look 1..<10")
        insert.found(5)
        #expect(Self.describe(insert.next) == "insert 6..<10")
        insert.answered(try Self.answer(inserted: 1, error: (1, .duplicateKey, "_id")), range: 6..<10)
        insert.found(0)
        #expect(Self.describe(insert.next) == "insert 8..<10")
        insert.answered(try Self.answer(inserted: 2), range: 8..<10)
        #expect(Self.describe(insert.next) == "written")
    }

    @Test
    func `All there already`() throws {
        var insert = Self.machine(3)
        insert.answered(try Self.answer(inserted: 0, error: (0, .duplicateKey, "_id")), range: 0..<3)
        insert.found(2)
        #expect(Self.describe(insert.next) == "written")
    }

    @Test(
        arguments: [.duplicateKey, .documentValidationFailure] as [MongoErrorCode]
    )
    func `A duplicate of another unique index is a refusal, and so is what a validator does not let pass`(code: MongoErrorCode) throws {
        var insert = Self.machine(5)
        insert.answered(try Self.answer(inserted: 2, error: (2, code, "other")), range: 0..<5)
        #expect(Self.describe(insert.next) == "refused 2")
    }

    @Test(
        arguments: [
            .notWritablePrimary, .interruptedDueToReplStateChange, .primarySteppedDown, .shutdownInProgress, MongoErrorCode(rawValue: 4711),
        ] as [MongoErrorCode]
    )
    func `A step-down in the middle of a batch leaves its outcome open`(code: MongoErrorCode) throws {
        var insert = Self.machine(5)
        insert.answered(try Self.answer(inserted: 2, error: (2, code, "_id")), range: 0..<5)
        #expect(Self.describe(insert.next) == "unknown")
    }

    @Test
    func `What the majority has not confirmed may be rolled back, also if it was there already`() throws {
        var insert = Self.machine(2)
        insert.answered(try Self.answer(inserted: 2, isUnconfirmed: true), range: 0..<2)
        #expect(Self.describe(insert.next) == "unknown")
        insert = Self.machine(2)
        insert.answered(try Self.answer(inserted: 0, error: (0, .duplicateKey, "_id"), isUnconfirmed: true), range: 0..<2)
        #expect(Self.describe(insert.next) == "unknown")
    }

    @Test
    func `Nothing is written only if nothing was and nothing can have been`() throws {
        var insert = Self.machine(2)
        insert.failed(.simulated(.serverSelection))
        #expect(Self.describe(insert.next) == "not written")
        insert = Self.machine(2)
        insert.failed(.simulated(.network, outcome: .unknown))
        #expect(Self.describe(insert.next) == "unknown")
        insert = Self.machine(5, bytesPerCommand: 200)
        insert.answered(try Self.answer(inserted: 2), range: 0..<2)
        insert.failed(.simulated(.serverSelection))
        #expect(Self.describe(insert.next) == "unknown")
    }

    @Test
    func `Answers that make no sense are no success`() throws {
        var insert = Self.machine(3)
        insert.answered(try Self.answer(inserted: 2), range: 0..<3)
        #expect(Self.describe(insert.next) == "unknown")
        insert = Self.machine(3)
        insert.answered(try Self.answer(inserted: 0, error: (17, .duplicateKey, "_id")), range: 0..<3)
        #expect(Self.describe(insert.next) == "unknown")
    }
}
#endif
