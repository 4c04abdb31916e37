# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""Several server processes on a real replica set, with python-socketio clients."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from harness.cluster import DRIVERS, Cluster, MakeCluster
from harness.client import Client
from harness.replica_set import ReplicaSet


@pytest_asyncio.fixture(scope="module", params=list(DRIVERS))
async def cluster(request: pytest.FixtureRequest, replica_set: ReplicaSet) -> AsyncIterator[Cluster]:
    """Two servers for many tests."""
    cluster = await Cluster(replica_set, request.param).with_nodes(2)
    yield cluster
    assert await cluster.stop() == [0, 0]


async def in_room(cluster: Cluster, room: str, *nodes: int) -> list[Client]:
    clients = [await cluster.client(node) for node in nodes]
    for client in clients:
        await client.call("join", room)
    return clients


def answer_questions(client: Client, answer: object) -> None:
    client.io.on("question", lambda *_: answer)


# Every operation across nodes


async def test_broadcasts_reach_the_rooms_of_both_servers_in_order(cluster: Cluster) -> None:
    here, there = await in_room(cluster, "order", 0, 1)
    stranger = await cluster.client(1)
    await asyncio.gather(*(here.call("io-to", ["order"], number, limit=30) for number in range(200)))
    for client in (here, there):
        assert [await client.next("news") for _ in range(200)] == list(range(200))
    await here.call("io-to", ["order"], {"binary": b"\x00\xff", "text": "ü", "nothing": None})
    assert await there.next("news") == {"binary": b"\x00\xff", "text": "ü", "nothing": None}
    assert stranger.heard("news") == 0


async def test_a_socket_in_several_rooms_hears_once_and_excepted_rooms_nothing(cluster: Cluster) -> None:
    sender, both, excepted = await in_room(cluster, "several-1", 0, 1, 1)
    await both.call("join", "several-2")
    await excepted.call("join", "several-not")
    await sender.call("io-to", ["several-1", "several-2"], "once")
    await sender.call("to-room", "several-1", "several-not", "not for all")
    await sender.call("io-to", ["several-1"], "end")
    assert [await both.next("news") for _ in range(3)] == ["once", "not for all", "end"]
    assert [await excepted.next("news") for _ in range(2)] == ["once", "end"]
    assert [await sender.next("news") for _ in range(2)] == ["once", "end"]


async def test_acknowledgements_come_from_both_servers(cluster: Cluster) -> None:
    clients = await in_room(cluster, "answers", 0, 0, 1, 1)
    for number, client in enumerate(clients):
        answer_questions(client, number)
    gathered = await clients[0].call("gather", "answers", 10)
    assert sorted(gathered["answers"]) == [0, 1, 2, 3]
    assert gathered["missing"] == [] and not gathered["timedOut"]


async def test_sockets_of_both_servers_are_described(cluster: Cluster) -> None:
    here, there = await in_room(cluster, "described", 0, 1)
    await there.call("nick", "Grace")
    fetched = await here.call("fetch", "described")
    assert fetched["missing"] == []
    by_id = {each["id"]: each for each in fetched["sockets"]}
    assert set(by_id) == {here.id, there.id}
    assert by_id[there.id]["nick"] == "Grace" and by_id[there.id]["node"] == "node1"
    assert by_id[there.id]["rooms"] == sorted(["described", there.id])
    assert by_id[here.id]["node"] == "node0"
    assert "described" in await here.call("all-rooms")
    assert await here.call("server-count") == 2


async def test_one_socket_of_the_other_server_is_told(cluster: Cluster) -> None:
    here, there, other = await cluster.client(0), await cluster.client(1), await cluster.client(1)
    assert await here.call("tell-one", there.id, "only you")
    assert await there.next("news") == "only you"
    assert not await here.call("tell-one", "nobody", "?")
    assert other.heard("news") == 0


async def test_sockets_of_the_other_server_are_moved_and_thrown_out(cluster: Cluster) -> None:
    here, there = await in_room(cluster, "moved", 0, 1)
    await here.call("move", "moved", "moved-on")
    await here.call("io-to", ["moved-on"], "in the new room")
    assert await there.next("news") == "in the new room"
    await here.call("move-out", "moved", "moved-on")
    await here.call("io-to", ["moved-on"], "to nobody")
    await here.call("io-to", ["moved"], "to both")
    assert await there.next("news") == "to both"
    await there.call("leave", "moved")
    await there.call("join", "out")
    await here.call("throw-out", "out", True)
    assert await there.next("disconnect") is not None


async def test_servers_talk_to_each_other(cluster: Cluster) -> None:
    here, there = await cluster.client(0), await cluster.client(1)
    await here.call("tell-servers", {"n": 1})
    assert await there.next("heard") == {"n": 1}
    assert here.heard("heard") == 0
    assert await here.call("ask-servers", "asked", "well?") == {"replies": ["well?"], "missing": []}


# What goes wrong


async def under_load(cluster: Cluster, fault: Callable[[], Awaitable[object]]) -> None:
    """Messages go on through the fault, from two servers; every client of every server gets each once, in its sender's order."""
    receivers = await in_room(cluster, "load", *range(len(cluster.nodes)))
    senders = [await cluster.client(0), await cluster.client(1)]
    is_over = False
    sent = [0, 0]

    async def send(index: int) -> None:
        while not is_over:
            await senders[index].call("io-to", ["load"], {"sender": index, "number": sent[index]}, limit=40)
            sent[index] += 1

    tasks = [asyncio.create_task(send(index)) for index in range(2)]
    await asyncio.sleep(1)  # under load before,
    await fault()
    before = list(sent)
    async with asyncio.timeout(40):
        while any(now < then + 20 for now, then in zip(sent, before)):
            await asyncio.sleep(0.05)  # and after
    is_over = True
    await asyncio.gather(*tasks)
    for receiver in receivers:
        numbers: list[list[int]] = [[], []]
        while sum(map(len, numbers)) < sum(sent):
            news = await receiver.next("news", limit=30)
            numbers[news["sender"]].append(news["number"])
        assert numbers == [list(range(count)) for count in sent]
        assert receiver.heard("news") == 0


@pytest.mark.parametrize(
    ("driver", "fault"),
    [
        *itertools.product(["change stream, ttl", "tailable cursor", "as Node.js, ttl"], ["step-down", "kill-primary", "pause-primary"]),
        ("change stream, capped", "pause-primary"),
    ],
)
async def test_nothing_is_lost_or_doubled_when_the_primary_goes(make_cluster: MakeCluster, replica_set: ReplicaSet, driver: str, fault: str) -> None:
    cluster = await make_cluster(driver, 3)
    try:
        await under_load(cluster, lambda: replica_set.command(fault))
    finally:
        await replica_set.command("resume")
        await replica_set.command("restart")


@pytest.mark.parametrize("driver", ["change stream, ttl", "change stream, capped", "tailable cursor"])
async def test_nothing_is_lost_or_doubled_when_cursors_are_killed(make_cluster: MakeCluster, replica_set: ReplicaSet, driver: str) -> None:
    cluster = await make_cluster(driver)

    async def kill() -> None:
        for _ in range(3):
            answer = await replica_set.command(f"kill-cursors {cluster.namespace}")
            assert not answer.startswith("0 "), "nobody reads"
            await asyncio.sleep(0.3)  # some messages fall between

    await under_load(cluster, kill)


async def test_a_server_that_is_killed_is_named_and_not_waited_for(make_cluster: MakeCluster) -> None:
    cluster = await make_cluster("change stream, ttl", 3)
    here, there, doomed = await in_room(cluster, "killed", 0, 1, 2)
    other = await cluster.client(0)  # the events of one client wait for each other
    for client in (here, there):
        answer_questions(client, client.id)
    over, asked = asyncio.Event(), asyncio.Event()

    async def never_answer(*_: object) -> None:
        asked.set()
        await over.wait()

    doomed.io.on("question", never_answer)
    gathering = asyncio.create_task(here.call("gather", "killed", 60, limit=30))
    await asyncio.wait_for(asked.wait(), 20)
    began = time.monotonic()
    cluster.nodes[2].kill()
    fetched = await other.call("fetch", "killed", limit=30)
    gathered = await gathering
    # The heartbeat timeout of these servers is 3 s; the request's own would be 20 s, that of the question 60 s.
    assert time.monotonic() - began < 15
    assert {each["id"] for each in fetched["sockets"]} == {here.id, there.id}
    assert fetched["missing"] == ["node2"]
    assert sorted(gathered["answers"]) == sorted([here.id, there.id])
    assert gathered["missing"] == ["node2"] and not gathered["timedOut"]
    assert await here.call("server-count") == 2
    over.set()


async def test_a_server_that_ends_says_so(make_cluster: MakeCluster) -> None:
    cluster = await make_cluster("change stream, ttl", 2)
    here = await cluster.client(0)
    assert await here.call("server-count") == 2
    assert await cluster.nodes[1].stop() == 0

    def logged(text: str) -> bool:
        return any(text in line and "node1" in line for line in cluster.nodes[0].log)

    async with asyncio.timeout(20):
        while await here.call("server-count") != 1 or not logged("node left"):
            await asyncio.sleep(0.02)
    assert not logged("considered dead")
    assert (await here.call("ask-servers", "asked", 1)) == {"replies": [], "missing": []}


async def test_a_slow_server_is_named_when_the_time_is_up(make_cluster: MakeCluster) -> None:
    cluster = await make_cluster("change stream, ttl", 2)
    here = await cluster.client(0)
    answer = await here.call("ask-servers", "asked-slowly", None, limit=40)
    assert answer == {"replies": [], "missing": ["node1"]}


async def test_local_clients_are_served_without_a_database(make_cluster: MakeCluster) -> None:
    """Only the local part: a set without a majority cannot take a message, and the servers come back when it is there again."""
    database = await ReplicaSet().start()
    cluster = Cluster(database, "change stream, ttl")
    try:
        await cluster.with_nodes(1)
        here, friend = await in_room(cluster, "local", 0, 0)
        await database.command("pause-primary")
        calling = asyncio.create_task(here.call("io-to", ["local"], "still here", limit=45))
        assert await friend.next("news", limit=15) == "still here"
        await database.command("resume")
        with contextlib.suppress(TimeoutError):
            await calling
    finally:
        await cluster.stop()
        await database.stop()
