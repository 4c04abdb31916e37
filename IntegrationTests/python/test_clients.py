# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""python-socketio, an independent client, against the server: every transport, both parsers."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
import socketio

from harness.client import Client
from harness.process import Server

TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": ["polling", "websocket"]}
Connect = Callable[..., Awaitable[Client]]
room_numbers = itertools.count()


@pytest.fixture(params=TRANSPORTS)
def transports(request: pytest.FixtureRequest) -> list[str]:
    return TRANSPORTS[request.param]


@pytest_asyncio.fixture
async def connect(parsed: tuple[Server, str], transports: list[str]) -> AsyncIterator[Connect]:
    """Connects clients over the transport at hand; all are closed at the end."""
    server, parser = parsed
    clients: list[Client] = []

    async def connect(*, reconnection: bool = False, **options: Any) -> Client:
        client = Client(parser=parser, reconnection=reconnection)
        clients.append(client)
        return await client.connect(server.url, **({"transports": transports} | options))

    yield connect
    await asyncio.gather(*(client.close() for client in clients))


@pytest.fixture
def room() -> str:
    """A room that no other test uses."""
    return f"room-{next(room_numbers)}"


class TestEvents:
    async def test_the_handshake_carries_auth(self, connect: Connect) -> None:
        client = await connect(auth={"token": "abc", "list": [1, 2]})
        assert await client.next("auth") == {"token": "abc", "list": [1, 2]}

    async def test_the_transport_is_what_was_asked_for(self, connect: Connect, transports: list[str]) -> None:
        client = await connect()
        assert client.transport == transports[-1]
        assert (await client.call("who"))["recovered"] is False

    @pytest.mark.parametrize(
        "value",
        [
            "text",
            "",
            "Ünïcödé 👩‍👩‍👧‍👦 \u2028 \\ \" \x01",
            0,
            -1,
            2**53 - 1,
            1.5,
            True,
            None,
            [],
            {},
            {"nested": [{"deep": [1, [2, [3]]]}, "x"], "empty": "", "nothing": None},
            {"_placeholder": "no", "num": 0},
            b"bytes",
            b"",
            bytes(range(256)),
            {"file": b"\x00\xff", "more": [b"1", {"again": b"22"}], "name": "x"},
            [b"a", b"b", b"c"],
        ],
        ids=lambda value: repr(value)[:24],
    )
    async def test_values_come_back_unchanged(self, connect: Connect, value: Any) -> None:
        client = await connect()
        await client.emit("message", value)
        assert await client.next("message-back") == value
        assert await client.call("message-with-ack", "first", value) == ["first", value]

    async def test_several_arguments_and_none(self, connect: Connect) -> None:
        client = await connect()
        await client.emit("message", 1, "2", b"3", [4], {"five": 5})
        assert await client.next("message-back") == [1, "2", b"3", [4], {"five": 5}]
        await client.emit("message")
        assert await client.next("message-back") == []

    async def test_typed_handler_acknowledges_with_its_result(self, connect: Connect) -> None:
        client = await connect()
        assert await client.call("sum", 40, 2) == 42

    async def test_arguments_of_the_wrong_type_get_no_acknowledgement_and_harm_nobody(self, connect: Connect) -> None:
        client = await connect()
        with pytest.raises(socketio.exceptions.TimeoutError):
            await client.call("sum", "forty", 2, limit=0.5)
        with pytest.raises(socketio.exceptions.TimeoutError):
            await client.call("sum", 1, limit=0.5)
        assert await client.call("sum", 1, 1) == 2

    async def test_a_handler_that_throws_harms_nobody(self, connect: Connect) -> None:
        client = await connect()
        await client.emit("fail")
        assert await client.call("refuse", "not now") == {"error": "not now"}
        assert await client.call("sum", 2, 3) == 5

    async def test_the_server_asks_and_the_client_acknowledges(self, connect: Connect) -> None:
        client = await connect()
        client.io.on("call", lambda value: {"got": value, "raw": b"\x01\x02"})
        assert await client.call("call-me", {"a": [b"x"]}) == {"got": {"a": [b"x"]}, "raw": b"\x01\x02"}

    async def test_an_answer_that_never_comes_times_out(self, connect: Connect) -> None:
        client = await connect()
        held = asyncio.Event()

        async def never(_: Any) -> None:
            await held.wait()

        client.io.on("call", never)
        assert await client.call("call-me", 1) == "timeout"
        held.set()

    async def test_many_acknowledgements_at_once_find_their_callers(self, connect: Connect) -> None:
        client = await connect()
        answers = await asyncio.gather(*(client.call("message-with-ack", number, b"%d" % number) for number in range(200)))
        assert answers == [[number, b"%d" % number] for number in range(200)]

    async def test_order_is_kept_from_the_first_moment_on(self, connect: Connect) -> None:
        """The upgrade, where there is one, happens in the middle of this."""
        client = await connect()
        await client.emit("sequence", 500)
        for number in range(250):
            await client.emit("message", number)
        ticks = [await client.next("tick") for _ in range(500)]
        assert [tick[0] if isinstance(tick, list) else tick for tick in ticks] == list(range(500))
        assert [await client.next("message-back") for _ in range(250)] == list(range(250))

    async def test_a_message_near_the_limit_passes(self, connect: Connect) -> None:
        client = await connect()
        text = "x" * 700_000  # grows by a third where binary travels as base64
        assert await client.call("message-with-ack", text, limit=30) == text


class TestNamespaces:
    async def test_several_over_one_connection(self, connect: Connect) -> None:
        client = await connect(namespaces=("/", "/custom", "/dynamic-1", "/dynamic-22"), auth={"who": "me"})
        for number, namespace in enumerate(("/", "/custom", "/dynamic-1", "/dynamic-22")):
            assert await client.next("auth", namespace) == {"who": "me"}
            assert await client.call("message-with-ack", number, b"x", namespace=namespace) == [number, b"x"]
            await client.emit("message", number, namespace=namespace)
        for number, namespace in enumerate(("/", "/custom", "/dynamic-1", "/dynamic-22")):
            assert await client.next("message-back", namespace) == number

    @pytest.mark.parametrize("namespace", ["/nowhere", "/dynamic-", "/dynamic-x", "/custom/"])
    async def test_an_unknown_one_is_refused(self, parsed: tuple[Server, str], transports: list[str], namespace: str) -> None:
        server, parser = parsed
        client = Client(parser=parser)
        with pytest.raises(socketio.exceptions.ConnectionError):
            await client.connect(server.url, namespaces=(namespace,), transports=transports)
        assert (await client.next("connect_error", namespace))["message"] == "Invalid namespace"
        await client.close()

    async def test_a_middleware_refuses_with_data(self, parsed: tuple[Server, str], transports: list[str]) -> None:
        server, parser = parsed
        for auth in (None, {"token": "wrong"}):
            client = Client(parser=parser)
            with pytest.raises(socketio.exceptions.ConnectionError):
                await client.connect(server.url, namespaces=("/guarded",), transports=transports, auth=auth)
            assert await client.next("connect_error", "/guarded") == {"message": "not authorized", "data": {"code": "E_TOKEN"}}
            await client.close()

    async def test_a_middleware_lets_in(self, connect: Connect) -> None:
        client = await connect(namespaces=("/guarded",), auth={"token": "secret"})
        assert await client.call("message-with-ack", 1, namespace="/guarded") == 1

    async def test_leaving_one_keeps_the_others(self, connect: Connect) -> None:
        client = await connect(namespaces=("/", "/custom"))
        await client.io.emit("message-with-ack", 1, namespace="/custom")
        await client.io._send_packet(client.io.packet_class(socketio.packet.DISCONNECT, namespace="/custom"))
        assert await client.call("sum", 1, 2) == 3


class TestRooms:
    async def test_broadcasts_reach_whom_they_should(self, connect: Connect, room: str) -> None:
        ada, grace, alan, eve = [await connect() for _ in range(4)]
        for client in (ada, grace, alan):
            assert room in await client.call("join", room)
        await alan.call("join", f"{room}-muted")

        await ada.emit("to-room", room, f"{room}-muted", {"n": 1, "b": b"\x01"})
        assert await grace.next("news") == {"n": 1, "b": b"\x01"}
        # In both rooms, met once.
        await ada.call("io-to", [room, f"{room}-muted"], "both")
        for client in (ada, grace, alan):
            assert await client.next("news") == "both"
        await grace.call("leave", room)
        await ada.call("io-to", [room], "last")
        assert await ada.next("news") == await alan.next("news") == "last"
        await asyncio.gather(*(client.call("who") for client in (grace, eve)))
        assert [client.heard("news") for client in (ada, grace, alan, eve)] == [0, 0, 0, 0]

    async def test_broadcast_reaches_all_others(self, connect: Connect) -> None:
        one, two, three = [await connect() for _ in range(3)]
        await one.emit("broadcast", "hello", b"!")
        assert await two.next("news") == await three.next("news") == ["hello", b"!"]
        await one.emit("local-volatile", "now")
        assert await one.next("news") == await two.next("news") == "now"
        assert one.heard("news") == 0

    async def test_sockets_of_a_room(self, connect: Connect, room: str) -> None:
        clients = [await connect() for _ in range(3)]
        for client in clients[:2]:
            await client.call("join", room)
        assert await clients[2].call("sockets", room) == sorted(client.id for client in clients[:2])
        await clients[0].close()

        async def one_left() -> None:
            while await clients[2].call("sockets", room) != [clients[1].id]:
                await asyncio.sleep(0.02)

        await asyncio.wait_for(one_left(), 5)

    async def test_a_room_answers_in_chorus(self, connect: Connect, room: str) -> None:
        clients = [await connect() for _ in range(4)]
        held = asyncio.Event()
        for number, client in enumerate(clients[:3]):
            await client.call("join", room)
            client.io.on("question", lambda number=number: number)
        answer = await clients[3].call("ask-room", room)
        assert sorted(answer["answers"]) == [0, 1, 2] and answer["missing"] == 0

        async def mute() -> None:
            await held.wait()

        clients[1].io.on("question", mute)
        answer = await clients[3].call("ask-room", room)
        assert sorted(answer["answers"]) == [0, 2] and answer["missing"] == 1
        held.set()
        assert await clients[3].call("ask-room", f"{room}-empty") == {"answers": [], "missing": 0}


class TestDisconnects:
    @pytest_asyncio.fixture
    async def watcher(self, connect: Connect) -> Client:
        client = await connect(transports=["websocket"])
        await client.call("join", "watchers")
        return client

    async def reason(self, watcher: Client, client_id: str) -> str:
        # A polling client that is in the middle of a POST leaves without a word: only its missing pong tells.
        while True:
            gone, reason = await watcher.next("gone", limit=35)
            if gone == client_id:
                return reason

    async def test_by_the_client(self, connect: Connect, watcher: Client) -> None:
        client = await connect()
        identity = client.id
        # python-engineio drops its goodbye while an earlier POST of it is unanswered.
        await client.io.eio.queue.join()
        await client.io.disconnect()
        assert await self.reason(watcher, identity) in ("client namespace disconnect", "transport close", "ping timeout")

    async def test_by_the_server(self, connect: Connect, watcher: Client) -> None:
        for close in (False, True):
            client = await connect()
            identity = client.id
            await client.emit("leave-me", close)
            await client.next("disconnect")
            expected = "forced server close" if close else "server namespace disconnect"
            assert await self.reason(watcher, identity) in (expected, "server namespace disconnect")

    async def test_by_the_network(self, connect: Connect, watcher: Client, transports: list[str]) -> None:
        if transports == ["polling"]:
            pytest.skip("a polling client that vanishes is noticed by its missing pong: test_heartbeat.py")
        client = await connect()
        identity = client.id
        await client.cut()
        assert await self.reason(watcher, identity) in ("transport close", "transport error")

    async def test_a_client_that_lost_its_network_comes_back(self, connect: Connect, transports: list[str]) -> None:
        if transports == ["polling"]:
            pytest.skip("there is no connection to break between two polls")
        client = await connect(reconnection=True)
        await client.next("connect")
        before = client.id
        await client.cut()
        await client.next("connect")
        assert client.id != before
        assert await client.call("sum", 5, 6) == 11


async def test_two_hundred_clients_at_once(connect: Connect, room: str) -> None:
    clients = await asyncio.gather(*(connect() for _ in range(200)))
    await asyncio.gather(*(client.call("join", room, limit=30) for client in clients))
    assert len(await clients[0].call("sockets", room)) == 200
    for number in range(20):
        await clients[number].emit("to-room", room, None, number)
    for number, client in enumerate(clients):
        expected = [other for other in range(20) if other != number]
        assert sorted([await client.next("news", limit=30) for _ in expected]) == expected
    await asyncio.gather(*(client.call("who", limit=30) for client in clients))
    assert all(client.heard("news") == 0 for client in clients)
