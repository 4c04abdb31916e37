# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""A server behind nginx and HAProxy, with the configurations of the article about proxies, as browsers reach it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
import socketio

from conftest import ended_well
from harness.client import LIMIT, Client
from harness.process import Server
from harness.web_server import WebServer, find
from test_http import UPGRADE

BOTH = ["polling", "websocket"]
WEBSOCKET = "/socket.io/?EIO=4&transport=websocket"


def needs(name: str) -> str:
    if find(name) is None:
        pytest.skip(f"{name} is not installed: scripts/bootstrap --tests does it")
    return name


@pytest.fixture(params=["nginx", "haproxy"])
def proxy(request: pytest.FixtureRequest) -> str:
    return needs(request.param)


@pytest_asyncio.fixture(scope="module")
async def trusting() -> AsyncIterator[Server]:
    """A server that trusts the proxies."""
    server = await Server("SocketIOConformanceServer", "--port", "0", "--trusted-proxies", "127.0.0.1").start()
    yield server
    await ended_well(server)


async def status(url: str, **headers: str) -> int:
    """The status of a WebSocket handshake."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(LIMIT)) as http:
        async with http.get(url + WEBSOCKET, headers=UPGRADE | headers) as response:
            return response.status


async def test_a_page_on_another_port_than_80_gets_a_websocket(server: Server, proxy: str) -> None:
    async with WebServer(proxy, server.port) as front:
        for transports in (BOTH, ["websocket"]):
            client = await Client().connect(front.url, transports=transports, headers={"Origin": front.url})
            assert client.transport == "websocket"
            assert await client.call("sum", 20, 22) == 42
            await client.close()


async def test_polling_alone_works(server: Server, proxy: str) -> None:
    async with WebServer(proxy, server.port) as front:
        client = await Client().connect(front.url, transports=["polling"], headers={"Origin": front.url})
        assert [await client.call("sum", index, 1) for index in range(20)] == list(range(1, 21))
        await client.close()


async def test_pages_of_others_are_refused(server: Server, proxy: str) -> None:
    async with WebServer(proxy, server.port) as front:
        assert await status(front.url, Origin=front.url) == 101
        for origin in ("http://127.0.0.1", "http://127.0.0.1:1", "https://evil.example", f"http://evil.example:{front.port}", "null"):
            assert await status(front.url, Origin=origin) == 403, origin


async def test_the_clients_address_comes_from_trusted_proxies_only(server: Server, trusting: Server, proxy: str) -> None:
    for target, address in ((trusting, "127.0.0.2"), (server, "127.0.0.1")):
        for transports in (BOTH, ["websocket"]):
            async with (
                WebServer(proxy, target.port) as front,
                aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))) as session,
            ):
                client = socketio.AsyncClient(http_session=session, handle_sigint=False, reconnection=False)
                # The client's own claims, of which the proxies make nothing.
                claims = {"X-Forwarded-For": "203.0.113.66", "Forwarded": "for=203.0.113.66", "X-Real-IP": "203.0.113.66"}
                await client.connect(front.url, headers=claims, transports=transports, wait_timeout=LIMIT)
                assert await client.call("address", timeout=LIMIT) == address
                await client.disconnect()


@pytest.mark.parametrize(
    ("written", "address"), [("::ffff:203.0.113.7", "203.0.113.7"), ("[2001:DB8:0::1]:80", "2001:db8::1"), ("203.0.113.7:80", "203.0.113.7")]
)
async def test_an_address_has_one_form(trusting: Server, written: str, address: str) -> None:
    for transports in (["polling"], ["websocket"]):
        client = await Client().connect(trusting.url, transports=transports, headers={"X-Forwarded-For": written})
        assert await client.call("address") == address
        await client.close()


class TestHost:
    """What becomes of proxies that do not forward the client's Host."""

    async def test_without_its_port_pages_stay_on_polling_and_the_log_says_why(self, proxy: str) -> None:
        changes = {
            "nginx": ("Host $http_host", "Host $host"),
            "haproxy": ("option forwardfor", "option forwardfor\n    http-request set-header Host 127.0.0.1"),
        }
        server = await Server("SocketIOConformanceServer", "--port", "0").start()
        async with WebServer(proxy, server.port, changes[proxy]) as front:
            for _ in range(3):
                assert await status(front.url, Origin=front.url) == 403
        await ended_well(server)
        [notice] = [line for line in server.log if "proxy_set_header Host $http_host" in line]
        assert "notice" in notice and front.url in notice and "127.0.0.1" in notice

    @pytest.mark.parametrize("field", ["X-Forwarded-Host", "Forwarded"])
    async def test_a_trusted_proxy_may_name_it_in_another_field(self, server: Server, trusting: Server, proxy: str, field: str) -> None:
        value = {"nginx": "$http_host", "haproxy": "%[req.hdr(host)]"}[proxy]
        forwarded = f'"host=\\"{value}\\""' if field == "Forwarded" else value
        changes = {
            "nginx": ("proxy_set_header Host $http_host;", f"proxy_set_header {field} {forwarded}; proxy_set_header Host backend;"),
            "haproxy": (
                "option forwardfor",
                f"option forwardfor\n    http-request set-header {field} {forwarded}\n    http-request set-header Host backend",
            ),
        }
        async with WebServer(proxy, trusting.port, changes[proxy]) as front:
            client = await Client().connect(front.url, transports=BOTH, headers={"Origin": front.url})
            assert client.transport == "websocket"
            await client.close()
            assert await status(front.url, Origin="https://evil.example") == 403
        async with WebServer(proxy, server.port, changes[proxy]) as front:
            assert await status(front.url, Origin=front.url) == 403
