# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""Thousands of nodes that do not exist announce themselves. The real ones, and those that come, go on as before."""

import asyncio
import time

import pytest
import pytest_asyncio

from harness.cluster import Cluster, MakeCluster
from harness.documents import Forger, heartbeat, someone
from harness.process import Server
from test_hostile_cluster import DRIVERS, both_hear, eventually, expect, innocents

MADE_UP = 22_000


@pytest_asyncio.fixture(params=DRIVERS)
async def cluster(request: pytest.FixtureRequest, make_cluster: MakeCluster) -> Cluster:
    cluster = await make_cluster(request.param)
    await both_hear(cluster)
    return cluster


def health(node: Server) -> str:
    """What the node has logged last of its health."""
    lines = [line for line in node.log if "health changed" in line]
    return lines[-1].partition("health=")[2].split()[0] if lines else "healthy"


async def test_made_up_nodes_keep_no_real_one_out(cluster: Cluster) -> None:
    forger = Forger(cluster)

    async def flood() -> None:
        for start in range(0, MADE_UP, 500):
            await asyncio.to_thread(forger.write, *(heartbeat(f"made-up {start + index}", someone()) for index in range(500)))

    async with innocents(cluster, growth=120_000, longest=4):
        flooding = asyncio.create_task(flood())
        began = time.monotonic()
        await cluster.add()
        newcomer = await cluster.client(2)
        assert time.monotonic() - began < 15
        clients = [await cluster.client(index) for index in range(2)]
        await newcomer.call("io-to", [], "from the newcomer")
        await flooding
        for index, client in enumerate(clients):
            await client.call("io-to", [], f"from node {index}")
        # They have read all of it: a debug build takes some seconds, and took minutes when each document cost a look at all nodes.
        for client in (*clients, newcomer):
            for text in ("from the newcomer", "from node 0", "from node 1"):
                if client is not newcomer or text != "from the newcomer":
                    await expect(client, text, 60)
    await both_hear(cluster)

    async def is_well() -> bool:
        # Those that said nothing more are dead soon, and nobody waits for their answers.
        counts = [await client.call("server-count") for client in (*clients, newcomer)]
        return counts == [3, 3, 3] and all(health(node) == "healthy" for node in cluster.nodes)

    await eventually(is_well, 90)
    forger.close()
