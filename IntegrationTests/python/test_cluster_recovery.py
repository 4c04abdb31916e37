# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""A client that loses its server and comes back to another one."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from harness.client import Client
from harness.cluster import DRIVERS, Cluster
from harness.process import Server
from harness.raw import Gone, RawSocket
from harness.replica_set import ReplicaSet


@pytest_asyncio.fixture(scope="module", params=list(DRIVERS))
async def cluster(request: pytest.FixtureRequest, replica_set: ReplicaSet) -> AsyncIterator[Cluster]:
    cluster = await Cluster(replica_set, request.param, "--recovery").with_nodes(2)
    yield cluster
    assert all(code in (0, -9) for code in await cluster.stop())


async def connected(server: Server, room: str) -> tuple[RawSocket, dict, str]:
    """A socket in a room that has heard one message: the CONNECT data and the offset of that message."""
    raw = await RawSocket(server.url).__aenter__()
    data = await raw.connect()
    await raw.send(f'421["join","{room}"]')
    await raw.send(f'422["io-to",["{room}"],"first"]')
    arguments = await raw.event("news")
    return raw, data, arguments[-1]


async def come_back(raw: RawSocket, data: dict, offset: str, until: object) -> tuple[dict, list]:
    """The CONNECT data, and what came up to a last message."""
    await raw.send("40" + json.dumps({"pid": data["pid"], "offset": offset}))
    answer, news = None, []
    async with asyncio.timeout(20):
        while answer is None or not news or news[-1] != until:
            packet = await raw.receive()
            if packet.startswith("40"):
                answer = json.loads(packet[2:])
            elif packet.startswith('42["news"'):
                news.append(json.loads(packet[2:])[1])
    return answer, news


@pytest.mark.parametrize("noticed", [True, False], ids=["server has noticed", "server still believes in it"])
async def test_everything_missed_comes_from_the_other_server_once_and_in_order(cluster: Cluster, noticed: bool) -> None:
    room = f"moves-{noticed}"
    raw, data, offset = await connected(cluster.nodes[0], room)
    witnesses = [await cluster.client(node) for node in (0, 1)]
    if noticed:
        raw.abort()
        async with asyncio.timeout(20):
            while (await witnesses[0].call("fetch", room))["sockets"]:
                await asyncio.sleep(0.02)
    expected = []
    for number in range(20):
        await witnesses[number % 2].call("io-to", [room], number)
        expected.append(number)
    await witnesses[1].call("io-to", [room + "-other"], "not for us")
    async with RawSocket(cluster.nodes[1].url) as again:
        answer, missed = await come_back(again, data, offset, 19)
        assert answer["sid"] == data["sid"]
        # Nothing is promised between the messages of two servers.
        assert [n for n in missed if n % 2 == 0] == expected[::2] and [n for n in missed if n % 2] == expected[1::2]
        for witness in witnesses:
            await witness.call("io-to", [room], "after")
            assert (await again.event("news"))[0] == "after"
        found = (await witnesses[0].call("fetch", room))["sockets"]
        assert [(each["id"], each["node"]) for each in found] == [(data["sid"], "node1")]
    await raw.__aexit__()


async def test_a_client_that_moves_under_load_misses_and_doubles_nothing(cluster: Cluster) -> None:
    raw, data, offset = await connected(cluster.nodes[0], "storm")
    senders = [await cluster.client(node) for node in (0, 1)]
    is_over = False
    sent = [0, 0]

    async def send(index: int) -> None:
        while not is_over:
            await senders[index].call("io-to", ["storm"], [index, sent[index]])
            sent[index] += 1

    tasks = [asyncio.create_task(send(index)) for index in range(2)]
    news: list[list[int]] = []
    offsets = [offset]

    async def listen(socket: RawSocket, seconds: float) -> None:
        with_limit = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < with_limit:
            try:
                packet = await asyncio.wait_for(socket.receive(), 0.2)
            except TimeoutError:
                continue
            if packet.startswith('42["news"'):
                arguments = json.loads(packet[2:])
                news.append(arguments[1])
                offsets.append(arguments[-1])

    await listen(raw, 0.5)
    socket = raw
    for turn in range(4):
        socket.abort()
        await socket.__aexit__()
        socket = await RawSocket(cluster.nodes[(turn + 1) % 2].url).__aenter__()
        await socket.send("40" + json.dumps({"pid": data["pid"], "offset": offsets[-1]}))
        await listen(socket, 0.7)
    is_over = True
    await asyncio.gather(*tasks)
    await listen(socket, 1)
    for index in range(2):
        assert [number for sender, number in news if sender == index] == list(range(sent[index]))
    await socket.__aexit__()


async def test_of_two_claims_one_ends_up_with_the_session(cluster: Cluster) -> None:
    """The second may take it from the first, as a client does that comes back before its server has noticed; never both have it."""
    raw, data, offset = await connected(cluster.nodes[0], "twice")
    witness = await cluster.client(1)
    raw.abort()
    sockets = [await RawSocket(node.url).__aenter__() for node in cluster.nodes]
    for socket in sockets:
        await socket.send("40" + json.dumps({"pid": data["pid"], "offset": offset}))

    async def identity(socket: RawSocket) -> str:
        while not (packet := await socket.receive()).startswith("40"):
            pass
        return json.loads(packet[2:])["sid"]

    async with asyncio.timeout(20):
        assert data["sid"] in [await identity(socket) for socket in sockets]
    assert [each["id"] for each in (await witness.call("fetch", "twice"))["sockets"]] == [data["sid"]]
    await witness.call("io-to", ["twice"], "for one")

    async def hears(socket: RawSocket) -> bool:
        with contextlib.suppress(Gone, TimeoutError):
            return (await socket.event("news", limit=20))[0] == "for one"
        return False

    hearing = [asyncio.create_task(hears(socket)) for socket in sockets]
    for first in asyncio.as_completed(hearing):
        if await first:
            break
    # Time for the other, which must not hear it.
    await asyncio.sleep(1)
    heard = [task.done() and task.result() for task in hearing]
    for task, socket in zip(hearing, sockets, strict=True):
        task.cancel()
        await socket.__aexit__()
    assert sum(heard) == 1
    await raw.__aexit__()


async def test_a_session_of_a_server_that_has_crashed_is_a_fresh_one(cluster: Cluster) -> None:
    doomed = await cluster.add()
    raw, data, offset = await connected(doomed, "crash")
    doomed.kill()
    async with RawSocket(cluster.nodes[1].url) as again, asyncio.timeout(20):
        await again.send("40" + json.dumps({"pid": data["pid"], "offset": offset}))
        while not (packet := await again.receive()).startswith("40"):
            pass
        assert json.loads(packet[2:])["sid"] != data["sid"]
    await raw.__aexit__()


async def test_a_server_that_ends_leaves_its_sessions_to_the_others(cluster: Cluster) -> None:
    leaving = await cluster.add()
    raw, data, offset = await connected(leaving, "deploy")
    witness: Client = await cluster.client(1)
    raw.abort()
    async with asyncio.timeout(20):
        while (await witness.call("fetch", "deploy"))["sockets"]:
            await asyncio.sleep(0.02)
    await witness.call("io-to", ["deploy"], "before the end")
    assert await leaving.stop() == 0
    await witness.call("io-to", ["deploy"], "after the end")
    async with RawSocket(cluster.nodes[1].url) as again:
        answer, missed = await come_back(again, data, offset, "after the end")
        assert answer["sid"] == data["sid"] and missed == ["before the end", "after the end"]
    await raw.__aexit__()


NATIVE = [driver for driver, options in DRIVERS.items() if options[2] == "native"]


@pytest_asyncio.fixture(scope="module", params=NATIVE)
async def keeping(request: pytest.FixtureRequest, replica_set: ReplicaSet) -> AsyncIterator[Cluster]:
    """Servers that keep copies of their sessions."""
    cluster = await Cluster(replica_set, request.param, "--recovery", "--snapshots").with_nodes(2)
    yield cluster
    assert all(code in (0, -9) for code in await cluster.stop())


@pytest.mark.parametrize("last", ["own broadcast", "broadcast of another server", "event for it alone"])
async def test_a_client_of_a_server_that_was_killed_goes_on_elsewhere_and_misses_no_broadcast(keeping: Cluster, last: str) -> None:
    room = f"killed-{last.replace(' ', '-')}"
    doomed = await keeping.add()
    raw, data, offset = await connected(doomed, room)
    witness = await keeping.client(1)
    if last == "broadcast of another server":
        await witness.call("io-to", [room], "second")
        offset = (await raw.event("news"))[-1]
    elif last == "event for it alone":
        await raw.send('42["message","for you"]')
        offset = (await raw.event("message-back"))[-1]
    assert len(offset) == 49
    # A room is stored a little later than it is joined.
    async with asyncio.timeout(20):
        while await keeping.database.command(f"count-sessions {keeping.namespace}.sessions {room}") != "1":
            await asyncio.sleep(0.05)
    await witness.call("io-to", [room], "before the end")
    doomed.kill()
    await witness.call("io-to", [room], "after the end")
    await witness.call("io-to", [room + "-other"], "not for us")
    async with RawSocket(keeping.nodes[1].url) as again:
        await witness.call("io-to", [room], "last")
        answer, missed = await come_back(again, data, offset, "last")
        assert answer["sid"] == data["sid"]
        assert set(missed) - {"first", "second"} == {"before the end", "after the end", "last"}
        await witness.call("io-to", [room], "live")
        assert (await again.event("news"))[0] == "live"
    await raw.__aexit__()
