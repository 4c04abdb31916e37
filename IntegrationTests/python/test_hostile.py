# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""Inputs that have broken other servers. After each, a client that did nothing wrong goes on as before."""

import asyncio
import contextlib
import gzip
import os
import struct
from collections.abc import AsyncIterator

import aiohttp
import msgpack
import pytest
import pytest_asyncio

from conftest import ended_well, still_served
from harness.client import Client
from harness.process import Server
from harness.raw import RawPolling, RawSocket

HANDSHAKE = (
    "GET /socket.io/?EIO=4&transport=websocket{query} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
)


@pytest_asyncio.fixture(scope="module")
async def server() -> AsyncIterator[Server]:
    """Its pings are frequent, so that those who vanished from long-polling are soon forgotten."""
    server = await Server("SocketIOConformanceServer", "--port", "0", "--ping-interval", "4000", "--ping-timeout", "3000").start()
    yield server
    await ended_well(server)


@pytest_asyncio.fixture(autouse=True)
async def innocent(server: Server) -> AsyncIterator[Client]:
    """Connected before the attack, and still served after it; so is a newcomer."""
    client = await Client().connect(server.url, transports=["websocket"])
    yield client
    await still_served(server, client)
    newcomer = await Client().connect(server.url, transports=["polling", "websocket"])
    assert await newcomer.call("message-with-ack", "still", b"here") == ["still", b"here"]
    await asyncio.gather(client.close(), newcomer.close())


@contextlib.asynccontextmanager
async def tcp(server: Server) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def masked(opcode: int, payload: bytes, *, final: bool = True, reserved: int = 0) -> bytes:
    """A client's WebSocket frame, mask zero."""
    size = len(payload)
    head = bytes([(0x80 if final else 0) | reserved | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65536:
        head += bytes([0x80 | 126]) + struct.pack(">H", size)
    else:
        head += bytes([0x80 | 127]) + struct.pack(">Q", size)
    return head + bytes(4) + payload


async def read_all(reader: asyncio.StreamReader, limit: float = 10) -> bytes:
    with contextlib.suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(-1), limit)
    return b""


# Packets of a connected client after which it must be gone.
FATAL = [
    '42{"toString":"foo"}',
    '42[{"toString":"foo"}]',
    '42[true,"x"]',
    "42[null]",
    "42{}",
    "42[]",
    "42[",
    '42["connect"]',
    '42["connect_error"]',
    '42["disconnect","123"]',
    '42["disconnecting"]',
    '42["newListener"]',
    '42["removeListener"]',
    "45",
    "451",
    "45a-",
    "451.23-",
    "45-1-",
    '40/admin,"invalid"',
    "41/admin,{}",
    "47",
    "4999",
    "4x",
    '42/unknown,["message",1]',
    '43/unknown,1[1]',
    '4511-["e",' + "1," * 10 + "1]",
    '4559999999-["e"]',
    '452147483647-["e"]',
    '4599999999999999999999-["e"]',
    '451-["hello",{"_placeholder":true,"num":0}]' + "\x00then\x00" + '42["hello"]',
    "8",
    "x",
    "",
    "42" + "9" * 100_000,
    "45" + "1" * 900_000,
    "42/" + "a" * 900_000,
    "42" + "[" * 100_000,
]

# Packets that are nonsense, but that a server may as well shrug at: it must only survive.
ODD = [
    '42["error","x"]',
    '42["__proto__",1]',
    '42["constructor"]',
    '42["message",' + "[" * 5_000 + "]" * 5_000 + "]",
    '42["message",' + '{"a":' * 5_000 + "1" + "}" * 5_000 + "]",
    '42["sum",1e999,2]',
    '42["sum",99999999999999999999999999,2]',
    '42["message","\\ud800"]',
    '42["message","\x00"]',
    '42[1,"a number is a name"]',
    '42999999999999999999999999999["message-with-ack",1]',
    "4300000[1]",
    "430",
    '431["never asked"]',
    "3",
    "3" * 1000,
    "6",
    "1",
    '40{"@class":"java.lang.Runtime"}',
    "40" + "{" * 10_000,
    "40/" + "n" * 10_000 + ",",
]


@pytest.mark.parametrize("packet", FATAL, ids=lambda packet: packet[:30].encode("unicode_escape").decode())
async def test_a_broken_packet_closes_its_connection(server: Server, packet: str) -> None:
    async with RawSocket(server.url) as raw:
        await raw.connect()
        for part in packet.split("\x00then\x00"):
            await raw.send(part)
        await raw.until_closed()


@pytest.mark.parametrize("packet", FATAL + ODD, ids=lambda packet: packet[:30].encode("unicode_escape").decode())
@pytest.mark.parametrize("connected", [True, False], ids=["connected", "before-connect"])
async def test_a_strange_packet_harms_nobody(server: Server, packet: str, connected: bool) -> None:
    parts = packet.split("\x00then\x00")
    async with RawSocket(server.url) as raw:
        if connected:
            await raw.connect()
        for part in parts:
            await raw.send(part)
        await raw.send('421["who"]')
        with contextlib.suppress(Exception):
            await raw.receive(0.1)
    async with RawPolling(server.url) as raw:
        if connected:
            await raw.post("40")
        for part in parts:
            with contextlib.suppress(aiohttp.ClientError):
                await raw.post(part)


@pytest.mark.parametrize("number", ['"splice"', "1", "-1", "1.5", "1e99", "null", "true", "[0]", "18446744073709551616"])
async def test_a_placeholder_that_points_nowhere(server: Server, number: str) -> None:
    async with RawSocket(server.url) as raw:
        await raw.connect()
        await raw.send('451-["message",{"_placeholder":true,"num":%s}]' % number)
        await raw.send(b"binary")
        await raw.until_closed()


async def acknowledgement(raw: RawSocket) -> str:
    """The next acknowledgement, without the events before it."""
    async with asyncio.timeout(10):
        while not str(packet := await raw.receive()).startswith("43"):
            pass
    return str(packet)


@pytest.mark.parametrize(
    "argument",
    ["[" * 65 + "]" * 65, "[" * 400_000 + "]" * 400_000, "[" * 900_000, '{"a":' * 150_000 + "1" + "}" * 150_000],
    ids=["65", "400000", "open", "objects"],
)
async def test_a_deep_argument_costs_its_event_only(server: Server, argument: str) -> None:
    async with RawSocket(server.url) as raw:
        await raw.connect()
        await raw.connect("/custom")
        await raw.send(f'421["sum",{argument}]')
        await raw.send('422["sum",20,22]')
        assert await acknowledgement(raw) == "432[42]"


async def test_what_the_reference_accepts_is_accepted(server: Server) -> None:
    async with RawSocket(server.url) as raw:
        await raw.send('40 {"token": 1}')
        assert str(await raw.receive()).startswith("40{")
        await raw.send('42 1 [ "sum" , 20 , 22 ]')
        assert await acknowledgement(raw) == "431[42]"


async def test_a_binary_frame_without_its_header(server: Server) -> None:
    async with RawSocket(server.url) as raw:
        await raw.connect()
        await raw.send(b"lonely")
        await raw.until_closed()


async def test_attachments_that_never_come_are_not_waited_for_before_connect(server: Server) -> None:
    async with RawSocket(server.url) as raw:
        await raw.send('451-["message",{"_placeholder":true,"num":0}]')
        await raw.until_closed()


class TestMiddleware:
    """`/slow` takes half a second to accept a client."""

    async def test_a_second_connect_meanwhile_makes_one_socket(self, server: Server) -> None:
        async with RawSocket(server.url) as raw:
            for _ in range(5):
                await raw.send("40/slow,")
            answers = []
            with contextlib.suppress(TimeoutError):
                while True:
                    answers.append(await raw.receive(1.5))
            assert [answer[:9] for answer in answers] == ["40/slow,{", "42/slow,["]

    async def test_whoever_vanishes_meanwhile_is_never_connected(self, server: Server, innocent: Client) -> None:
        before = (await innocent.call("stats"))["connections"]
        for _ in range(20):
            raw = await RawSocket(server.url).__aenter__()
            await raw.send("40/slow,")
            await raw.send('42/slow,["message",1]')
            raw.abort()
            await raw.__aexit__()
        async with asyncio.timeout(20):
            while (await innocent.call("stats"))["connections"] > before:
                await asyncio.sleep(0.05)


class TestMessagePack:
    PACKETS = [
        b"",
        b"\xc0",
        b"\xc1",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff\x01",
        b"\x91" * 100_000,
        b"\x81\xa1a" * 100_000,
        msgpack.packb({}),
        msgpack.packb([]),
        msgpack.packb({"type": 2}),
        msgpack.packb({"type": 7, "nsp": "/"}),
        msgpack.packb({"type": -1, "nsp": "/"}),
        msgpack.packb({"type": "2", "nsp": "/", "data": ["message"]}),
        msgpack.packb({"type": 2, "nsp": 5, "data": ["message"]}),
        msgpack.packb({"type": 2, "nsp": "/", "data": "message"}),
        msgpack.packb({"type": 2, "nsp": "/", "data": [{"toString": "foo"}]}),
        msgpack.packb({"type": 2, "nsp": "/", "data": []}),
        msgpack.packb({"type": 2, "nsp": "/", "data": ["connect"]}),
        msgpack.packb({"type": 2, "nsp": "/", "data": ["message-with-ack"], "id": -1}),
        msgpack.packb({"type": 2, "nsp": "/", "data": ["message-with-ack"], "id": 2**64 - 1}),
        msgpack.packb({"type": 2, "nsp": "/", "data": ["message-with-ack"], "id": 1.5}),
        msgpack.packb({"type": 3, "nsp": "/", "data": {}, "id": 1}),
        msgpack.packb({"type": 0, "nsp": "/" + "n" * 10_000}),
        msgpack.packb({"type": 2, "nsp": "/", "data": ["message", msgpack.ExtType(5, b"x" * 100)]}),
        msgpack.packb({"type": 2, "nsp": "/", "data": ["message", b"\xff"]})[:-1],
        msgpack.packb({"type": 2, "nsp": "/", "data": ["message"]}) + b"trailing",
    ]

    async def test_broken_packets_harm_nobody(self) -> None:
        server = await Server("SocketIOConformanceServer", "--port", "0", "--parser", "msgpack").start()
        before = server.resident_kilobytes()
        for packet in self.PACKETS:
            for connected in (True, False):
                async with RawSocket(server.url) as raw:
                    if connected:
                        await raw.send(msgpack.packb({"type": 0, "nsp": "/"}))
                        await raw.receive()
                    await raw.send(packet)
                    await raw.send(packet)
                    with contextlib.suppress(Exception):
                        await raw.receive(0.05)
        client = await Client(parser="msgpack").connect(server.url, transports=["websocket"])
        assert await client.call("sum", 20, 22) == 42
        await client.close()
        assert server.resident_kilobytes() - before < 64_000
        await ended_well(server)


class TestSizes:
    async def test_a_websocket_message_over_the_limit(self, server: Server) -> None:
        async with RawSocket(server.url) as raw:
            await raw.connect()
            await raw.send('42["message","' + "x" * 1_100_000 + '"]')
            assert await raw.until_closed() in (1009, 1006, None)

    async def test_attachments_over_the_limit_together(self, server: Server) -> None:
        async with RawSocket(server.url) as raw:
            await raw.connect()
            placeholders = ",".join('{"_placeholder":true,"num":%d}' % number for number in range(10))
            await raw.send(f'4510-["message",{placeholders}]')
            for _ in range(10):
                await raw.send(bytes(900_000))
            await raw.until_closed()

    async def test_a_post_over_the_limit(self, server: Server) -> None:
        async with RawPolling(server.url) as raw:
            with contextlib.suppress(aiohttp.ClientError):
                status, _ = await raw.post("4" + "x" * 2_000_000)
                assert status == 413

    async def test_a_post_over_the_limit_does_not_touch_the_waiting_poll(self, server: Server) -> None:
        async with RawPolling(server.url) as raw:
            assert (await raw.post("40"))[0] == 200
            assert (await raw.poll())[1][0].startswith("40")
            poll = asyncio.create_task(raw.poll())
            await asyncio.sleep(0.2)
            async with tcp(server) as (reader, writer):
                path = "/socket.io/" + raw.address.split("/socket.io/")[1]
                writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n".encode())
                answer = await read_all(reader)
            head, _, body = answer.partition(b"\r\n\r\n")
            assert b" 413 " in head and b"content-length: 0" in head.lower() and body == b""
            await asyncio.sleep(0.3)
            assert not poll.done()
            assert (await raw.post('42["echo","still here"]'))[0] == 200
            poll.cancel()

    async def test_an_official_style_client_reports_one_reason(self, server: Server) -> None:
        # The client closes its transport itself when a POST fails, so that the reason is always the same.
        reasons = set()
        for _ in range(5):
            async with RawPolling(server.url) as raw:
                assert (await raw.post("40"))[0] == 200
                assert (await raw.poll())[1][0].startswith("40")
                poll = asyncio.create_task(raw.poll())
                with contextlib.suppress(aiohttp.ClientError):
                    status, body = await raw.post("4" + "x" * 1_100_000)
                    assert (status, body) == (413, "")
                reasons.add("poll" if poll.done() else "post")
                poll.cancel()
        assert reasons == {"post"}

    async def test_a_client_that_half_closes_gets_its_poll(self, server: Server) -> None:
        async with RawPolling(server.url) as raw, tcp(server) as (reader, writer):
            assert (await raw.post("40"))[0] == 200
            assert (await raw.poll())[1][0].startswith("40")
            path = "/socket.io/" + raw.address.split("/socket.io/")[1]
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            await writer.drain()
            writer.write_eof()
            await asyncio.sleep(0.5)
            assert (await raw.post('421["sum",20,22]'))[0] == 200
            assert (await read_all(reader)).endswith(b"431[42]")
            # Nothing is left of the connection, and the session goes on.
            assert (await raw.post('422["sum",1,2]'))[0] == 200
            assert (await raw.poll())[1] == ["432[3]"]

    async def test_a_chunked_post_without_end(self, server: Server) -> None:
        async with RawPolling(server.url) as session, tcp(server) as (reader, writer):
            path = "/socket.io/" + session.address.split("/socket.io/")[1]
            writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
            with contextlib.suppress(ConnectionError):
                async with asyncio.timeout(10):
                    while not reader.at_eof():
                        writer.write(b"10000\r\n" + b"4" * 65536 + b"\r\n")
                        await writer.drain()
                        await asyncio.sleep(0)
            answer = await read_all(reader)
            assert not answer or b" 413 " in answer

    async def test_a_body_for_a_session_that_does_not_exist(self, server: Server) -> None:
        async with tcp(server) as (reader, writer):
            writer.write(b"POST /socket.io/?EIO=4&transport=polling&sid=nobody HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n" + bytes(99999))
            assert b" 400 " in await asyncio.wait_for(reader.read(4096), 5)

    async def test_many_tiny_packets_in_one_post(self, server: Server) -> None:
        async with RawPolling(server.url) as raw:
            await raw.post("40")
            async with asyncio.timeout(10):
                with contextlib.suppress(aiohttp.ClientError):
                    await raw.post("\x1e".join(["4"] * 499_999))
                with contextlib.suppress(aiohttp.ClientError):
                    await raw.post("\x1e" * 999_999)

    async def test_a_message_in_a_million_fragments(self, server: Server) -> None:
        async with tcp(server) as (reader, writer):
            writer.write(HANDSHAKE.format(query="", more="").encode())
            await reader.readuntil(b"\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                writer.write(masked(1, b"4", final=False))
                for _ in range(1000):
                    writer.write(masked(0, b"", final=False) * 1000)
                    await writer.drain()
            assert reader.at_eof() or await read_all(reader) is not None

    async def test_headers_without_end(self, server: Server) -> None:
        more = "".join(f"x-{number}: {number}\r\n" for number in range(2000))
        async with tcp(server) as (reader, writer):
            with contextlib.suppress(ConnectionError):
                writer.write(HANDSHAKE.format(query="", more=more).encode())
                assert b" 101 " not in (await asyncio.wait_for(reader.read(4096), 10))
        async with tcp(server) as (reader, writer):
            with contextlib.suppress(ConnectionError):
                writer.write(b"GET /socket.io/?EIO=4&transport=polling&x=" + b"y" * 2_000_000)
                await writer.drain()
                await asyncio.wait_for(reader.read(4096), 10)

    async def test_a_client_that_does_not_read(self, server: Server) -> None:
        before = server.resident_kilobytes()
        async with tcp(server) as (reader, writer):
            writer.transport.pause_reading()
            writer.write(HANDSHAKE.format(query="", more="").encode())
            await asyncio.sleep(0.2)
            writer.write(masked(1, b"40"))
            for _ in range(20):
                with contextlib.suppress(ConnectionError):
                    writer.write(masked(1, b'42["flood",100,100000]'))
                    await writer.drain()
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.5)
            assert server.resident_kilobytes() - before < 64_000


class TestGarbage:
    async def test_garbage_right_behind_the_upgrade_request(self, server: Server) -> None:
        for rest in (b"test", b"\x70\x00\xff", masked(1, b"40", reserved=0x70), masked(3, b"x"), masked(9, b"x" * 200), b"\x81\x05hello"):
            async with tcp(server) as (reader, writer):
                writer.write(HANDSHAKE.format(query="", more="").encode() + rest)
                await asyncio.wait_for(reader.read(4096), 5)

    async def test_garbage_behind_an_upgrade_of_a_session(self, server: Server) -> None:
        async with RawPolling(server.url) as session, tcp(server) as (reader, writer):
            writer.write(HANDSHAKE.format(query="&sid=" + session.handshake["sid"], more="").encode() + b"test")
            await asyncio.wait_for(reader.read(4096), 5)

    async def test_an_upgrade_that_is_reset(self, server: Server) -> None:
        for upgrade in ("h2c", "foo", "websocket"):
            for _ in range(20):
                async with tcp(server) as (_, writer):
                    writer.write(
                        f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: {upgrade}\r\n\r\n".encode()
                    )
                    await writer.drain()

    @pytest.mark.parametrize(
        "header",
        [
            "Sec-WebSocket-Extensions: constructor",
            "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=; x=\"",
            "Sec-WebSocket-Protocol: b" + " " * 8000 + "x",
            "Origin: " + "\x7f" * 100,
            "Cookie: io=" + "a" * 4000,
        ],
        ids=lambda header: header[:40],
    )
    async def test_strange_headers(self, server: Server, header: str) -> None:
        async with tcp(server) as (reader, writer):
            writer.write(HANDSHAKE.format(query="", more=header + "\r\n").encode())
            assert (await asyncio.wait_for(reader.read(4096), 5)).startswith(b"HTTP/1.1 ")

    async def test_random_bytes(self, server: Server) -> None:
        for _ in range(50):
            async with tcp(server) as (_, writer):
                writer.write(os.urandom(2000))
                await writer.drain()
            async with RawSocket(server.url) as raw:
                await raw.connect()
                for _ in range(20):
                    await raw.send(os.urandom(50))
                    await raw.send(os.urandom(30).decode("latin-1"))

    async def test_an_octet_stream_is_refused(self, server: Server) -> None:
        async with RawPolling(server.url) as raw:
            status, _ = await raw.post(b"\x01\x02", content_type="application/octet-stream")
            assert status == 400

    async def test_a_compressed_body_is_no_bomb(self, server: Server) -> None:
        async with RawPolling(server.url) as raw:
            with contextlib.suppress(aiohttp.ClientError):
                await raw.post(gzip.compress(b"4" * 50_000_000), content_encoding="gzip")

    async def test_two_polls_at_once_end_the_session(self, server: Server) -> None:
        async with RawPolling(server.url) as raw:
            parked = asyncio.create_task(raw.poll())
            await asyncio.sleep(0.2)
            status, _ = await raw.poll()
            assert status == 400
            with contextlib.suppress(aiohttp.ClientError):
                await asyncio.wait_for(parked, 5)
            assert (await raw.post("4x"))[0] == 400


class TestUpgrade:
    async def test_an_upgrade_that_never_finishes(self, server: Server) -> None:
        """The session goes on over polling."""
        async with RawPolling(server.url) as session, aiohttp.ClientSession() as http:
            await session.post("40")
            address = session.address.replace("http", "ws", 1).replace("transport=polling", "transport=websocket")
            async with http.ws_connect(address) as socket:
                await socket.send_str("2probe")
                assert await socket.receive_str(timeout=5) == "3probe"
                await session.post('421["sum",1,2]')
                async with asyncio.timeout(20):
                    while not any("431[3]" in packet for packet in (await session.poll())[1]):
                        pass

    @pytest.mark.parametrize("words", ["2", "2probe2", "6", '42["sum",1,2]', "x"])
    async def test_anything_but_a_probe_closes_the_candidate_only(self, server: Server, words: str) -> None:
        async with RawPolling(server.url) as session, aiohttp.ClientSession() as http:
            await session.post("40")
            address = session.address.replace("http", "ws", 1).replace("transport=polling", "transport=websocket")
            async with http.ws_connect(address) as socket:
                await socket.send_str(words)
                message = await socket.receive(timeout=5)
                assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
            await session.post('421["sum",1,2]')
            async with asyncio.timeout(20):
                while not any("431[3]" in packet for packet in (await session.poll())[1]):
                    pass


async def test_what_closed_leaves_nothing_behind(server: Server, innocent: Client) -> None:
    """After all of the above, and after a crowd that comes and goes in every way, only who is here is counted."""

    async def come_and_go(number: int) -> None:
        if number % 2:
            async with RawPolling(server.url) as session:
                await session.post("40")
                await session.post("41" if number % 4 == 1 else "1")
        else:
            async with RawSocket(server.url) as raw:
                await raw.connect()
                await raw.send('42["join","crowd"]')
                if number % 4 == 0:
                    raw.abort()

    for start in range(0, 1000, 50):
        await asyncio.gather(*(come_and_go(number) for number in range(start, start + 50)))
    # Those that were cut off are noticed when the server reads from them next.
    async with asyncio.timeout(20):
        while await innocent.call("sockets", "crowd") != []:
            await asyncio.sleep(0.1)
    async with asyncio.timeout(20):
        while (await innocent.call("stats"))["sockets"] > 1:
            await asyncio.sleep(0.2)
