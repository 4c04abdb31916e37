// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import SocketIOMongoClient
import SocketIOCore
@testable import SocketIOMongoAdapter
import Testing

@Suite("Wire format of Node.js: emitters")
struct NodeJSEmitterTests {
    static let fixtures = NodeJSFixture.all.filter { $0.document["uid"]?.string == NodeJSWireFormat.emitter }

    @Test
    func `There are some of each kind`() { #expect(Set(Self.fixtures.compactMap { $0.document["type"]?.int32 }) == [3, 4, 5, 6, 9]) }

    @Test(arguments: fixtures)
    func `An emitter of this package writes the same bytes as that of Node.js`(fixture: NodeJSFixture) throws {
        // There, the default can be said too.
        let compress = fixture.document["data"]?.document?["opts"]?.document?["flags"]?.document?["compress"]?.bool
        guard compress != true else { return }
        let date = fixture.document["createdAt"]?.dateMilliseconds
        let format = NodeJSWireFormat(addsCreatedAt: date != nil, life: 0, isEmitter: true)
        let message = try NodeJSFixture.message(fixture.document)
        #expect(try format.encode(message, createdAt: date ?? 0).map(\.hex) == [fixture.document.hex])
    }
}
#endif
