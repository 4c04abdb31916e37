# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""SIGTERM: all clients are disconnected, and the process exits cleanly."""

import asyncio
import os
import signal

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
    assert f"cannot listen on 127.0.0.1:{server.port}: the port is in use" in str(error.value)
    assert await server.stop() == 0


async def test_a_port_that_does_not_exist_is_one_clear_error() -> None:
    with pytest.raises(RuntimeError) as error:
        await Server("SocketIOConformanceServer", "--port", "99999").start()
    assert "port must be between 0 and 65535, not 99999" in str(error.value)


@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP", "SIGQUIT"])
async def test_the_configured_signal_shuts_down(name: str) -> None:
    options = [] if name == "SIGINT" else ["--signal", name]
    server = await Server("SocketIOConformanceServer", "--port", "0", *options).start()
    client = await Client().connect(server.url, transports=["websocket"])
    os.kill(server.pid, signal.Signals[name])
    await client.next("disconnect", limit=20)
    await client.close()
    async with asyncio.timeout(20):
        assert await server.wait() == 0


async def test_a_signal_that_is_not_configured_ends_the_process() -> None:
    server = await Server("SocketIOConformanceServer", "--port", "0").start()
    os.kill(server.pid, signal.SIGHUP)
    async with asyncio.timeout(20):
        assert await server.wait() == -signal.SIGHUP
