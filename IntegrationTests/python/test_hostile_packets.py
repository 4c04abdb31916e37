# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""Packets whose cost is not their size: many values of a byte or two, and one attachment that is named over and over."""

import asyncio
import time

import msgpack
import pytest

from conftest import ended_well
from harness.client import Client
from harness.process import Server
from harness.raw import RawSocket

JSON = {
    "empty objects": '42["message-with-ack",[' + "{}," * 330_000 + "{}]]",
    "empty arrays": '421["message-with-ack",[' + "[]," * 330_000 + "[]]]",
    "numbers": '421["message-with-ack",[' + "0," * 490_000 + "0]]",
    "arguments": '421["message-with-ack"' + ",0" * 490_000 + "]",
}
MESSAGEPACK = {
    "empty maps": msgpack.packb({"type": 2, "nsp": "/", "data": ["message-with-ack", [{}] * 990_000], "id": 1}),
    "numbers": msgpack.packb({"type": 2, "nsp": "/", "data": ["message-with-ack", [0] * 990_000], "id": 1}),
    "arguments": msgpack.packb({"type": 2, "nsp": "/", "data": ["message-with-ack"] + [{}] * 990_000, "id": 1}),
}


async def longest_wait(client: Client, until: asyncio.Task[None]) -> float:
    """How long a client that does nothing wrong had to wait for an answer meanwhile."""
    longest = 0.0
    while True:
        is_last = until.done()
        start = time.monotonic()
        assert await client.call("sum", 20, 22) == 42
        longest = max(longest, time.monotonic() - start)
        if is_last:
            await until
            return longest


async def attack(server: Server, connect: str | bytes, packet: str | bytes) -> None:
    for _ in range(3):
        async with RawSocket(server.url) as raw:
            await raw.send(connect)
            await raw.receive()
            await raw.send(packet)
            await raw.until_closed()


@pytest.mark.parametrize("parser", ["json", "msgpack"])
async def test_a_megabyte_of_values_is_refused_and_holds_nobody_up(parser: str) -> None:
    server = await Server("SocketIOConformanceServer", "--port", "0", "--parser", parser).start()
    innocent = await Client(parser=parser).connect(server.url, transports=["websocket"])
    connect: str | bytes = "40" if parser == "json" else msgpack.packb({"type": 0, "nsp": "/"})
    for name, packet in (JSON if parser == "json" else MESSAGEPACK).items():
        # A debug build takes its time as well; a release build answers in a few milliseconds.
        assert await longest_wait(innocent, asyncio.create_task(attack(server, connect, packet))) < 1, name
    await innocent.close()
    await ended_well(server)


async def test_an_attachment_that_is_named_over_and_over_is_not_multiplied() -> None:
    server = await Server("SocketIOConformanceServer", "--port", "0").start()
    innocent = await Client().connect(server.url, transports=["websocket"])
    before = server.resident_kilobytes()
    async with RawSocket(server.url) as raw:
        await raw.connect()
        placeholders = ",".join(['{"_placeholder":true,"num":0}'] * 10_000)
        await raw.send(f'451-1["message-with-ack",[{placeholders}]]')
        await raw.send(bytes(500_000))
        await raw.until_closed()
    assert await innocent.call("sum", 20, 22) == 42
    assert server.resident_kilobytes() - before < 64_000
    await innocent.close()
    await ended_well(server)
