// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import NIOCore
import SocketIOConcurrency
@testable import SocketIOMongoAdapter
import Synchronization
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
            guard machine.isDue(now) else { return }
            machine.asks(now)
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

    @Test
    func `An answer that took long does not replace an earlier one`() {
        var machine = ServerTimeStateMachine()
        machine.measured(7_000, sent: instant(0, uptime: 0), received: instant(4_000, uptime: 4_000))
        #expect(machine.milliseconds(4_000) == 9_000)
        machine.measured(999_000, sent: instant(70_000, uptime: 70_000), received: instant(71_001, uptime: 71_001))
        #expect(machine.milliseconds(71_001) == 76_001)
    }

    @Test
    func `Whoever has the server asked does not wait for it; it is asked one question at a time`() async {
        let time = ServerTime { 5 }
        let answered = Gate()
        let asked = Mutex(0)
        for _ in 0..<3 {
            time.measureIfDue {
                asked.withLock { $0 += 1 }
                await answered.wait()
                return 1_000_005
            }
        }
        #expect(time.milliseconds == 5)
        answered.open()
        await time.close()
        #expect(asked.withLock { $0 } == 1)
        #expect(time.milliseconds >= 1_000_005)
    }
}
#endif
