# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""HTTP and WebSocket clients that send requests but do not read, or send malformed data. Beside each, a well-behaved client is not affected."""

import asyncio
import contextlib
import os
import resource
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from conftest import ended_well
from harness.client import Client
from harness.process import Server
from harness.raw import RawPolling
from harness.watch import processor_seconds, watched
from test_hostile import HANDSHAKE, masked, read_all, tcp

SECONDS = 4
# Debug builds are slow, and so are machines that do other things; without the bounds both are exceeded many times over.
MEMORY = 40_000
LATENCY = 2.0
PATH = "/socket.io/?EIO=4&transport=polling"


@pytest_asyncio.fixture(scope="module")
async def server() -> AsyncIterator[Server]:
    server = await Server("SocketIOConformanceServer", "--port", "0").start()
    yield server
    await ended_well(server)


@pytest_asyncio.fixture
async def innocent(server: Server) -> AsyncIterator[Client]:
    client = await Client().connect(server.url, transports=["websocket"])
    yield client
    assert server.alive, "the server died:\n" + "\n".join(server.log[-40:])
    newcomer = await Client().connect(server.url, transports=["polling", "websocket"])
    assert await newcomer.call("message-with-ack", "still", b"here") == ["still", b"here"]
    await asyncio.gather(client.close(), newcomer.close())


class Deaf:
    """A connection that writes and never reads."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def __aenter__(self) -> "Deaf":
        self.socket = socket.socket()
        # What the system keeps for the connection is not the server's.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.setblocking(False)
        await asyncio.get_running_loop().sock_connect(self.socket, ("127.0.0.1", self._server.port))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.socket.close()

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def flood(self, data: bytes, seconds: float = SECONDS) -> int:
        """Sends the same again and again for a while; returns how many bytes the server has taken."""
        taken = 0
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    taken += await asyncio.get_running_loop().run_in_executor(None, self._send_some, data)
        return taken

    def _send_some(self, data: bytes) -> int:
        try:
            return self.socket.send(data)
        except BlockingIOError:
            time.sleep(0.01)
            return 0


@contextlib.asynccontextmanager
async def deaf(server: Server, count: int = 1) -> AsyncIterator[list[Deaf]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Deaf(server)) for _ in range(count)]


def request(method: str, target: str, *fields: str, body: bytes = b"") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", *fields]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


async def settled(condition: Callable[[], bool], limit: float = 30) -> None:
    async with asyncio.timeout(limit):
        while not condition():
            await asyncio.sleep(0.2)


class TestNotReading:
    async def test_polls_that_are_not_read_while_posts_are_echoed(self, server: Server, innocent: Client) -> None:
        """A session's answers under way count as its send buffer, so that it ends when that is full."""
        message = '42["message","' + "x" * 200_000 + '"]'
        posts = 0
        async with RawPolling(server.url) as session, deaf(server) as [poller], watched(server, innocent) as watch:
            await session.post("40")
            await session.poll()
            await poller.send(request("GET", PATH + "&sid=" + session.handshake["sid"]) * 400)
            status = 200
            while status == 200 and posts < 400:
                status, _ = await session.post(message)
                posts += 1
        # What the system takes, and the send buffer of 4 MiB.
        assert 20 < posts < 100
        assert watch.growth < MEMORY
        assert watch.slowest < LATENCY

    async def test_many_connections_poll_one_session_and_do_not_read(self, server: Server, innocent: Client) -> None:
        message = '42["message","' + "x" * 400_000 + '"]'
        async with contextlib.AsyncExitStack() as stack, watched(server, innocent) as watch:
            end = time.monotonic() + SECONDS
            async with RawPolling(server.url) as session:
                await session.post("40")
                target = PATH + "&sid=" + session.handshake["sid"]
                while time.monotonic() < end:
                    poller = await stack.enter_async_context(Deaf(server))
                    await poller.send(request("GET", target))
                    if (await session.post(message))[0] != 200:
                        break
        assert watch.growth < MEMORY
        assert watch.slowest < LATENCY

    @pytest.mark.parametrize(
        "data",
        [
            request("GET", "/socket.io/nothing"),
            request("OPTIONS", PATH, "Origin: https://friend.example", "Access-Control-Request-Headers: " + "x" * 8000),
            request("GET", PATH + "&sid=unknown"),
            request("POST", PATH + "&sid=unknown", body=b"x" * 100),
            request("GET", PATH),
        ],
        ids=["404", "preflights", "unknown sessions", "posts", "handshakes"],
    )
    async def test_pipelined_requests_whose_answers_are_not_read(self, server: Server, innocent: Client, data: bytes) -> None:
        async with deaf(server, 4) as attackers, watched(server, innocent) as watch:
            await asyncio.gather(*(attacker.flood(data * (1 + 60_000 // len(data))) for attacker in attackers))
        # The system takes some megabytes of answers before the server sees that nobody reads; each of a handshake stands for a session.
        assert watch.growth < (2 * MEMORY if data == request("GET", PATH) else MEMORY)
        assert watch.slowest < LATENCY

    async def test_a_candidate_that_probes(self, server: Server, innocent: Client) -> None:
        async with RawPolling(server.url) as session, deaf(server) as [candidate], watched(server, innocent) as watch:
            await session.post("40")
            await candidate.send(HANDSHAKE.format(query="&sid=" + session.handshake["sid"], more="").encode())
            await candidate.flood(masked(1, b"2probe") * 5000)
        assert watch.growth < MEMORY
        assert watch.slowest < LATENCY

    @pytest.mark.parametrize("frame", [masked(9, b""), masked(9, b"x" * 125)], ids=["empty", "full"])
    async def test_pings(self, server: Server, innocent: Client, frame: bytes) -> None:
        async with deaf(server, 2) as attackers, watched(server, innocent) as watch:
            for attacker in attackers:
                await attacker.send(HANDSHAKE.format(query="", more="").encode())
            await asyncio.gather(*(attacker.flood(frame * (60_000 // len(frame))) for attacker in attackers))
        assert watch.growth < MEMORY
        assert watch.slowest < LATENCY

    async def test_requests_behind_one_that_waits(self, server: Server, innocent: Client) -> None:
        """They are answered one after the other, not from within each other: the stack would end."""
        async with RawPolling(server.url) as session, tcp(server) as (reader, writer):
            await session.post("40")
            await session.poll()
            target = PATH + "&sid=" + session.handshake["sid"]
            small = b"GET / HTTP/1.1\r\nHost:\r\n\r\n"
            writer.write(request("GET", target) + small * 2500)
            await writer.drain()
            await asyncio.sleep(0.5)
            await session.post('42["message","free"]')
            async with asyncio.timeout(60):
                answers = b""
                while answers.count(b" 404 ") < 2500:
                    data = await reader.read(1 << 16)
                    assert data, "the connection ended"
                    answers += data
            assert b"message-back" in answers

    async def test_memory_goes_back(self, server: Server, innocent: Client) -> None:
        """Of fifteen clients that each leave some megabytes unread, nothing is left when they have gone."""
        before = server.resident_kilobytes()
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(15):
                session = await stack.enter_async_context(RawPolling(server.url))
                await session.post("40")
                [poller] = await stack.enter_async_context(deaf(server))
                await poller.send(request("GET", PATH + "&sid=" + session.handshake["sid"]) * 10)
                for _ in range(6):
                    await session.post('42["message","' + "x" * 900_000 + '"]')
            held = server.resident_kilobytes() - before
            print(f"{held} kB are held")
        assert held > 30_000, "the test holds too little to see anything"
        await settled(lambda: server.resident_kilobytes() - before < 15_000)

class TestRequests:
    @pytest.mark.parametrize("target", ["/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=4&transport=websocket", "/other"])
    @pytest.mark.parametrize("hosts", [[], ["Host: a", "Host: b"], ["Host: a/b"]], ids=["no host", "two hosts", "no name"])
    async def test_a_request_names_one_host(self, server: Server, innocent: Client, target: str, hosts: list[str]) -> None:
        fields = [line for line in HANDSHAKE.split("\r\n")[2:] if ":" in line] if "websocket" in target else []
        async with tcp(server) as (reader, writer):
            writer.write("\r\n".join([f"GET {target} HTTP/1.1", *hosts, *fields, "", ""]).encode())
            assert b" 400 " in await asyncio.wait_for(reader.readline(), 5)

    @pytest.mark.parametrize("more", ["Content-Length: 8\r\n", "Transfer-Encoding: chunked\r\n"])
    async def test_a_handshake_with_a_body(self, server: Server, innocent: Client, more: str) -> None:
        async with tcp(server) as (reader, writer):
            writer.write(HANDSHAKE.format(query="", more=more).encode() + masked(1, b"40"))
            assert b" 400 " in await asyncio.wait_for(reader.readline(), 5)
            await read_all(reader)

    @pytest.mark.parametrize("field", ["A b: c", "(a): c", ": c", "A\t: c", "A: b\x00c", "A: b\x01c", "A: \x7f"])
    async def test_a_field_that_is_not_one(self, server: Server, innocent: Client, field: str) -> None:
        async with tcp(server) as (reader, writer):
            writer.write(HANDSHAKE.format(query="", more=field + "\r\n").encode())
            assert b" 400 " in await asyncio.wait_for(reader.readline(), 5)


    @pytest.mark.parametrize("more", [b"G", request("GET", PATH)], ids=["a byte", "a request"])
    async def test_more_behind_the_poll_of_a_client_that_half_closes(self, server: Server, innocent: Client, more: bytes) -> None:
        """It must not hide that the client sends nothing more: the poll is answered in 2 s, and nothing else is."""
        async with RawPolling(server.url) as session, tcp(server) as (reader, writer):
            await session.post("40")
            await session.poll()
            writer.write(request("GET", PATH + "&sid=" + session.handshake["sid"]) + more)
            writer.write_eof()
            answer = await read_all(reader)
            assert answer.count(b"HTTP/1.1 ") == 1 and answer.endswith(b"\r\n\r\n6")

    async def test_a_request_that_is_cut_off_is_not_answered(self, server: Server, innocent: Client) -> None:
        async with tcp(server) as (reader, writer):
            writer.write(request("GET", "/other"))
            assert b" 404 " in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            writer.write(b"GET /socket.io/ HT")
            writer.write_eof()
            assert b"HTTP" not in await read_all(reader)


async def test_long_answers_are_compressed_beside_the_event_loop(server: Server, innocent: Client) -> None:
    """They arrive whole and in order."""

    async def take(number: int) -> None:
        async with RawPolling(server.url) as session:
            await session.post("40")
            await session.poll()
            for round in range(3):
                text = f"{number} {round} " + os.urandom(150_000).hex()
                await session.post(f'42["message","{text}"]')
                async with session.http.get(session.address) as response:
                    assert response.headers["content-encoding"] == "gzip"
                    assert text in await response.text()
                await session.post('42["message","short"]')
                assert "short" in (await session.poll())[1][0]

    async with watched(server, innocent) as watch:
        await asyncio.gather(*(take(number) for number in range(8)))
    assert watch.slowest < LATENCY


async def test_a_server_without_files(tmp_path: Path) -> None:
    """It rests instead of asking the system again and again, serves those who are there, and later those who had to wait."""
    server = await Server("SocketIOConformanceServer", "--port", "0").start()
    try:
        innocent = await Client().connect(server.url, transports=["websocket"])
        open_files = len(list(Path(f"/proc/{server.pid}/fd").iterdir()))
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (open_files + 20, open_files + 20))
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(60):
                await stack.enter_async_context(deaf(server))
            await asyncio.sleep(0.5)
            before = processor_seconds(server)
            await asyncio.sleep(3)
            used = processor_seconds(server) - before
            assert await innocent.call("sum", 1, 2) == 3
            assert used < 0.9, f"{used} s of a processor in 3 s"
            assert sum("no connection can be accepted" in line for line in server.log) == 1
        newcomer = await Client().connect(server.url, transports=["websocket"])
        assert await newcomer.call("sum", 1, 2) == 3
        await asyncio.gather(innocent.close(), newcomer.close())
        await ended_well(server)
    finally:
        await server.stop()


async def test_a_file_that_is_not_read(tmp_path: Path) -> None:
    """Pipelined requests for it, whose responses are not read. The file itself is in memory once."""
    file = tmp_path / "client.js"
    file.write_bytes(os.urandom(1_000_000))
    server = await Server("SocketIOChat", "--port", "0", "--client", str(file)).start()
    try:
        before = server.resident_kilobytes()
        data = request("GET", "/socket.io/socket.io.js")
        async with deaf(server, 8) as attackers, aiohttp.ClientSession() as http:
            flood = asyncio.gather(*(attacker.flood(data * 500) for attacker in attackers))
            while not flood.done():
                start = time.monotonic()
                async with http.get(server.url + "/socket.io/socket.io.js") as response:
                    assert len(await response.read()) == 1_000_000
                assert time.monotonic() - start < LATENCY
                await asyncio.sleep(0.05)
            await flood
            growth = server.resident_kilobytes() - before
            print(f"memory grew by {growth} kB")
            assert growth < MEMORY
        await ended_well(server)
    finally:
        await server.stop()


