# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""SIGTERM: all clients are disconnected, and the process exits cleanly."""

import asyncio

import pytest

from harness.client import Client
from harness.process import Server


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_clients_are_told_and_the_process_ends(transport: str) -> None:
    server = await Server("SocketIOConformanceServer", "--port", "0").start()
    clients = await asyncio.gather(*(Client().connect(server.url, transports=[transport]) for _ in range(50)))
    await asyncio.gather(*(client.call("join", "everybody") for client in clients))
    async with asyncio.timeout(10):
        assert await server.stop() == 0
    for client in clients:
        await client.next("disconnect", limit=20)
    await asyncio.gather(*(client.close() for client in clients))


async def test_a_busy_port_is_one_clear_error() -> None:
    server = await Server("SocketIOConformanceServer", "--port", "0").start()
    with pytest.raises(RuntimeError) as error:
        await Server("SocketIOConformanceServer", "--port", str(server.port)).start()
    assert "Address already in use" in str(error.value)
    assert await server.stop() == 0
