import SocketIOCore
import Synchronization

/// The handlers of events that other processes send to a namespace of this one.
final class ServerSideEvents: Sendable {
    private let handlers = Mutex<[String: HandlerBody]>([:])
    private let encoder: PacketEncoder
    private let tasks: TaskRegistry
    /// One event loop for all, so that handlers start in the order of the events.
    private let executor: (any TaskExecutor)?
    private let onError: @Sendable (any Error, String) -> Void

    init(
        encoder: PacketEncoder,
        tasks: TaskRegistry,
        executor: (any TaskExecutor)?,
        onError: @escaping @Sendable (any Error, String) -> Void
    ) {
        self.encoder = encoder
        self.tasks = tasks
        self.executor = executor
        self.onError = onError
    }

    func add(_ event: String, _ body: HandlerBody) { handlers.withLock { $0[event] = body } }

    /// Another process has sent an event.
    func receive(_ arguments: EventArguments, reply: (@Sendable (EventArguments) -> Void)?) {
        guard let name = try? arguments.decode(String.self, at: 0), let handler = handlers.withLock({ $0[name] }) else { return }
        let event = SocketEvent(name: name, arguments: arguments.dropFirst())
        tasks.start(on: executor) { [self] in
            do {
                let ack =
                    switch handler {
                    case .sync(let body): try body(event)
                    case .async(let body): try await body(event)
                    }
                if let reply, let ack { reply(try encoder.arguments(ack.write)) }
            } catch {
                onError(error, name)
            }
        }
    }
}

extension BroadcastOperator {
    /// Sends an event to the other processes of the cluster, where ``Namespace/on(_:_:)`` handles it. This process does not get it.
    ///
    /// - Throws: `EncodingError` if an argument cannot be encoded; what the adapter throws if other nodes may not get it.
    public func serverSideEmit<each A: Encodable & Sendable>(_ event: String, _ arguments: repeat each A) async throws {
        let encoded = try namespace.encoder.arguments { writer in
            try writer.append(event)
            repeat try writer.append(each arguments)
        }
        try await namespace.adapter.serverSideEmit(encoded)
    }

    /// Sends an event to the other processes of the cluster and collects their answers, one of each.
    ///
    /// - Parameters:
    ///   - event: The event's name.
    ///   - arguments: Any number of values.
    ///   - type: The type of an answer's first value.
    /// - Throws: As ``serverSideEmit(_:_:)``; ``SocketIOCore/IncompleteResponseError`` if nodes did not answer in time.
    public func serverSideEmitWithAck<each A: Encodable & Sendable, R: Decodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A,
        as type: R.Type
    ) async throws -> [R] {
        let encoded = try namespace.encoder.arguments { writer in
            try writer.append(event)
            repeat try writer.append(each arguments)
        }
        do {
            return try await namespace.adapter.serverSideEmitWithAck(encoded, timeout: options.flags.timeout)
                .map { try $0.decode(type, at: 0) }
        } catch let error as IncompleteResponseError<[EventArguments]> {
            throw IncompleteResponseError(
                partial: error.partial.compactMap { try? $0.decode(type, at: 0) },
                missingNodes: error.missingNodes
            )
        }
    }
}
