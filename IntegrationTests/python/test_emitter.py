# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""The command `socketio-emit`: a process that is not a server emits to the clients of one, in every wire format."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from harness.client import Client
from harness.process import Server, executable
from harness.replica_set import ReplicaSet

_numbers = itertools.count(1)
LIMIT = 60


async def emit(*arguments: str, uri: str | None) -> tuple[int, str]:
    """Runs the command; returns its exit code and what it wrote to standard error."""
    environment = {key: value for key, value in os.environ.items() if not key.endswith("MONGODB_URI")}
    if uri:
        environment["SOCKETIO_MONGODB_URI"] = uri
    process = await asyncio.create_subprocess_exec(
        str(executable("socketio-emit")),
        *arguments,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await asyncio.wait_for(process.communicate(), LIMIT)
    return process.returncode or 0, errors.decode()


@dataclass
class Scene:
    """A server, and how the command finds its cluster."""

    uri: str
    wire_format: str
    parser: str
    collection: str
    server: Server
    clients: list[Client] = field(default_factory=list)

    async def client(self) -> Client:
        client = await Client(parser=self.parser).connect(self.server.url, transports=["websocket"])
        self.clients.append(client)
        return client

    async def run(self, command: str, *arguments: str) -> tuple[int, str]:
        where = ["--collection", self.collection, "--wire-format", self.wire_format, "--parser", self.parser]
        return await emit(command, *where, *arguments, uri=self.uri)

    async def succeed(self, command: str, *arguments: str) -> None:
        assert await self.run(command, *arguments) == (0, "")


@pytest_asyncio.fixture(params=["native", "nodejs", "socketioxide", "native msgpack"])
async def scene(request: pytest.FixtureRequest, replica_set: ReplicaSet) -> AsyncIterator[Scene]:
    wire_format, _, parser = request.param.partition(" ")
    parser = parser or "json"
    collection = f"emitter{next(_numbers)}"
    where = ["--mongodb", replica_set.url, "--collection", collection, "--wire-format", wire_format, "--parser", parser]
    server = await Server("SocketIOConformanceServer", "--port", "0", *where).start()
    scene = Scene(replica_set.url, wire_format, parser, collection, server)
    yield scene
    for client in scene.clients:
        await client.close()
    assert await server.stop() == 0


async def test_events_reach_the_clients_that_are_selected(scene: Scene) -> None:
    first, second = await scene.client(), await scene.client()
    await first.call("join", "lobby")
    await second.call("join", "lobby")
    await second.call("join", "muted")
    await scene.succeed("emit", "--room", "lobby", "--except", "muted", "news", '{"text": "größer", "numbers": [1, 2.5, -3]}')
    await scene.succeed("emit", "--volatile", "--no-compress", "news", '"all"')
    assert await first.next("news") == {"text": "größer", "numbers": [1, 2.5, -3]}
    assert await first.next("news") == "all"
    assert await second.next("news") == "all"
    assert await first.call("server-count") == 1, "an emitter is not a node"


async def test_sockets_join_leave_and_are_disconnected(scene: Scene) -> None:
    client = await scene.client()
    await client.call("join", "a")
    await scene.succeed("join", "--room", "a", "b", "c")
    await scene.succeed("leave", "a")
    await scene.succeed("emit", "--room", "b", "news", "1")
    assert await client.next("news") == 1
    assert (await client.call("who"))["rooms"] == sorted([client.id, "b", "c"])
    await scene.succeed("disconnect", "--room", "b", "--close")
    await client.next("disconnect")


async def test_events_for_the_servers(scene: Scene) -> None:
    client = await scene.client()
    code, errors = await scene.run("server-emit", "heard", '"news"')
    if scene.wire_format == "socketioxide":
        assert code == 76
        assert "The message was not sent" in errors and "socketioxide" in errors
    else:
        assert (code, errors) == (0, "")
        assert await client.next("heard") == "news"


async def test_nobody_listens(replica_set: ReplicaSet) -> None:
    """The event is written, with a warning; the command ends when it is, and does not wait for its connections."""
    collection = f"emitter{next(_numbers)}"
    times = []
    for _ in range(4):
        start = asyncio.get_running_loop().time()
        code, errors = await emit("emit", "--collection", collection, "news", uri=replica_set.url)
        times.append(asyncio.get_running_loop().time() - start)
        assert code == 0 and errors.startswith("socketio-emit: warning: no server")
        assert errors.count("\n") == 1
    # The threads of libmongoc take half a second to end.
    assert min(times) < 0.45, times


async def test_mistakes_are_told_with_what_to_do(replica_set: ReplicaSet) -> None:
    code, errors = await emit("emit", "news", uri=None)
    assert code == 64 and "SOCKETIO_MONGODB_URI" in errors
    code, errors = await emit("emit", "news", "text", uri=replica_set.url)
    assert code == 64 and "'\"text\"'" in errors
    code, errors = await emit("emit", "disconnect", uri=replica_set.url)
    assert code == 64 and "another name" in errors
    code, errors = await emit("disconnect", uri=replica_set.url)
    assert code == 64 and "--all" in errors
    code, errors = await emit("emit", "news", uri="mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=500")
    assert code == 69 and "could not be reached" in errors


async def test_a_collection_of_another_kind_is_told(replica_set: ReplicaSet) -> None:
    collection = f"emitter{next(_numbers)}"
    code, errors = await emit("emit", "--collection", collection, "news", uri=replica_set.url)
    assert code == 0 and "warning" in errors
    code, errors = await emit("emit", "--collection", collection, "--expiration", "capped", "news", uri=replica_set.url)
    assert code == 78 and "is not capped" in errors
