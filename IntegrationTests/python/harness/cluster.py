# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""Several test servers that are one, over MongoDB."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Self

from harness.client import Client
from harness.process import Server
from harness.replica_set import ReplicaSet

DRIVERS = {
    "change stream, ttl": ("change-stream", "ttl", "native"),
    "change stream, capped": ("change-stream", "capped", "native"),
    "tailable cursor": ("tailable", "capped", "native"),
    "as Node.js, ttl": ("change-stream", "ttl", "nodejs"),
    "as Node.js, capped": ("change-stream", "capped", "nodejs"),
}
_numbers = itertools.count(1)


class Cluster:
    """Test servers with a collection of their own, and clients that are closed with them."""

    def __init__(self, database: ReplicaSet, driver: str, *options: str) -> None:
        self.database = database
        self.nodes: list[Server] = []
        self._clients: list[Client] = []
        self.driver = driver
        reading, expiration, wire_format = DRIVERS[driver]
        self.collection = f"cluster{next(_numbers)}"
        self.namespace = f"socketio.{self.collection}"
        self._options = ["--mongodb", database.url, "--collection", self.collection, "--wire-format", wire_format]
        self._options += ["--driver", reading, "--expiration", expiration, *options]

    async def add(self, *options: str) -> Server:
        name = f"node{len(self.nodes)}"
        server = await Server("SocketIOConformanceServer", "--port", "0", "--node", name, *self._options, *options).start()
        self.nodes.append(server)
        return server

    async def client(self, node: int) -> Client:
        client = await Client().connect(self.nodes[node].url, transports=["websocket"])
        self._clients.append(client)
        return client

    async def with_nodes(self, count: int) -> Self:
        for _ in range(count):
            await self.add()
        return self

    async def stop(self) -> list[int | None]:
        """Ends clients and servers; returns the servers' exit codes."""
        for client in self._clients:
            await client.close()
        return [await node.stop() for node in self.nodes]


MakeCluster = Callable[..., Awaitable[Cluster]]
