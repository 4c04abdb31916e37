# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""A server in a cluster with a Rust node, whose part is played in MongoDB."""

import asyncio
import bisect
import itertools
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import msgpack
import pytest
import pytest_asyncio

from harness.client import Client
from harness.process import Server
from harness.replica_set import ReplicaSet
from harness.socketioxide import (
    ACK,
    ACK_COUNT,
    ADD,
    ALL_ROOMS,
    BROADCAST,
    BROADCAST_ACK,
    DEL,
    DISCONNECT,
    FETCH,
    HEARTBEAT,
    INIT_HEARTBEAT,
    ROOMS,
    SOCKETS,
    PeerSocket,
    RustPeer,
    options,
)

_numbers = itertools.count(1)


@dataclass
class Mix:
    """A server of this package and a Rust node."""

    database: ReplicaSet
    collection: str
    parser: str
    server: Server
    peer: RustPeer
    clients: list[Client] = field(default_factory=list)

    async def client(self) -> Client:
        client = await Client(parser=self.parser).connect(self.server.url, transports=["websocket"])
        self.clients.append(client)
        return client


@pytest_asyncio.fixture(params=["json", "msgpack"])
async def mix(request: pytest.FixtureRequest, replica_set: ReplicaSet) -> AsyncIterator[Mix]:
    collection = f"rust{next(_numbers)}"
    where = ["--mongodb", replica_set.url, "--collection", collection, "--wire-format", "socketioxide"]
    server = await Server("SocketIOConformanceServer", "--port", "0", "--parser", request.param, *where).start()
    peer = await RustPeer(replica_set.url, collection, request.param).start()
    mix = Mix(replica_set, collection, request.param, server, peer)
    await peer.until(lambda: any(payload[2] == HEARTBEAT and document.get("target") == peer.uid for document, payload in peer.requests))
    yield mix
    for client in mix.clients:
        await client.close()
    await peer.stop()
    assert await server.stop() == 0


async def test_each_counts_the_other_until_it_falls_silent(mix: Mix) -> None:
    client = await mix.client()
    assert await client.call("server-count") == 2
    document, payload = next((d, p) for d, p in mix.peer.requests if p[2] == HEARTBEAT)
    assert payload[0] == document["origin"]
    assert re.fullmatch("[A-Za-z0-9_-]{16}", document["origin"])
    assert re.fullmatch("[A-Za-z0-9_-]{16}", payload[1])
    await mix.peer.stop()
    async with asyncio.timeout(20):
        while await client.call("server-count") != 1:
            await asyncio.sleep(0.2)


async def test_socket_ids_have_the_length_that_rust_reads(mix: Mix) -> None:
    client = await mix.client()
    assert re.fullmatch("[A-Za-z0-9_-]{16}", client.id)


async def test_broadcasts_of_rust_reach_the_clients_that_they_select(mix: Mix) -> None:
    first, second = await mix.client(), await mix.client()
    await first.call("join", "r1")
    await second.call("join", "r1")
    await second.call("join", "r2")
    value = {"text": "größer", "bytes": b"\x00\x80\xff", "nothing": None}
    await mix.peer.emit("news", value)
    await mix.peer.emit("news", "no r2", opts=options(["r1"], ["r2"]))
    await mix.peer.emit("news", "not the sender", opts=options(["r1"], sid=first.id))
    await mix.peer.emit("news", "one socket", opts=options(flags=0, sid=first.id, server=mix.peer.requests[0][0]["origin"]))
    await mix.peer.emit("news", "nobody", opts=options(flags=0))
    await mix.peer.emit("news", "end")
    assert [await first.next("news") for _ in range(4)] == [value, "no r2", "one socket", "end"]
    assert [await second.next("news") for _ in range(3)] == [value, "not the sender", "end"]


async def test_broadcasts_of_swift_reach_the_clients_of_rust(mix: Mix) -> None:
    here, there, other = PeerSocket({"a"}), PeerSocket({"a", "b"}), PeerSocket({"c"})
    mix.peer.sockets = [here, there, other]
    client = await mix.client()
    value = {"text": "größer", "bytes": b"\x00\x80\xff"}
    await client.call("io-to", ["a", "b"], value)
    await client.emit("to-room", "a", "b", "not for b")
    await client.emit("broadcast", "all")
    await mix.peer.until(lambda: len(other.heard) == 1)
    assert here.heard == [["news", value], ["news", "not for b"], ["news", "all"]]
    assert there.heard == [["news", value], ["news", "all"]]
    broadcasts = [payload for _, payload in mix.peer.requests if payload[2] == BROADCAST]
    assert broadcasts[0][5] == options(["a", "b"])
    assert broadcasts[1][5] == options(["a"], ["b"], sid=client.id)
    assert broadcasts[2][5] == options(sid=client.id)


async def test_order_is_kept(mix: Mix) -> None:
    socket = PeerSocket({"a"})
    mix.peer.sockets = [socket]
    client = await mix.client()
    await asyncio.gather(*(client.call("io-to", ["a"], number, limit=30) for number in range(100)))
    await mix.peer.until(lambda: len(socket.heard) == 100)
    assert [each[1] for each in socket.heard] == list(range(100))


async def test_a_burst_leaves_room_in_the_buffers_of_rust_nodes(mix: Mix) -> None:
    """A Rust node keeps 128 packets for each client and drops the others: that many must not come at a time."""
    count, buffer, moment = 2_000, 128, 0.03
    client = await mix.client()
    times: list[float] = []
    async with await mix.peer.collection.watch([{"$match": {"fullDocument.origin": {"$ne": mix.peer.uid}}}]) as stream:
        burst = asyncio.create_task(client.call("burst", count, limit=60))
        async with asyncio.timeout(60):
            async for change in stream:
                if msgpack.unpackb(bytes(change["fullDocument"]["data"]))[2] == BROADCAST:
                    times.append(change["wallTime"].timestamp())
                if len(times) == count:
                    break
        await burst
    most = max(bisect.bisect_left(times, time + moment) - index for index, time in enumerate(times))
    assert most <= buffer, f"{most} messages within {moment} s"


# Acknowledgements


async def test_rust_collects_acknowledgements(mix: Mix) -> None:
    clients = [await mix.client() for _ in range(2)]
    for client in clients:
        client.io.on("question", lambda *asked: {"asked": list(asked), "bytes": b"\x01\x80"})
    packet = mix.peer.packet("question", "why")
    request = await mix.peer.request(BROADCAST_ACK, packet=packet, opts=options())
    assert await mix.peer.answers(request, ACK_COUNT) == [2]
    answers = dict(await mix.peer.answers(request, ACK, 2))
    assert {sid: mix.peer.plain(result["Ok"]) for sid, result in answers.items()} == {
        client.id: [{"asked": ["why"], "bytes": b"\x01\x80"}] for client in clients
    }
    assert all(document["target"] == mix.peer.uid for document, _ in mix.peer.responses)


async def test_swift_collects_acknowledgements_and_hears_of_sockets_that_are_gone(mix: Mix) -> None:
    mix.peer.sockets = [PeerSocket({"a"}, answer=["yes"]), PeerSocket({"a"}), PeerSocket({"a"}, answer=[{"b": b"\xff"}])]
    client = await mix.client()
    gathered = await client.call("gather", "a", 10, limit=20)
    assert sorted(map(str, gathered["answers"])) == sorted(map(str, ["yes", {"b": b"\xff"}]))
    assert gathered["disconnected"] == 1
    assert gathered["missing"] == []
    assert gathered["timedOut"] == 0


async def test_silent_clients_of_swift_are_told(mix: Mix) -> None:
    clients = [await mix.client() for _ in range(3)]

    async def silent(*_: Any) -> None:
        await asyncio.sleep(60)

    for client in clients:
        await client.call("join", "silent")
        client.io.on("unheard", silent)
    request = await mix.peer.request(BROADCAST_ACK, packet=mix.peer.packet("unheard"), opts=options(["silent"]))
    assert await mix.peer.answers(request, ACK_COUNT) == [3]
    for client in clients:
        await client.io.disconnect()
    # A Rust node counts them.
    assert [result for _, result in await mix.peer.answers(request, ACK, 3)] == [{"Err": "Timeout"}] * 3


# Sockets and rooms


async def test_each_fetches_the_sockets_of_the_other(mix: Mix) -> None:
    mine = PeerSocket({"a"})
    # A Rust node names a socket once for each room that selects it.
    mix.peer.sockets = [mine, mine, PeerSocket({"b"})]
    client = await mix.client()
    await client.call("join", "a")
    fetched = await client.call("fetch", "a")
    assert {each["id"]: each["node"] == mix.peer.uid for each in fetched["sockets"]} == {client.id: False, mine.id: True}
    assert len(fetched["sockets"]) == 2
    assert fetched["missing"] == []

    request = await mix.peer.request(FETCH, opts=options(["a"]))
    [sockets] = await mix.peer.answers(request, SOCKETS)
    assert [(sid, ns) for sid, _, ns in sockets] == [(client.id, "/")]
    # Sockets of this package are in the room of their id.
    request = await mix.peer.request(FETCH, opts=options([client.id]))
    [sockets] = await mix.peer.answers(request, SOCKETS)
    assert len(sockets) == 1


async def test_a_fetched_socket_of_rust_is_addressed_as_a_socket(mix: Mix) -> None:
    mine, other = PeerSocket({"x"}), PeerSocket(set())
    mine.rooms.add(mine.id)
    mix.peer.sockets = [mine, other]
    client = await mix.client()
    assert await client.call("tell-one", mine.id, "psst")
    await mix.peer.until(lambda: mine.heard)
    assert mine.heard == [["news", "psst"]]
    assert other.heard == []
    payload = next(payload for _, payload in mix.peer.requests if payload[2] == BROADCAST)
    assert payload[5] == options(flags=0, sid=mine.id, server=mix.peer.uid)


async def test_each_knows_the_rooms_of_the_other(mix: Mix) -> None:
    mix.peer.sockets = [PeerSocket({"of rust"})]
    client = await mix.client()
    await client.call("join", "of swift")
    assert await client.call("all-rooms") == sorted([client.id, "of rust", "of swift"])
    request = await mix.peer.request(ALL_ROOMS, opts=options())
    [rooms] = await mix.peer.answers(request, ROOMS)
    assert set(rooms) == {client.id, "of swift"}
    target = mix.peer.requests[0][0]["origin"]
    request = await mix.peer.request(ALL_ROOMS, opts=options(flags=0, sid=client.id, server=target), target=target)
    [rooms] = await mix.peer.answers(request, ROOMS)
    assert set(rooms) == {client.id, "of swift"}


async def test_each_moves_and_disconnects_the_sockets_of_the_other(mix: Mix) -> None:
    mine = PeerSocket({"a"})
    mix.peer.sockets = [mine]
    client, mover = await mix.client(), await mix.client()
    await client.call("join", "a")
    await mover.call("move", "a", "b")
    await mix.peer.until(lambda: "b" in mine.rooms)
    await mover.call("move-out", "a", "a")
    await mix.peer.until(lambda: "a" not in mine.rooms)
    await mix.peer.request(ADD, rooms=["c", "d"], opts=options(["b"]))
    await mix.peer.request(DEL, rooms=["d"], opts=options(["c"]))
    await mix.peer.emit("news", "moved", opts=options(["c"]))
    assert await client.next("news") == "moved"
    assert (await client.call("who"))["rooms"] == sorted([client.id, "b", "c"])
    await mix.peer.request(DISCONNECT, opts=options(["c"]))
    await client.next("disconnect")
    await mover.call("throw-out", "b", True)
    await mix.peer.until(lambda: not mix.peer.sockets)


async def test_documents_that_are_no_messages_are_skipped(mix: Mix) -> None:
    client = await mix.client()
    ghost = {"ns": "/", "origin": mix.peer.uid}
    hostile: list[dict[str, Any]] = [
        {},
        ghost | {"t": "Req", "data": b"\x96"},
        ghost | {"t": "Req", "data": [256]},
        ghost | {"t": "Req", "data": [0x96, 0xDD, 0xFF, 0xFF, 0xFF, 0xFF]},
        ghost | {"t": "Res", "data": [0x92]},
        ghost | {"t": "Req", "origin": "x", "data": []},
    ]
    await mix.peer.collection.insert_many(hostile)
    await mix.peer.request(BROADCAST, packet=["/", 2, [0, list(b"not JSON"), None], None, None], opts=options())
    await mix.peer.request(INIT_HEARTBEAT)
    await mix.peer.emit("news", "still here")
    assert await client.next("news") == "still here"


async def test_two_servers_of_this_package_in_one_cluster_with_rust(mix: Mix) -> None:
    where = ["--mongodb", mix.database.url, "--collection", mix.collection, "--wire-format", "socketioxide"]
    other = await Server("SocketIOConformanceServer", "--port", "0", "--parser", mix.parser, *where).start()
    try:
        there = await Client(parser=mix.parser).connect(other.url, transports=["websocket"])
        here = await mix.client()
        for client in (here, there):
            await client.call("join", "both")
        there.io.on("question", lambda *_: "there")
        here.io.on("question", lambda *_: "here")
        mix.peer.sockets = [PeerSocket({"both"}, answer=["rust"])]
        async with asyncio.timeout(20):
            while await here.call("server-count") != 3 or await there.call("server-count") != 3:
                await asyncio.sleep(0.1)
        gathered = await here.call("gather", "both", 10, limit=20)
        assert sorted(gathered["answers"]) == ["here", "rust", "there"]
        fetched = await there.call("fetch", "both")
        assert len(fetched["sockets"]) == 3
        assert fetched["missing"] == []
        await there.close()
    finally:
        assert await other.stop() == 0
