# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""Names are bytes: text that Swift compares in quadratic time does not stall the server, and names that differ in their bytes are two names.

Each attack is made twice: with text made for it, and with plain ASCII of the same length. What an innocent client of the same event loop has
to wait must not differ by much.
"""

import asyncio
import contextlib
import json
import time
import urllib.parse
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import msgpack
import pytest
import pytest_asyncio
from socketio.exceptions import TimeoutError

from conftest import ended_well
from harness.client import Client
from harness.process import Server
from harness.raw import RawPolling, RawSocket

# Two marks of different classes: to compare text, Swift sorts each run of marks.
MARKS = "\u0301\u0323"
# A message has at most 1 000 000 bytes.
SIZE = 300_000
# What fits into the head of a request.
HEAD = 12_000
FACTOR = 3
# Seconds. In a debug build checking the UTF-8 of text that is not ASCII takes longer than reading ASCII; what is quadratic takes minutes.
SLACK, SLACK_OF_HEADS = 0.15, 0.05


def marks(size: int = SIZE) -> str:
    return MARKS * (size // 4)


def plain(size: int = SIZE) -> str:
    return "a" * (size // 4 * 4)


@pytest_asyncio.fixture(scope="module", params=["json", "msgpack"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    """One event loop for all clients. With recovery, so that a pid is looked for."""
    server = await Server("SocketIOConformanceServer", "--port", "0", "--loops", "1", "--recovery", "--parser", request.param).start()
    server.parser = request.param
    yield server
    await ended_well(server)


async def connected(server: Server, namespaces: tuple[str, ...] = ("/",)) -> Client:
    return await Client(parser=server.parser).connect(server.url, namespaces=namespaces, transports=["websocket"])


@pytest_asyncio.fixture
async def innocent(server: Server) -> AsyncIterator[Client]:
    client = await connected(server)
    yield client
    assert server.alive, "the server died:\n" + "\n".join(server.log[-40:])
    newcomer = await connected(server)
    assert await newcomer.call("sum", 20, 22) == 42
    await asyncio.gather(client.close(), newcomer.close())


async def longest_wait(innocent: Client, attack: Awaitable[None]) -> float:
    """How long the innocent client waits for an answer, at most, from the begin of the attack to the first answer after it."""
    task = asyncio.ensure_future(attack)
    longest, goes_on = 0.0, True
    while goes_on:
        goes_on = not task.done()
        began = time.perf_counter()
        assert await innocent.call("sum", 1, 2, limit=120) == 3
        longest = max(longest, time.perf_counter() - began)
    await task
    return longest


async def compare(innocent: Client, attack: Callable[[str], Awaitable[None]], *, size: int = SIZE, name: str) -> None:
    """Compares the waits during an attack with made-up text and with ASCII; the best of three, since others use the machine too."""
    ascii_wait = min([await longest_wait(innocent, attack(plain(size))) for _ in range(3)])
    marks_wait = min([await longest_wait(innocent, attack(marks(size))) for _ in range(3)])
    print(f"{name:<28} {size:>7} bytes: ASCII {1_000 * ascii_wait:7.1f} ms, marks {1_000 * marks_wait:7.1f} ms")
    assert marks_wait <= FACTOR * ascii_wait + (SLACK if size > HEAD else SLACK_OF_HEADS)


def packet(server: Server, type: int, namespace: str = "/", data: object = None, id: int | None = None) -> str | bytes:
    """A packet in the server's parser, in an Engine.IO message."""
    if server.parser == "msgpack":
        fields = {"type": type, "nsp": namespace, "data": data} | ({} if id is None else {"id": id})
        return msgpack.packb(fields)
    head = f"4{type}" + ("" if namespace == "/" else namespace + ",") + ("" if id is None else str(id))
    return head + ("" if data is None else json.dumps(data, ensure_ascii=False))


def is_answer(answer: str | bytes, type: int) -> bool:
    return msgpack.unpackb(answer)["type"] == type if isinstance(answer, bytes) else answer.startswith(f"4{type}")


async def until(raw: RawSocket, type: int) -> str | bytes:
    """The next packet of a type."""
    while not is_answer(answer := await raw.receive(120), type):
        pass
    return answer


@contextlib.asynccontextmanager
async def attacker(server: Server, auth: object = None) -> AsyncIterator[RawSocket]:
    async with RawSocket(server.url) as raw:
        await raw.send(packet(server, 0, data=auth))
        await until(raw, 0)
        yield raw


# Events of a connected client that must not stall the loop; the server then answers a question that comes after them.
ARGUMENTS = {
    "a token that is compared": lambda text: ["login", text],
    "a room": lambda text: ["join", text],
    "keys of a dictionary": lambda text: ["tally", {text: 1, text + "b": 2}],
    "keys of any value": lambda text: ["members", {text: 1, text[:-4] + "bbbb": 2}],
    "many keys of any value": lambda text: ["members", {text[: len(text) * index // 200_000]: 1 for index in range(600)}],
    "a key of the socket's data": lambda text: ["store", text, 1],
    "a key where none is expected": lambda text: ["login", {text: 1}],
    "an argument that no handler decodes": lambda text: ["unknown", text],
}


@pytest.mark.parametrize("what", ARGUMENTS)
async def test_arguments(server: Server, innocent: Client, what: str) -> None:
    async def attack(text: str) -> None:
        async with attacker(server) as raw:
            await raw.send(packet(server, 2, data=ARGUMENTS[what](text), id=1))
            await raw.send(packet(server, 2, data=["sum", 1, 2], id=2))
            while True:
                answer = await until(raw, 3)
                if (msgpack.unpackb(answer)["id"] if isinstance(answer, bytes) else int(answer[2])) == 2:
                    return

    await compare(innocent, attack, size=SIZE // 2 - 100 if "keys" in what else SIZE, name=what)


async def test_the_name_of_an_event(server: Server, innocent: Client) -> None:
    async def attack(text: str) -> None:
        async with attacker(server) as raw:
            await raw.send(packet(server, 2, data=[text, 1], id=1))
            await raw.until_closed(120)

    await compare(innocent, attack, name="the name of an event")


async def test_a_namespace(server: Server, innocent: Client) -> None:
    async def attack(text: str) -> None:
        async with attacker(server) as raw:
            await raw.send(packet(server, 0, namespace="/" + text))
            await raw.until_closed(120)

    await compare(innocent, attack, name="a namespace")


AUTH = {
    "a token in auth": lambda text: {"token": text},
    "a key of auth": lambda text: {text: 1, "token": "x"},
}


@pytest.mark.parametrize("what", AUTH)
async def test_auth(server: Server, innocent: Client, what: str) -> None:
    """Middleware compares the token."""

    async def attack(text: str) -> None:
        async with RawSocket(server.url) as raw:
            await raw.send(packet(server, 0, namespace="/guarded", data=AUTH[what](text)))
            with contextlib.suppress(Exception):
                await until(raw, 4)

    await compare(innocent, attack, name=what)


SESSIONS = {
    "a pid": lambda text: {"pid": text},
    "an offset": lambda text: {"pid": "ABCDEFGHIJKLMNO", "offset": text},
    "a pid and an offset": lambda text: {"pid": text[: len(text) // 2], "offset": text[: len(text) // 2]},
}


@pytest.mark.parametrize("what", SESSIONS)
async def test_a_session_that_is_asked_for(server: Server, innocent: Client, what: str) -> None:
    """Auth of this size is refused before its session is looked for; short ones of another form are a test below."""

    async def attack(text: str) -> None:
        async with RawSocket(server.url) as raw:
            await raw.send(packet(server, 0, data=SESSIONS[what](text)))
            with contextlib.suppress(Exception):
                await until(raw, 4)

    await compare(innocent, attack, name=what)


async def test_keys_of_a_packet(server: Server, innocent: Client) -> None:
    if server.parser != "msgpack":
        pytest.skip("packets of the default parser have no keys")

    async def attack(text: str) -> None:
        async with attacker(server) as raw:
            await raw.send(msgpack.packb({text: 1, "type": 2, "nsp": "/", "data": ["sum", 1, 2], "id": 1}))
            await until(raw, 3)

    await compare(innocent, attack, name="a key of a packet")



async def test_a_session_id_in_the_query(server: Server, innocent: Client) -> None:
    async def attack(text: str) -> None:
        sid = urllib.parse.quote(text[: len(text) // 3])
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{server.url}/socket.io/?EIO=4&transport=polling&sid={sid}") as response:
                assert response.status >= 400

    await compare(innocent, attack, size=HEAD, name="a session id in the query")


@pytest.mark.parametrize("where", ["name", "value", "query"])
async def test_the_head_of_a_request(server: Server, innocent: Client, where: str) -> None:
    """Bytes that HTTP does not allow may be refused; those of a value may reach the handshake, which the application sees."""

    async def attack(text: str) -> None:
        name, value, query = b"x-a", b"v", b""
        match where:
            case "name":
                name = text.encode()
            case "value":
                value = text.encode()
            case _:
                query = b"&a=" + text.encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        head = b"GET /socket.io/?EIO=4&transport=polling" + query + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        writer.write(head + name + b": " + value + b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(reader.read(-1), 60)
        writer.close()

    await compare(innocent, attack, size=HEAD, name=f"the head of a request: {where}")


# Pairs that Swift's strings take as equal.
PAIRS = {
    "an accent": ("user:Jos\u00e9", "user:Jose\u0301"),
    "the kelvin sign": ("\u212a", "K"),
    "the Greek question mark": ("a\u037eb", "a;b"),
    "Hangul": ("\uac01", "\u1100\u1161\u11a8"),
    "the order of marks": ("a\u0301\u0323", "a\u0323\u0301"),
}


@pytest.mark.parametrize("what", PAIRS)
class TestDifferentNames:
    async def test_rooms(self, server: Server, what: str) -> None:
        left, right = PAIRS[what]
        first, second = await connected(server), await connected(server)
        assert sorted(await first.call("join", left)) == sorted([first.id, left])
        assert await second.call("join", right)
        await first.call("io-to", [right], "to the second")
        await second.call("io-to", [left], "to the first")
        assert (await first.next("news"))[0] == "to the first"
        assert (await second.next("news"))[0] == "to the second"
        assert first.heard("news") == second.heard("news") == 0
        await asyncio.gather(first.close(), second.close())

    async def test_socket_data(self, server: Server, what: str) -> None:
        left, right = PAIRS[what]
        client = await connected(server)
        await client.call("store", left, 1)
        assert await client.call("stored", right) is None
        await client.call("store", right, 2)
        assert [await client.call("stored", left), await client.call("stored", right)] == [1, 2]
        await client.close()

    async def test_keys(self, server: Server, what: str) -> None:
        """Any value keeps both; a Swift dictionary would lose one, so that the event is refused."""
        left, right = PAIRS[what]
        client = await connected(server)
        assert await client.call("members", {left: 1, right: 2}) == 2
        assert await client.call("tally", {left: 1}) == 1
        with pytest.raises(TimeoutError):
            await client.call("tally", {left: 1, right: 2}, limit=0.5)
        assert await client.call("sum", 1, 2) == 3
        await client.close()


async def test_events_with_different_names(server: Server) -> None:
    client = await connected(server)
    assert await client.call("caf\u00e9") == "composed"
    with pytest.raises(TimeoutError):
        await client.call("cafe\u0301", limit=0.5)
    await client.close()


async def test_namespaces_with_different_names(server: Server) -> None:
    async with attacker(server) as raw:
        await raw.send(packet(server, 0, namespace="/cafe\u0301"))
        await until(raw, 4)
        await raw.send(packet(server, 0, namespace="/caf\u00e9"))
        await until(raw, 0)


@pytest.mark.parametrize(("size", "is_served"), [(256, True), (257, False)])
async def test_the_longest_name_of_an_event(server: Server, size: int, is_served: bool) -> None:
    async with attacker(server) as raw:
        await raw.send(packet(server, 2, data=["e" * size]))
        await raw.send(packet(server, 2, data=["sum", 1, 2], id=1))
        if is_served:
            await until(raw, 3)
        else:
            await raw.until_closed()


@pytest.mark.parametrize(("size", "is_joined"), [(1_024, True), (1_025, False)])
async def test_the_longest_name_of_a_room(server: Server, size: int, is_joined: bool) -> None:
    client = await connected(server)
    assert ("r" * size in await client.call("join", "r" * size)) is is_joined
    await client.close()


async def test_a_session_of_another_form_is_a_new_one(server: Server) -> None:
    """A pid that none of ours can be is not even looked for."""
    for pid in ("x" * 321, "\u0301" * 160 + "x", "", "a b"):
        async with RawSocket(server.url) as raw:
            await raw.send(packet(server, 0, data={"pid": pid, "offset": "0" * 24}))
            await until(raw, 0)
