"""Fixtures: one test server and one chat for the whole run, a browser for the page."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from harness.browser import Browser
from harness.process import CLIENT_JS, Server


@pytest_asyncio.fixture(scope="session")
async def chat() -> AsyncIterator[Server]:
    """The chat, with the official JavaScript client beside it."""
    server = await Server("ChatServer", "--port", "0", "--client", str(CLIENT_JS)).start()
    yield server
    await ended_well(server)


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    browser = await Browser().start()
    yield browser
    await browser.stop()


@pytest_asyncio.fixture(scope="session", params=["json", "msgpack"])
async def parsed(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Server, str]]:
    """A test server for each parser. Frequent pings: a python-socketio client that polls may leave without a word, and then waits for one."""
    server = await Server("ConformanceServer", "--port", "0", "--parser", request.param, "--ping-interval", "2000").start()
    yield server, request.param
    await ended_well(server)


@pytest_asyncio.fixture(scope="session")
async def server() -> AsyncIterator[Server]:
    """A test server with the default parser."""
    server = await Server("ConformanceServer", "--port", "0").start()
    yield server
    await ended_well(server)


async def ended_well(server: Server) -> None:
    assert server.alive, f"{server.name} died:\n" + "\n".join(server.log[-40:])
    assert await server.stop() == 0, f"{server.name} did not end well:\n" + "\n".join(server.log[-40:])
