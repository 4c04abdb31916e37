"""Fixtures: one test server and one chat for the whole run, a browser for the page."""

from collections.abc import AsyncIterator

import pytest_asyncio

from harness.browser import Browser
from harness.process import CLIENT_JS, Server


@pytest_asyncio.fixture(scope="session")
async def chat() -> AsyncIterator[Server]:
    """The chat, with the official JavaScript client beside it."""
    server = await Server("ChatServer", "--port", "0", "--client", str(CLIENT_JS)).start()
    yield server
    assert server.alive, "the chat died:\n" + "\n".join(server.log[-40:])
    assert await server.stop() == 0, "the chat did not end well:\n" + "\n".join(server.log[-40:])


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    browser = await Browser().start()
    yield browser
    await browser.stop()
