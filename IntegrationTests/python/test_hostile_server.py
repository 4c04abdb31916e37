# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""What one client may ask of namespaces, rooms, sessions and handlers. Beside each attack an innocent client is served."""

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator, Awaitable

import pytest
import pytest_asyncio

from conftest import ended_well, still_served
from harness.client import Client
from harness.process import Server
from harness.raw import RawSocket


@pytest_asyncio.fixture(scope="module")
async def server() -> AsyncIterator[Server]:
    server = await Server("SocketIOConformanceServer", "--port", "0", "--recovery", "--loops", "1").start()
    yield server
    await ended_well(server)


@pytest_asyncio.fixture(autouse=True)
async def innocent(server: Server) -> AsyncIterator[Client]:
    """Connected before the attack, and still served after it; so is a newcomer."""
    client = await Client().connect(server.url, transports=["websocket"])
    yield client
    await still_served(server, client)
    newcomer = await Client().connect(server.url, transports=["polling", "websocket"], namespaces=("/", "/dynamic-4711"))
    assert await newcomer.call("message-with-ack", "still", namespace="/dynamic-4711") == "still"
    await asyncio.gather(client.close(), newcomer.close())


async def latencies(client: Client, attack: Awaitable[None]) -> list[float]:
    """How long the innocent client waits for answers, in seconds, while an attack goes on."""
    task = asyncio.ensure_future(attack)
    times: list[float] = []
    while not task.done() or not times:
        start = time.monotonic()
        assert await client.call("sum", 1, 2, limit=60) == 3
        times.append(time.monotonic() - start)
        await asyncio.sleep(0.005)
    await task
    return times


async def barrier(raw: RawSocket) -> None:
    """Returns when what was sent before has been handled."""
    await raw.send('42999["message-with-ack","done"]')
    while await raw.receive(60) != '43999["done"]':
        pass


def megabytes(server: Server) -> float:
    return server.resident_kilobytes() / 1024


async def test_joining_rooms_costs_the_same_however_many(server: Server, innocent: Client) -> None:
    async def send(raw: RawSocket, packet: str) -> None:
        for number in range(20_000):
            await raw.send(packet % number)
            if number % 100 == 0:
                await barrier(raw)
        await barrier(raw)

    async with RawSocket(server.url) as raw:
        await raw.connect()
        harmless = await latencies(innocent, send(raw, '42["local-nothing","room-%d"]'))
        before = megabytes(server)
        joining = await latencies(innocent, send(raw, '42["join-quietly",["room-%d"]]'))
        assert statistics.median(joining) < 5 * statistics.median(harmless) + 0.05
        assert max(joining) < 5 * max(harmless) + 0.5
        await raw.send('42998["room-count"]')
        # Those of the limit, and its own.
        assert await raw.receive(60) == "43998[4097]"
        assert megabytes(server) - before < 60


async def test_one_event_that_moves_many_sockets_is_applied_in_slices(server: Server, innocent: Client) -> None:
    crowd = [RawSocket(server.url) for _ in range(40)]
    try:
        for raw in crowd:
            await raw.__aenter__()
            await raw.connect()
            await raw.send('42["join-quietly",["crowd"]]')
            await barrier(raw)
        rooms = json.dumps([f"r{number}" for number in range(4_000)])

        async def fill() -> None:
            # 160 000 memberships; the answer comes when the last ones are there.
            await crowd[0].send(f'42997["fill","crowd",{rooms}]')
            while not str(await crowd[0].receive(120)).startswith("43997[4002"):
                pass

        times = await latencies(innocent, fill())
        assert len(times) > 5, "the loop was held up"
        assert statistics.median(times) < 0.25
        assert max(times) < 2
    finally:
        for raw in crowd:
            await raw.__aexit__(None, None, None)


async def test_auth_that_is_too_large_is_refused_and_not_kept(server: Server) -> None:
    before = megabytes(server)
    large = json.dumps({"token": "x" * 900_000})
    async with RawSocket(server.url) as raw:
        for number in range(60):
            await raw.send(f"40/dynamic-{number},{large}")
            answer = str(await raw.receive(30))
            assert answer.startswith(f"44/dynamic-{number},") and "16384 are allowed" in answer
        small = json.dumps({"token": "x" * 15_000})
        refused = 0
        for number in range(60):
            await raw.send(f"40/dynamic-{number},{small}")
            while (answer := str(await raw.receive(30)))[:2] not in ("40", "44"):
                pass
            refused += answer.startswith("44")
        assert 40 <= refused < 60
        assert megabytes(server) - before < 60


MADE_UP = {"long": "x" * 10_000, "shorter": "A" * 14, "longer": "A" * 16, "marked": "A" * 14 + "\u0301", "marks": "\u0301\u0323" * 1_000, "empty": ""}


@pytest.mark.parametrize("pid", MADE_UP.values(), ids=MADE_UP.keys())
async def test_a_made_up_session_gives_a_new_one(server: Server, pid: str) -> None:
    async with RawSocket(server.url) as raw:
        start = time.monotonic()
        await raw.connect(auth={"pid": pid, "offset": "0" * 24})
        assert time.monotonic() - start < 5


async def test_the_namespaces_of_one_client_leave_room_for_others(server: Server, innocent: Client) -> None:
    async def ask() -> None:
        async with RawSocket(server.url) as raw:
            for number in range(3_000):
                await raw.send(f"40/dynamic-9{number},")
                await raw.send(f"41/dynamic-9{number},")
                if number % 50 == 0:
                    await raw.send("40/unknown,")
                    while not str(await raw.receive(60)).startswith("44/unknown,"):
                        pass

    before = megabytes(server)
    times = await latencies(innocent, ask())
    assert statistics.median(times) < 1
    assert megabytes(server) - before < 80
    async with RawSocket(server.url) as raw:
        for number in range(120):
            await raw.send(f"40/dynamic-8{number},")
        answers: list[str] = []
        while len(answers) < 120:
            answer = str(await raw.receive(60))
            if answer[:2] in ("40", "44"):
                answers.append(answer)
        # The limit applies to one client only.
        assert sum(answer.startswith("40") for answer in answers) == 100
        other = await Client().connect(server.url, transports=["websocket"], namespaces=("/", "/dynamic-777"))
        assert await other.call("message-with-ack", 1, namespace="/dynamic-777") == 1
        await other.close()


async def test_errors_do_not_fill_the_log(server: Server, innocent: Client) -> None:
    async def fail() -> None:
        async with RawSocket(server.url) as raw:
            await raw.connect()
            for number in range(10_000):
                await raw.send('42["fail"]' if number % 2 else '42["call-me\\n2026-01-01 error: forged"]')
                if number % 100 == 0:
                    await barrier(raw)
            await barrier(raw)

    before = len(server.log)
    await latencies(innocent, fail())
    assert len(server.log) - before < 40
    assert not any(line.startswith("2026-01-01 error: forged") for line in server.log)


@pytest.mark.parametrize(
    "packet",
    [
        '42["sum",9223372036854775807,1]',
        '42["sum",1e308,1e308]',
        '42["sequence",-1]',
        '42["sequence",-9223372036854775808]',
        '42["flood",-1,-1]',
        '42["flood",1,-9223372036854775808]',
        '42["gather","nowhere",9223372036854775807]',
        '42["gather","nowhere",-9223372036854775808]',
    ],
)
async def test_no_argument_ends_the_process(server: Server, packet: str) -> None:
    async with RawSocket(server.url) as raw:
        await raw.connect()
        await raw.send(packet)
        await asyncio.sleep(0)
        assert server.alive
