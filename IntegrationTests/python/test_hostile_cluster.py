# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""A program with write access to the database writes forged documents. No node stops receiving, stalls or grows; clients are served."""

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from bson import Binary, Timestamp

from harness import documents
from harness.client import Client
from harness.cluster import Cluster, MakeCluster
from harness.documents import Forger, goodbye, heartbeat, leave, news, someone
from harness.replica_set import ReplicaSet

DRIVERS = ["change stream, ttl", "tailable cursor"]
FUTURE = Timestamp(2**32 - 1, 1)


@pytest_asyncio.fixture(params=DRIVERS)
async def attacked(request: pytest.FixtureRequest, make_cluster: MakeCluster) -> AsyncIterator[tuple[Cluster, Forger]]:
    """Two nodes that know each other, and a program with access to their database. Afterwards, both still hear each other and new nodes."""
    cluster = await make_cluster(request.param)
    await both_hear(cluster)
    forger = Forger(cluster)
    yield cluster, forger
    forger.close()
    await both_hear(cluster)


async def both_hear(cluster: Cluster, count: int = 20) -> None:
    """Each node's clients hear what the other's send, all of it, in its order, soon."""
    clients = [await cluster.client(index) for index in range(len(cluster.nodes))]
    stamp = time.monotonic()
    for sender in clients:
        for number in range(count):
            await sender.call("io-to", [], [stamp, sender.id, number])
    for client in clients:
        for sender in clients:
            for number in range(count):
                await expect(client, [stamp, sender.id, number])
    await asyncio.gather(*(client.close() for client in clients))


async def expect(client: Client, wanted: object, limit: float = 10) -> None:
    """The client hears this, whatever else it hears before."""
    async with asyncio.timeout(limit):
        kept = client.__dict__.setdefault("kept", [])
        while wanted not in kept:
            kept.append(await client.next("news", limit=limit))
        kept.remove(wanted)


async def latency(client: Client, until: asyncio.Event) -> list[float]:
    """How long an innocent client waits for its answers meanwhile."""
    times = []
    while not until.is_set():
        began = time.monotonic()
        assert await client.call("sum", 20, 22, limit=30) == 42
        times.append(time.monotonic() - began)
        await asyncio.sleep(0.01)
    return times


@contextlib.asynccontextmanager
async def innocents(cluster: Cluster, growth: int, longest: float) -> AsyncIterator[None]:
    """Clients of both nodes are answered all the time, and the nodes do not grow beyond `growth` KiB."""
    clients = [await cluster.client(index) for index in range(len(cluster.nodes))]
    before = [node.resident_kilobytes() for node in cluster.nodes]
    over = asyncio.Event()
    measuring = [asyncio.create_task(latency(client, over)) for client in clients]
    try:
        yield
    finally:
        over.set()
    for times in await asyncio.gather(*measuring):
        assert max(times) < longest, f"median {statistics.median(times):.3f} s, at most {max(times):.3f} s"
    grown = [node.resident_kilobytes() - kilobytes for node, kilobytes in zip(cluster.nodes, before)]
    assert max(grown) < growth, grown


async def eventually(holds: Callable[[], Awaitable[bool]], limit: float = 10) -> None:
    async with asyncio.timeout(limit):
        while not await holds():
            await asyncio.sleep(0.05)


def lines(cluster: Cluster, text: str) -> int:
    return max(sum(text in line for line in node.log) for node in cluster.nodes)


# Numbers, epochs, leaves


@pytest.mark.parametrize("number", [2**63 - 1, 2**40, 1_000])
async def test_a_number_far_ahead_makes_nobody_deaf(attacked: tuple[Cluster, Forger], number: int) -> None:
    cluster, forger = attacked
    there = await cluster.client(1)
    forger.write(news("node0", forger.epoch("node0"), number, "forged"))
    await expect(there, "forged")
    await both_hear(cluster, 50)
    assert lines(cluster, "contradicts itself") > 0


async def test_forged_heartbeats_make_nobody_deaf(attacked: tuple[Cluster, Forger]) -> None:
    cluster, forger = attacked
    epoch = forger.epoch("node0")
    for number in (2**63 - 1, 0):
        forger.write(heartbeat("node0", epoch, beat=2**62, number=number))
        await both_hear(cluster, 50)


async def test_a_made_up_later_life_makes_nobody_deaf_for_long(attacked: tuple[Cluster, Forger]) -> None:
    cluster, forger = attacked
    here, there = await cluster.client(0), await cluster.client(1)
    epoch = forger.epoch("node0") + 1
    forger.write(heartbeat("node0", epoch), news("node0", epoch, 1, "ghost"))
    await expect(there, "ghost")

    async def is_heard() -> bool:
        forger.write(heartbeat("node0", epoch))
        await here.call("io-to", [], "after the ghost")
        await asyncio.sleep(0.2)
        return there.heard("news") > 0

    # Two heartbeats, a second apart.
    await eventually(is_heard, 8)


async def test_a_forged_leave_hides_nobody_for_longer_than_until_its_next_word(attacked: tuple[Cluster, Forger]) -> None:
    cluster, forger = attacked
    here, there = await cluster.client(0), await cluster.client(1)

    async def counts(count: int) -> bool:
        return await there.call("server-count") == count

    await eventually(lambda: counts(2))
    forger.write(leave("node0", forger.epoch("node0")))
    await eventually(lambda: asyncio.sleep(0, lines(cluster, "contradicts itself") > 0), 5)
    await here.call("io-to", [], "I am here")
    await expect(there, "I am here")
    assert await counts(2)


async def test_what_comes_under_a_nodes_own_id_changes_nothing(attacked: tuple[Cluster, Forger]) -> None:
    cluster, forger = attacked
    epoch = forger.epoch("node0")
    forger.write(*(news("node0", epoch, number, "mine") for number in (1, 2**50)), leave("node0", epoch), heartbeat("node0", epoch, beat=2**50))
    forger.write(news("node0", epoch, 2**51, "mine", ts=FUTURE))
    await both_hear(cluster)


# Time


async def test_a_document_of_the_future_makes_nobody_deaf(attacked: tuple[Cluster, Forger], replica_set: ReplicaSet) -> None:
    cluster, forger = attacked
    there = await cluster.client(1)
    forger.write(news("mallory", someone(), 1, "from the future", ts=FUTURE))
    await expect(there, "from the future")
    await replica_set.command(f"kill-cursors {cluster.namespace}")
    await both_hear(cluster)
    await replica_set.command(f"kill-cursors {cluster.namespace}")
    await both_hear(cluster)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_node_reads_nothing_from_before_its_start(make_cluster: MakeCluster, replica_set: ReplicaSet, driver: str) -> None:
    cluster = await make_cluster(driver, 1)
    forger = Forger(cluster)
    old = someone()
    claims = [{}, {"ts": FUTURE}, {"ts": Timestamp(int(time.time()) + 30, 1)}]
    forger.write(*(news("old", old, number + 1, "old", **claims[number % 3]) for number in range(20)))
    forger.write(*(goodbye("old", old, number, **claims[number % 3]) for number in range(21, 25)))
    await cluster.add()
    there = await cluster.client(1)
    for _ in range(3):
        await replica_set.command(f"kill-cursors {cluster.namespace}")
        await both_hear(cluster)
    assert there.io.connected and there.heard("disconnect") == 0
    heard = [await there.next("news") for _ in range(there.heard("news"))]
    assert "old" not in heard
    forger.close()


# Memory, time and logs


async def test_long_names_are_not_kept(attacked: tuple[Cluster, Forger]) -> None:
    """4 200 documents with names of 100 KB: they took 444 MB."""
    cluster, forger = attacked
    async with innocents(cluster, growth=120_000, longest=4):
        for start in range(0, 4_200, 60):
            names = [f"{start + index} " + "n" * 100_000 for index in range(60)]
            await asyncio.to_thread(
                forger.write,
                *(heartbeat(name, someone()) for name in names[:20]),
                *(news(name, someone(), 1, "long") for name in names[20:40]),
                *(news("short", someone(), 1, "long", namespace="/" + name) for name in names[40:]),
            )
        await asyncio.sleep(1)  # what they read last


async def test_a_line_for_each_document_is_not_written(attacked: tuple[Cluster, Forger]) -> None:
    cluster, forger = attacked
    before = [len(node.log) for node in cluster.nodes]
    epoch = someone()
    request = Binary(bytes(16))
    reason = "forged\n2026-01-01 error forged line"
    async with innocents(cluster, growth=60_000, longest=4):
        for start in range(1, 5_000, 500):
            numbers = range(start, start + 500)
            # Gaps, answers that failed, and documents that are not messages.
            await asyncio.to_thread(forger.write, *(news("gaps", epoch, 10 * number, "gap") for number in numbers))
            failed = (documents.document(documents.ERROR_ANSWER, "gaps", epoch, [reason], lane=0, number=1, request=request) for _ in numbers)
            await asyncio.to_thread(forger.write, *failed)
            await asyncio.to_thread(forger.write, *(news("bad", epoch, 1, 1, data="no binary", v=number) for number in numbers))
        await asyncio.sleep(1)
    for node, count in zip(cluster.nodes, before):
        new = node.log[count:]
        assert len(new) < 200, new[:40]
        assert not any(line.startswith("2026-01-01 error") for line in new)


# Signatures


@pytest.mark.parametrize("driver", DRIVERS)
async def test_who_has_no_key_cannot_speak_for_the_server(make_cluster: MakeCluster, driver: str) -> None:
    cluster = await make_cluster(driver, 2, "--signing-key", "5e" * 32)
    await both_hear(cluster)
    forger = Forger(cluster)
    epoch = forger.epoch("node0")
    there = await cluster.client(1)
    before = len(cluster.nodes[1].log)
    forger.write(news("node0", epoch, 2**60, "unsigned"), leave("node0", epoch), goodbye("mallory", someone(), 1))
    forger.write(*(news("mallory", someone(), 1, "wrong", sig=Binary(bytes(32))) for _ in range(2_000)))
    # What a node has signed, as another message.
    signed = forger.collection.find_one({"origin": "node0", "kind": 0}) or forger.collection.find_one({"origin": "node0", "kind": -2})
    assert signed is not None and len(signed["sig"]) == 32
    stolen = news("node0", epoch, 2**61, "stolen", sig=signed["sig"])
    forger.write(stolen)
    await both_hear(cluster, 50)
    assert there.io.connected
    heard = [await there.next("news") for _ in range(there.heard("news"))]
    assert not {"unsigned", "wrong", "stolen"} & {each for each in heard if isinstance(each, str)}
    new = cluster.nodes[1].log[before:]
    assert any("not signed with a known key" in line for line in new) and len(new) < 100
    forger.close()


# The end


@pytest.mark.parametrize("fault", ["pause-primary", "kill-primary"])
@pytest.mark.parametrize("wait", [0, 14])
async def test_a_node_ends_in_time_without_its_database(fault: str, wait: int) -> None:
    """35 s are documented with the 30 s that clients get; here are none, and half as much for the database."""
    database = await ReplicaSet().start()
    cluster = Cluster(database, "change stream, ttl", "--recovery")
    try:
        await cluster.with_nodes(1)
        member = await cluster.client(0)
        assert await member.call("sum", 1, 1) == 2
        await member.close()
        # All of them: nothing can be written, and nothing is elected.
        with contextlib.suppress(AssertionError, TimeoutError):
            for _ in range(3):
                await asyncio.wait_for(database.command(fault), 8)
        await asyncio.sleep(wait)
        began = time.monotonic()
        assert await cluster.nodes[0].stop() == 0
        took = time.monotonic() - began
        assert took < (12 if wait else 22), took
    finally:
        with contextlib.suppress(AssertionError, TimeoutError):
            await database.command("resume")
        await database.stop()
