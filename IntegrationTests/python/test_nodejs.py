# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""Servers that speak the wire format of Node.js, and a peer that plays a Node.js server."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from harness.client import Client
from harness.cluster import Cluster
from harness.nodejs import (
    CLIENT_COUNT, BROADCAST_ACK, DISCONNECT, FETCH, FETCH_RESPONSE, HEARTBEAT, JOIN, LEAVE, SERVER_EMIT, SERVER_EMIT_RESPONSE,
    SESSION, NodePeer, PeerSocket, options, plain,
)
from harness.raw import RawSocket
from harness.replica_set import ReplicaSet

VALUES = [1, 1.5, 2**31, "é\0", True, None, {"$oid": "x", "__proto__": {"a": [1]}}, [], {}]


class Mix:
    """Two servers of this package and one of Node.js."""

    def __init__(self, cluster: Cluster, peer: NodePeer) -> None:
        self.cluster = cluster
        self.peer = peer

    async def client(self, node: int, room: str) -> Client:
        client = await self.cluster.client(node)
        await client.call("join", room)
        return client

    def socket(self, room: str, **values: object) -> PeerSocket:
        socket = PeerSocket(f"peer-{room}", [f"peer-{room}", room], **values)
        self.peer.sockets.append(socket)
        return socket


@pytest_asyncio.fixture(scope="module", params=["ttl", "capped"])
async def mix(request: pytest.FixtureRequest, replica_set: ReplicaSet) -> AsyncIterator[Mix]:
    cluster = await Cluster(replica_set, f"as Node.js, {request.param}").with_nodes(2)
    peer = await NodePeer(replica_set.url, cluster.collection, created_at=request.param == "ttl").start()
    here = await cluster.client(0)
    async with asyncio.timeout(20):
        while await here.call("server-count") != 3 or len(peer.nodes) < 2:
            await asyncio.sleep(0.05)
    yield Mix(cluster, peer)
    await peer.stop()
    assert await cluster.stop() == [0, 0]


async def test_nodes_of_both_kinds_see_each_other(mix: Mix) -> None:
    assert all(uid.split("~")[0] in ("node0", "node1") for uid in mix.peer.nodes)
    heartbeats = [len(types) for types in mix.peer.nodes.values()]
    await mix.peer.until(lambda: all(types.count(HEARTBEAT) > before for types, before in zip(mix.peer.nodes.values(), heartbeats)))


async def test_broadcasts_go_both_ways(mix: Mix) -> None:
    here, there = await mix.client(0, "both"), await mix.client(1, "both")
    remote, stranger = mix.socket("both"), mix.socket("stranger")
    for value in [*VALUES, b"\x00\xff", {"deep": [b"x", {"y": b""}]}]:
        await here.call("io-to", ["both"], value)
        assert await there.next("news") == value == await here.next("news")
    await mix.peer.until(lambda: len(remote.heard) == len(VALUES) + 2)
    assert [plain(each)[1] for each in remote.heard] == [*VALUES, b"\x00\xff", {"deep": [b"x", {"y": b""}]}]
    assert stranger.heard == []
    for value in [*VALUES, b"\x00\xff", {"deep": [b"x", {"y": b""}]}]:
        await mix.peer.emit("news", value, to=options(["both"]))
        assert await here.next("news") == value == await there.next("news")


async def test_numbers_are_what_javascript_writes(mix: Mix) -> None:
    here, remote = await mix.client(0, "numbers"), mix.socket("numbers")
    await here.call("io-to", ["numbers"], [1, 2**31, -(2**31), 1.0, 2**53])
    # The answer does not wait for the write; what the peer has read is written.
    await mix.peer.until(lambda: remote.heard)
    found = mix.peer.collection.aggregate(
        [
            {"$match": {"type": 3, "data.opts.rooms": "numbers"}},
            {"$project": {"types": {"$map": {"input": {"$arrayElemAt": ["$data.packet.data", 1]}, "in": {"$type": "$$this"}}}}},
        ]
    )
    assert [each["types"] async for each in await found] == [["int", "double", "int", "int", "double"]]


async def test_exceptions_and_flags(mix: Mix) -> None:
    here, there = await mix.client(0, "flags"), await mix.client(1, "flags")
    await there.call("join", "flags-not")
    await mix.peer.emit("news", "some", to=options(["flags"], ["flags-not"], volatile=True, compress=False))
    await mix.peer.emit("news", "all", to=options(["flags"]))
    assert [await here.next("news"), await here.next("news")] == ["some", "all"]
    assert await there.next("news") == "all"


async def test_acknowledgements_of_node_js_clients(mix: Mix) -> None:
    here, there = await mix.client(0, "asked"), await mix.client(1, "asked")
    for client in (here, there):
        client.io.on("question", lambda *_: "swift")
    mix.socket("asked", answer={"from": "node"})
    gathered = await here.call("gather", "asked", 15, limit=20)
    assert sorted(map(str, gathered["answers"])) == sorted(["swift", "swift", "{'from': 'node'}"])
    assert gathered["missing"] == [] and not gathered["timedOut"]


async def test_acknowledgements_for_node_js(mix: Mix) -> None:
    here, there = await mix.client(0, "answering"), await mix.client(1, "answering")
    here.io.on("question", lambda value: value)
    there.io.on("question", lambda _: None)
    request = await mix.peer.emit_with_ack("question", b"\x01", to=options(["answering"], timeout=10_000))
    counts = await request.wait(CLIENT_COUNT, 2)
    assert [each["clientCount"] for each in counts] == [1, 1]
    answers = [plain(each["packet"]) for each in await request.wait(BROADCAST_ACK, 2)]
    assert b"\x01" in answers and None in answers
    nobody = await mix.peer.emit_with_ack("question", to=options(["nobody there"]))
    assert [each["clientCount"] for each in await nobody.wait(CLIENT_COUNT, 2)] == [0, 0]


async def test_sockets_of_node_js_are_fetched(mix: Mix) -> None:
    here = await mix.client(0, "fetched")
    mix.socket("fetched", data={"nick": "Grace"})
    fetched = await here.call("fetch", "fetched")
    assert fetched["missing"] == []
    remote = next(each for each in fetched["sockets"] if each["id"] == "peer-fetched")
    assert remote["nick"] == "Grace" and remote["agent"] == "node" and remote["auth"] == {"token": "t"}
    assert remote["node"] == mix.peer.uid and remote["rooms"] == ["fetched", "peer-fetched"]
    assert {"fetched", "peer-fetched", here.id} <= set(await here.call("all-rooms"))


async def test_sockets_are_described_for_node_js(mix: Mix) -> None:
    here, there = await mix.client(0, "described"), await mix.client(1, "described")
    await there.call("nick", "Ada")
    request = await mix.peer.ask(FETCH, {"opts": options(["described"])})
    sockets = {each["id"]: each for answer in await request.wait(FETCH_RESPONSE, 2) for each in answer["sockets"]}
    assert set(sockets) == {here.id, there.id}
    socket = sockets[there.id]
    assert socket["data"] == {"nick": "Ada"} and socket["rooms"] == [there.id, "described"]
    handshake = socket["handshake"]
    assert set(handshake) == {"headers", "time", "address", "xdomain", "secure", "issued", "url", "query", "auth"}
    assert isinstance(handshake["issued"], float) and handshake["time"].endswith("GMT+0000 (Coordinated Universal Time)")
    assert handshake["query"]["EIO"] == "4" and handshake["address"] == "127.0.0.1"


async def test_one_socket_of_node_js_is_told(mix: Mix) -> None:
    here = await mix.client(0, "one")
    remote = mix.socket("one")
    assert await here.call("tell-one", remote.id, "only you")
    await mix.peer.until(lambda: remote.heard == [["news", "only you"]])


async def test_sockets_are_moved_and_thrown_out(mix: Mix) -> None:
    here, there = await mix.client(0, "moved"), await mix.client(1, "moved")
    remote = mix.socket("moved")
    await here.call("move", "moved", "moved-on")
    await mix.peer.until(lambda: "moved-on" in remote.rooms)
    await here.call("move-out", "moved", "moved-on")
    await mix.peer.until(lambda: "moved-on" not in remote.rooms)
    await mix.peer.publish(JOIN, {"opts": options(["moved"]), "rooms": ["by-node"]})
    await mix.peer.emit("news", "joined", to=options(["by-node"]))
    assert await here.next("news") == "joined" == await there.next("news")
    await mix.peer.publish(LEAVE, {"opts": options([there.id]), "rooms": ["by-node"]})
    await mix.peer.emit("news", "one left", to=options(["by-node"]))
    await mix.peer.emit("news", "end", to=options(["moved"]))
    assert [await here.next("news"), await here.next("news")] == ["one left", "end"]
    assert await there.next("news") == "end"
    await mix.peer.publish(DISCONNECT, {"opts": options([there.id]), "close": True})
    assert await there.next("disconnect") is not None
    await here.call("throw-out", remote.id, False)
    await mix.peer.until(lambda: remote not in mix.peer.sockets)


async def test_servers_of_both_kinds_talk_to_each_other(mix: Mix) -> None:
    here = await mix.client(0, "servers")
    await here.call("tell-servers", {"n": 1})
    assert plain(await asyncio.wait_for(mix.peer.events.get(), 10)) == ["heard", {"n": 1}]
    await mix.peer.publish(SERVER_EMIT, {"packet": ["heard", {"n": 2}]})
    assert await here.next("heard") == {"n": 2}
    mix.peer.event_answer = {"node": "js", "x": b"\x05"}
    replies = await here.call("ask-servers", "asked", "well?")
    assert replies["missing"] == [] and {"node": "js", "x": b"\x05"} in replies["replies"] and "well?" in replies["replies"]
    request = await mix.peer.ask(SERVER_EMIT, {"packet": ["asked", {"deep": [b"\x01"]}]})
    answers = await request.wait(SERVER_EMIT_RESPONSE, 2)
    assert [plain(each["packet"]) for each in answers] == [{"deep": [b"\x01"]}] * 2


async def test_documents_of_the_emitter(mix: Mix) -> None:
    here, there = await mix.client(0, "emitted"), await mix.client(1, "emitted")

    async def emitter(kind: int, data: dict[str, object]) -> None:
        await mix.peer.publish(kind, data, uid="emitter")

    opts = {"rooms": ["emitted"], "flags": {"compress": True}, "except": []}
    await emitter(3, {"packet": {"type": 2, "data": ["news", 1, "2", b"\x01\x02"], "nsp": "/"}, "opts": opts})
    assert await here.next("news") == [1, "2", b"\x01\x02"] == await there.next("news")
    await emitter(4, {"opts": {"rooms": ["emitted"], "except": []}, "rooms": ["emitted-to"]})
    await mix.peer.emit("news", "in", to=options(["emitted-to"]))
    assert await here.next("news") == "in" == await there.next("news")
    await emitter(9, {"packet": ["heard", "emitter"]})
    assert await here.next("heard") == "emitter"
    await emitter(6, {"opts": {"rooms": ["emitted"], "except": []}, "close": True})
    assert await here.next("disconnect") is not None
    other = await mix.cluster.client(0)
    assert await other.call("server-count") == 3


@pytest.mark.parametrize("document", [{}, {"type": 3}, {"type": "x", "uid": 1, "nsp": []}, {"type": 99, "uid": "u", "nsp": "/"}])
async def test_hostile_documents_are_skipped(mix: Mix, document: dict[str, object]) -> None:
    here = await mix.client(0, "hostile")
    await mix.peer.collection.insert_one(dict(document))
    nested: dict[str, object] = {}
    for _ in range(90):
        nested = {"a": nested}
    await mix.peer.emit("news", nested, to=options(["hostile"]))
    await mix.peer.emit("news", "still here", to=options(["hostile"]))
    assert await here.next("news") == "still here"


async def test_a_node_js_server_that_is_gone_is_not_waited_for(mix: Mix, replica_set: ReplicaSet) -> None:
    here = await mix.client(0, "gone")
    doomed = await NodePeer(replica_set.url, mix.cluster.collection, created_at="ttl" in mix.cluster.driver).start()
    async with asyncio.timeout(20):
        while await here.call("server-count") != 4:
            await asyncio.sleep(0.05)
    await doomed.stop()
    fetched = await here.call("fetch", "gone", limit=15)
    assert [each["id"] for each in fetched["sockets"]] == [here.id]
    async with asyncio.timeout(20):
        while await here.call("server-count") != 3:
            await asyncio.sleep(0.05)


# Connection state recovery


@pytest_asyncio.fixture(scope="module", params=["ttl", "capped"])
async def recovering(request: pytest.FixtureRequest, replica_set: ReplicaSet) -> AsyncIterator[Mix]:
    cluster = await Cluster(replica_set, f"as Node.js, {request.param}", "--recovery").with_nodes(2)
    peer = await NodePeer(replica_set.url, cluster.collection, created_at=request.param == "ttl").start()
    here = await cluster.client(0)
    async with asyncio.timeout(20):
        while await here.call("server-count") != 3:
            await asyncio.sleep(0.05)
    yield Mix(cluster, peer)
    await peer.stop()
    assert await cluster.stop() == [0, 0]


async def come_back(raw: RawSocket, pid: str, offset: str, until: object) -> tuple[str, list[list[object]]]:
    """The socket's id, and the news up to a last one, each with its offset."""
    await raw.send("40" + json.dumps({"pid": pid, "offset": offset}))
    sid, news = "", []
    async with asyncio.timeout(20):
        while not sid or not news or news[-1][0] != until:
            packet = await raw.receive()
            if packet.startswith("40"):
                sid = json.loads(packet[2:])["sid"]
            elif packet.startswith('42["news"'):
                news.append(json.loads(packet[2:])[1:])
    return sid, news


async def test_a_client_comes_from_node_js(recovering: Mix) -> None:
    peer, pid, sid = recovering.peer, "pid-of-node-js-12345", "sid-of-node-js"
    witness = await recovering.client(0, "coming")
    await peer.emit("news", "before", to=options(["coming"]))
    offset = str(await peer.emit("news", "last", to=options(["coming"])))
    await peer.store_session(sid, pid, [sid, "coming"], {"nick": "Grace"})
    expected = []
    for number in range(5):
        expected.append(str(await peer.emit("news", number, to=options(["coming"]))))
        await peer.emit("news", "not for us", to=options(["elsewhere"]))
        await peer.emit("news", "not for us", to=options(["coming"], [sid]))
    expected.append(str(await peer.emit("news", "direct", to=options([sid]))))
    await peer.emit("news", "volatile", to=options(["coming"], volatile=True))
    await witness.call("io-to", ["coming"], "from the other server")
    async with RawSocket(recovering.cluster.nodes[1].url) as raw:
        found, news = await come_back(raw, pid, offset, "from the other server")
        assert found == sid
        assert [each[0] for each in news] == [0, 1, 2, 3, 4, "direct", "from the other server"]
        assert [each[1] for each in news[:6]] == expected
        await witness.call("io-to", ["coming"], "live")
        assert (await raw.event("news"))[0] == "live"
        fetched = (await witness.call("fetch", "coming"))["sockets"]
        assert {each["id"]: each.get("nick") for each in fetched} == {sid: "Grace", witness.id: None}
        async with RawSocket(recovering.cluster.nodes[0].url) as other:
            await other.send("40" + json.dumps({"pid": "unknown", "offset": offset}))
            assert json.loads((await other.receive())[2:])["sid"] != sid
        assert await peer.restore_session(pid, offset) is None


async def test_a_client_goes_to_node_js_and_back(recovering: Mix) -> None:
    peer = recovering.peer
    witness, near = await recovering.client(1, "going"), await recovering.client(0, "going-on")
    raw = await RawSocket(recovering.cluster.nodes[0].url).__aenter__()
    data = await raw.connect()
    await raw.send('421["join","going"]')
    await raw.send('422["io-to",["going"],"first"]')
    offset = (await raw.event("news"))[-1]
    await raw.send('42["message","direct",1]')
    assert (await raw.event("message-back"))[:2] == ["direct", 1]
    raw.abort()
    await peer.until(lambda: any(each["type"] == SESSION and each["data"].get("sid") == data["sid"] for each in peer.documents))
    await asyncio.sleep(1.1)  # Node.js compares ids, and those of two processes are in order only if their seconds differ
    await witness.call("io-to", ["going"], "missed")
    restored = await peer.restore_session(data["pid"], offset)
    assert restored is not None
    session, missed = restored
    assert session["sid"] == data["sid"] and session["rooms"] == [data["sid"], "going"]
    assert [plain(each) for each in missed] == [["message-back", "direct", 1], ["news", "missed"]]
    assert await peer.restore_session(data["pid"], offset) is None
    # The client was there for a while, changed its rooms, and was cut off there too.
    offset = str(await peer.emit("news", "at the other kind", to=options(["going"])))
    await peer.store_session(data["sid"], data["pid"], [data["sid"], "going-on"], {"nick": "Ada"})
    await peer.emit("news", "for the old room", to=options(["going"]))
    await witness.call("io-to", ["going-on"], "for the new room")
    assert (await near.next("news"))[0] == "for the new room"  # its server has read what came before
    async with RawSocket(recovering.cluster.nodes[0].url) as again:
        sid, news = await come_back(again, data["pid"], offset, "for the new room")
        assert sid == data["sid"] and [each[0] for each in news] == ["for the new room"]
        fetched = (await witness.call("fetch", "going-on"))["sockets"]
        assert (sid, "Ada", "node0") in [(each["id"], each.get("nick"), each["node"]) for each in fetched]
    await raw.__aexit__()
