# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""Fixtures: one test server and one chat for the whole run, a browser for the page."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from harness.browser import Browser
from harness.client import Client
from harness.cluster import Cluster, MakeCluster
from harness.process import CLIENT_JS, Server
from harness.replica_set import ReplicaSet, Unavailable


@pytest_asyncio.fixture(scope="session")
async def chat() -> AsyncIterator[Server]:
    """The chat, with the official JavaScript client beside it."""
    server = await Server("SocketIOChat", "--port", "0", "--client", str(CLIENT_JS)).start()
    yield server
    await ended_well(server)


@pytest_asyncio.fixture(scope="session")
async def replica_set() -> AsyncIterator[ReplicaSet]:
    """Three members; a test that breaks one mends it."""
    replica_set = ReplicaSet()
    try:
        await replica_set.start()
    except Unavailable as reason:
        pytest.skip(str(reason))
    yield replica_set
    await replica_set.stop()


@pytest_asyncio.fixture(scope="session")
async def chat_nodes(replica_set: ReplicaSet) -> AsyncIterator[tuple[Server, Server]]:
    """The chat on two nodes."""

    async def node(name: str) -> Server:
        return await Server("SocketIOChat", "--port", "0", "--client", str(CLIENT_JS), "--mongodb", replica_set.url, "--node", name).start()

    nodes = (await node("node-1"), await node("node-2"))
    yield nodes
    for each in nodes:
        await ended_well(each)


@pytest.fixture(params=["one node", "two nodes"])
def nodes(request: pytest.FixtureRequest) -> tuple[Server, Server]:
    """Where two people are: on one node without a database, or on two."""
    if request.param == "two nodes":
        return request.getfixturevalue("chat_nodes")
    chat = request.getfixturevalue("chat")
    return chat, chat


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    browser = await Browser().start()
    yield browser
    await browser.stop()


@pytest_asyncio.fixture(scope="session", params=["json", "msgpack"])
async def parsed(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Server, str]]:
    """A test server for each parser. Frequent pings: a python-socketio client that polls may leave without a word, and then waits for one."""
    server = await Server("SocketIOConformanceServer", "--port", "0", "--parser", request.param, "--ping-interval", "2000").start()
    yield server, request.param
    await ended_well(server)


@pytest_asyncio.fixture(scope="session")
async def server() -> AsyncIterator[Server]:
    """A test server with the default parser."""
    server = await Server("SocketIOConformanceServer", "--port", "0").start()
    yield server
    await ended_well(server)


@pytest_asyncio.fixture
async def make_cluster(replica_set: ReplicaSet) -> AsyncIterator[MakeCluster]:
    """Makes clusters that end with the test, and well."""
    clusters: list[Cluster] = []

    async def make(driver: str, nodes: int = 2, *options: str) -> Cluster:
        cluster = Cluster(replica_set, driver, *options)
        clusters.append(cluster)
        return await cluster.with_nodes(nodes)

    yield make
    for cluster in clusters:
        logs = ["\n".join(node.log[-20:]) for node in cluster.nodes]
        assert all(code in (0, -9) for code in await cluster.stop()), logs


async def still_served(server: Server, client: Client) -> None:
    """After an attack: the server is there, and answers a client that was connected before."""
    assert server.alive, "the server died:\n" + "\n".join(server.log[-40:])
    assert await client.call("sum", 20, 22) == 42


async def ended_well(server: Server) -> None:
    assert server.alive, f"{server.name} died:\n" + "\n".join(server.log[-40:])
    assert await server.stop() == 0, f"{server.name} did not end well:\n" + "\n".join(server.log[-40:])
