import MessagePack
package import NIOCore

/// Events as other implementations pass them on: the array of name and arguments, without the packet around it.
extension EncodedPacket {
    /// Makes the packet of an event whose name and arguments are encoded already.
    ///
    /// - Parameters:
    ///   - array: One array: JSON text or MessagePack.
    ///   - namespace: The namespace, with its leading slash.
    ///   - format: The parser that wrote the array.
    ///   - attachments: What the placeholders in the JSON text stand for; none with MessagePack.
    /// - Throws: ``PacketError`` with `illegalPayload` if the bytes are not exactly one array that begins with a name.
    package init(
        event array: ByteBuffer,
        namespace: String,
        format: PacketFormat,
        attachments: [ByteBuffer] = []
    ) throws(PacketError) {
        guard namespace.utf8.count <= 1_024 else { throw PacketError(.illegalNamespace) }
        let event = try EventArguments(array: array, format: format, attachments: attachments)
        guard event.startsWithName else { throw PacketError(.illegalPayload) }
        let size = array.readableBytes + namespace.utf8.count + 40
        switch format {
        case .json:
            let type = attachments.isEmpty ? PacketType.event : .binaryEvent
            self.init(isBinary: false, sizeHint: size) { buffer in
                PacketEncoder.writeHeader(type, attachments: attachments.count, namespace: namespace, id: nil, to: &buffer)
                buffer.writeImmutableBuffer(array)
                return attachments
            }
        case .messagePack:
            self.init(isBinary: true, sizeHint: size) { buffer in
                MessagePackPacket.writeHeader(.event, fields: 3, namespace: namespace, to: &buffer)
                MessagePackPacket.writeKey("data", to: &buffer)
                buffer.writeImmutableBuffer(array)
                return []
            }
        }
    }

    /// The parser that wrote the packet.
    package var format: PacketFormat { isBinary ? .messagePack : .json }

    /// The array of an event's name and arguments; nil if the packet is no event of the namespace, or wants an acknowledgement.
    package func eventArray(in namespace: String) -> ByteBuffer? {
        switch format {
        case .json: Self.array(ofText: message, namespace)
        case .messagePack: Self.array(ofMap: message)
        }
    }

    private static func array(ofText message: ByteBuffer, _ namespace: String) -> ByteBuffer? {
        var rest = message
        switch rest.readInteger(as: UInt8.self) {
        case UInt8(ascii: "2"): break
        case UInt8(ascii: "5"):
            guard let dash = rest.readableBytesView.firstIndex(of: UInt8(ascii: "-")) else { return nil }
            rest.moveReaderIndex(to: dash + 1)
        default: return nil
        }
        if namespace != "/" {
            guard let name = rest.readSlice(length: namespace.utf8.count), name.readableBytesView.elementsEqual(namespace.utf8),
                rest.readInteger(as: UInt8.self) == UInt8(ascii: ",")
            else { return nil }
        }
        return rest.getInteger(at: rest.readerIndex, as: UInt8.self) == UInt8(ascii: "[") ? rest : nil
    }

    private static func array(ofMap message: ByteBuffer) -> ByteBuffer? {
        var reader = MessagePackReader(message)
        guard let count = try? reader.readMapHeader() else { return nil }
        for _ in 0..<count {
            guard let key = try? reader.readString(), let value = try? reader.readRaw() else { return nil }
            if key == "data" { return value }
        }
        return nil
    }
}

extension EventArguments {
    /// The arguments as one array, as ``init(array:format:attachments:)`` takes it.
    package var array: ByteBuffer {
        var array = ByteBuffer()
        switch format {
        case .json:
            array.writeInteger(UInt8(ascii: "["))
            array.writeImmutableBuffer(region)
            array.writeInteger(UInt8(ascii: "]"))
        case .messagePack:
            MessagePackPacket.writeArrayHeader(count, to: &array)
            array.writeImmutableBuffer(region)
        }
        return array
    }

    /// Whether the first of them can be the name of an event.
    fileprivate var startsWithName: Bool {
        guard let name = self[0] else { return false }
        switch format {
        case .json: return name.bytes.getInteger(at: name.bytes.readerIndex, as: UInt8.self) == UInt8(ascii: "\"")
        case .messagePack: return (try? MessagePackReader(name.bytes).peekKind()) == .string
        }
    }
}
