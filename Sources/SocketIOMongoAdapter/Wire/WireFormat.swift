#if MongoDB
package import MongoClient
package import SocketIOCore

/// How the messages of a cluster stand in the documents of a collection. One server uses one format.
package protocol WireFormat: Sendable {
    /// The field with the time of writing, which the TTL index is on.
    var expiryField: String { get }

    /// Makes the document of a message.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - milliseconds: The time of writing, since 1970.
    /// - Throws: ``SocketIOCore/ClusterError`` with `tooLarge`.
    func encode(_ message: ClusterMessage, createdAt milliseconds: Int64) throws -> BSONDocument

    /// Reads a document, whatever it is; what cannot be a message of this format is `skipped`.
    ///
    /// - Parameters:
    ///   - document: A document that the filter let pass.
    ///   - node: The id of this node.
    /// - Returns: `nil` if there is nothing in it for anybody.
    func decode(_ document: BSONDocument, for node: NodeID) -> DriverItem?

    /// The stages of a change stream that leave out what is not for a node, and the payload of its own documents.
    func changeStreamStages(for node: NodeID) -> [BSONDocument]

    /// What a tailable cursor reads: what is for a node, from a time on.
    func tailFilter(for node: NodeID, from time: BSONTimestamp) -> BSONDocument

    /// Which fields a tailable cursor reads; `ts` must be among them.
    func tailProjection(for node: NodeID) -> BSONDocument

    /// A document that is no message: a cursor needs something to stand on. The server puts its time into `ts`.
    func marker(_ id: ObjectID, createdAt milliseconds: Int64) -> BSONDocument
}
#endif
