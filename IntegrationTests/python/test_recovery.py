# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""Connection state recovery, spoken by hand: python-socketio does not know it."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest_asyncio

from conftest import ended_well
from harness.client import Client
from harness.process import Server
from harness.raw import RawSocket


@pytest_asyncio.fixture(scope="module")
async def server() -> AsyncIterator[Server]:
    server = await Server("SocketIOConformanceServer", "--port", "0", "--recovery").start()
    yield server
    await ended_well(server)


async def connected(server: Server, room: str) -> tuple[RawSocket, dict, str]:
    """A socket in a room that has heard one message: the CONNECT data and the offset of that message."""
    raw = await RawSocket(server.url).__aenter__()
    data = await raw.connect()
    await raw.send(f'421["join","{room}"]')
    await raw.send(f'422["io-to",["{room}"],"first"]')
    arguments = await raw.event("news")
    assert arguments[0] == "first" and isinstance(arguments[-1], str), arguments
    return raw, data, arguments[-1]


async def others(server: Server) -> Client:
    return await Client().connect(server.url, transports=["websocket"])


async def gone(witness: Client, identity: str, room: str) -> None:
    """Until the server has noticed that the socket is away."""
    async with asyncio.timeout(20):
        while identity in await witness.call("sockets", room):
            await asyncio.sleep(0.02)


async def test_everything_missed_comes_in_order_once(server: Server) -> None:
    raw, data, offset = await connected(server, "csr-1")
    assert data["pid"] and data["pid"] != data["sid"]
    witness = await others(server)
    raw.abort()
    await gone(witness, data["sid"], "csr-1")
    for number in range(20):
        await witness.call("io-to", ["csr-1"], number)
    await witness.call("io-to", ["csr-other"], "not for us")

    async with RawSocket(server.url) as again:
        await again.send("40" + json.dumps({"pid": data["pid"], "offset": offset}))
        missed, answer = [], None
        while answer is None or len(missed) < 20:
            packet = await again.receive()
            if packet.startswith("40"):
                answer = json.loads(packet[2:])
            elif packet.startswith('42["news"'):
                missed.append(json.loads(packet[2:])[1])
        assert answer == {"sid": data["sid"], "pid": data["pid"]}
        assert missed == list(range(20))
        # The rooms are back, and nothing comes twice.
        await witness.call("io-to", ["csr-1"], "after")
        assert (await again.event("news"))[0] == "after"
        await again.send('427["who"]')
        while not (packet := await again.receive()).startswith("437"):
            pass
        who = json.loads(packet[3:])[0]
        assert who["recovered"] is True and who["id"] == data["sid"] and "csr-1" in who["rooms"]
    await witness.close()
    await raw.__aexit__()


async def test_a_second_recovery_goes_on_where_the_first_ended(server: Server) -> None:
    raw, data, offset = await connected(server, "csr-2")
    witness = await others(server)
    for attempt in range(3):
        raw.abort()
        await raw.__aexit__()
        await gone(witness, data["sid"], "csr-2")
        await witness.call("io-to", ["csr-2"], attempt)
        raw = await RawSocket(server.url).__aenter__()
        await raw.send("40" + json.dumps({"pid": data["pid"], "offset": offset}))
        message, offset = await raw.event("news")
        assert message == attempt
    await raw.__aexit__()
    await witness.close()


async def test_what_cannot_be_recovered_becomes_a_fresh_session(server: Server) -> None:
    raw, data, offset = await connected(server, "csr-3")
    raw.abort()
    witness = await others(server)
    await gone(witness, data["sid"], "csr-3")
    for auth in (
        {"pid": "unknown", "offset": offset},
        {"pid": data["pid"], "offset": "unknown"},
        {"pid": 5, "offset": offset},
        {"pid": data["pid"], "offset": {"$gt": ""}},
        {"pid": "x" * 7_000, "offset": "y" * 7_000},
    ):
        async with RawSocket(server.url) as again:
            answer = await again.connect(auth=auth)
            assert answer["sid"] != data["sid"], auth
            await again.send('421["who"]')
            while not (packet := await again.receive()).startswith("431"):
                pass
            assert json.loads(packet[3:])[0]["recovered"] is False
    await witness.close()
    await raw.__aexit__()


async def test_only_one_client_has_a_session(server: Server) -> None:
    raw, data, offset = await connected(server, "csr-4")
    witness = await others(server)
    raw.abort()
    await gone(witness, data["sid"], "csr-4")
    auth = {"pid": data["pid"], "offset": offset}
    async with RawSocket(server.url) as one, RawSocket(server.url) as two:
        await asyncio.gather(one.connect(auth=auth), two.connect(auth=auth))
        assert await witness.call("sockets", "csr-4") == [data["sid"]]
        await witness.call("io-to", ["csr-4"], "once")
        await witness.call("sum", 1, 2)
        heard = await asyncio.gather(*(asyncio.wait_for(raw.event("news", 1), 1) for raw in (one, two)), return_exceptions=True)
        assert [isinstance(answer, list) and answer[0] == "once" for answer in heard].count(True) == 1
    await witness.close()
    await raw.__aexit__()


async def test_a_client_that_has_heard_nothing_yet_recovers_too(server: Server) -> None:
    raw = await RawSocket(server.url).__aenter__()
    data = await raw.connect()
    await raw.send('421["join","csr-6"]')
    witness = await others(server)
    async with asyncio.timeout(20):
        while data["sid"] not in await witness.call("sockets", "csr-6"):
            pass
    raw.abort()
    await gone(witness, data["sid"], "csr-6")
    await witness.call("io-to", ["csr-6"], "missed")
    async with RawSocket(server.url) as again:
        assert await again.connect(auth={"pid": data["pid"]}) == {"sid": data["sid"], "pid": data["pid"]}
        assert (await again.event("news"))[0] == "missed"
    await witness.close()
    await raw.__aexit__()


async def test_a_client_that_said_goodbye_is_not_restored(server: Server) -> None:
    raw, data, offset = await connected(server, "csr-5")
    await raw.send("41")
    witness = await others(server)
    await gone(witness, data["sid"], "csr-5")
    async with RawSocket(server.url) as again:
        assert (await again.connect(auth={"pid": data["pid"], "offset": offset}))["sid"] != data["sid"]
    await witness.close()
    await raw.__aexit__()
