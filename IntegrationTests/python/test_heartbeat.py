# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""Pings and pongs, with a server that is in a hurry."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from conftest import ended_well
from harness.process import Server
from harness.raw import Gone, RawPolling, RawSocket


@pytest_asyncio.fixture(scope="module")
async def hasty() -> AsyncIterator[Server]:
    server = await Server("SocketIOConformanceServer", "--port", "0", "--ping-interval", "300", "--ping-timeout", "200", "--connect-timeout", "700").start()
    yield server
    await ended_well(server)


async def test_a_client_that_answers_stays(hasty: Server) -> None:
    async with RawSocket(hasty.url, pong=False) as raw:
        await raw.connect()
        pings = 0
        async with asyncio.timeout(20):
            while pings < 5:
                if await raw.receive() == "2":
                    pings += 1
                    await raw.send("3")


async def test_a_silent_websocket_is_closed(hasty: Server) -> None:
    async with RawSocket(hasty.url, pong=False) as raw:
        await raw.connect()
        await raw.until_closed(2)


async def test_a_silent_polling_client_is_forgotten(hasty: Server) -> None:
    async with RawPolling(hasty.url) as raw:
        assert (await raw.post("40"))[0] == 200
        await asyncio.sleep(1)
        assert (await raw.poll())[0] == 400


async def test_a_silent_polling_client_is_forgotten_when_its_time_is_over(hasty: Server) -> None:
    for _ in range(5):
        async with RawPolling(hasty.url) as raw:
            await asyncio.sleep(0.5)
            assert (await raw.poll())[0] == 400


async def test_surplus_pongs_are_ignored(hasty: Server) -> None:
    async with RawSocket(hasty.url) as raw:
        await raw.connect()
        for _ in range(2000):
            await raw.send("3")
        await raw.send('421["sum",1,2]')
        async with asyncio.timeout(20):
            while await raw.receive() != "431[3]":
                pass


async def test_a_client_without_a_namespace_is_closed(hasty: Server) -> None:
    async with RawSocket(hasty.url) as raw:
        with pytest.raises(Gone):
            while True:
                await raw.receive(3)
