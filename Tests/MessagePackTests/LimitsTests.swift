import Testing

@testable import MessagePack

@Test func depthLimitMatchesTheLibrary() { #expect(maximumMessagePackDepth == 32) }
