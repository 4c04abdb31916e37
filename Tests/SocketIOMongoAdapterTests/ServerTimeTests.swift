// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import NIOCore
@testable import SocketIOMongoAdapter
import Testing

@Suite("Clocks")
struct ServerTimeTests {
    private static let year: Int64 = 31_536_000_000

    private func instant(_ time: Int64, uptime: Int64) -> ServerTimeStateMachine.Instant {
        .init(time: time, uptime: .uptimeNanoseconds(1_000_000_000_000) + .milliseconds(uptime))
    }

    @Test(arguments: [year, -year])
    func `A clock that is a year wrong is corrected, less half the time of the answer`(error: Int64) {
        var machine = ServerTimeStateMachine()
        let server: Int64 = 2 * Self.year
        #expect(machine.milliseconds(server + error) == server + error)
        machine.measured(server + 20, sent: instant(server + error, uptime: 0), received: instant(server + error + 40, uptime: 40))
        #expect(machine.milliseconds(server + error + 40) == server + 40)
    }

    @Test
    func `The server is asked once a minute, at once when the clock was set, and not in a row if it does not answer`() {
        var machine = ServerTimeStateMachine()
        var asked: [Int64] = []
        func time(_ time: Int64, uptime: Int64, answer: Int64? = nil) {
            let now = instant(time, uptime: uptime)
            guard machine.begin(now) else { return }
            asked.append(uptime)
            if let answer { machine.measured(answer, sent: now, received: now) }
        }
        time(0, uptime: 0)
        time(4_000, uptime: 4_000)
        time(5_000, uptime: 5_000, answer: 5_000)
        time(64_000, uptime: 64_000)
        time(64_900, uptime: 64_000)
        // The clock was set back by three seconds.
        time(61_000, uptime: 64_000, answer: 64_000)
        #expect(machine.milliseconds(62_000) == 65_000)
        time(120_000, uptime: 123_000)
        time(121_000, uptime: 124_000)
        #expect(asked == [0, 5_000, 64_000, 124_000])
    }

    // MARK: The order of ids

    @Test
    func `Ids in the order of the stream: what was written after one is not older; what is not known is assumed to be`() {
        var disorder = IDDisorder()
        #expect(disorder.earliest(after: 1_000) == 940)
        #expect(disorder.earliest(after: 7) == 0)
        for seconds: UInt32 in 1_000...1_200 { disorder.read(seconds) }
        #expect(disorder.earliest(after: 1_150) == 1_150)
        // Documents before the first may have had later ids.
        #expect(disorder.earliest(after: 1_059) == 999)
    }

    @Test
    func `An id that comes late moves the beginning as far, for five to ten minutes; more than a minute is not assumed`() {
        var disorder = IDDisorder()
        for seconds: UInt32 in 1_000...1_200 { disorder.read(seconds) }
        disorder.read(1_193)
        #expect(disorder.earliest(after: 1_199) == 1_192)
        for seconds: UInt32 in 1_200...1_850 { disorder.read(seconds) }
        #expect(disorder.earliest(after: 1_849) == 1_849)
        disorder.read(12)
        #expect(disorder.earliest(after: 1_849) == 1_789)
    }

    @Test
    func `A leap of a clock lets nothing be trusted that was before`() {
        var disorder = IDDisorder()
        for seconds: UInt32 in 1_000...1_200 { disorder.read(seconds) }
        disorder.read(1_000_000)
        #expect(disorder.earliest(after: 1_150) == 1_090)
        disorder.read(1_201)
        #expect(disorder.earliest(after: 1_201) == 1_141)
    }
}
#endif
