# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""What the server says to plain HTTP: Engine.IO's error answers, CORS, the client file."""

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from harness.browser import Browser
from harness.process import CLIENT_JS, Server
from harness.raw import RawPolling

FRIEND = "https://friend.example"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as session:
        yield session


@pytest.mark.parametrize(
    ("method", "query", "code", "message"),
    [
        ("GET", "transport=polling", 5, "Unsupported protocol version"),
        ("GET", "EIO=abc&transport=polling", 5, "Unsupported protocol version"),
        ("GET", "EIO=3&transport=polling", 5, "Unsupported protocol version"),
        ("GET", "EIO=4&transport=polling&j=0", 5, "Unsupported protocol version"),
        ("GET", "EIO=4", 0, "Transport unknown"),
        ("GET", "", 0, "Transport unknown"),
        ("GET", "EIO=4&transport=abc", 0, "Transport unknown"),
        ("GET", "EIO=4&transport=__proto__", 0, "Transport unknown"),
        ("POST", "EIO=4&transport=polling", 2, "Bad handshake method"),
        ("PUT", "EIO=4&transport=polling", 2, "Bad handshake method"),
        ("GET", "EIO=4&transport=polling&sid=zzz", 1, "Session ID unknown"),
        ("POST", "EIO=4&transport=polling&sid=zzz", 1, "Session ID unknown"),
        ("GET", "EIO=4&transport=websocket", 3, "Bad request"),
    ],
)
async def test_wrong_requests_are_answered_with_the_protocols_errors(
    http: aiohttp.ClientSession, server: Server, method: str, query: str, code: int, message: str
) -> None:
    async with http.request(method, f"{server.url}/socket.io/?{query}") as response:
        assert response.status == 400
        assert response.headers["content-type"].startswith("application/json")
        assert json.loads(await response.text()) == {"code": code, "message": message}


async def test_head_is_refused(http: aiohttp.ClientSession, server: Server) -> None:
    async with http.head(f"{server.url}/socket.io/?EIO=4&transport=polling") as response:
        assert response.status == 400


async def test_a_refused_handshake_is_403(http: aiohttp.ClientSession, server: Server) -> None:
    async with http.get(f"{server.url}/socket.io/?EIO=4&transport=polling", headers={"x-refuse": "1"}) as response:
        assert response.status == 403
        assert json.loads(await response.text())["code"] == 4
    async with http.get(f"{server.url}/socket.io/?EIO=4&transport=websocket", headers=UPGRADE | {"x-refuse": "1"}) as response:
        assert response.status == 403


@pytest.mark.parametrize("query", ["EIO=5&transport=websocket", "EIO=4&transport=abc", "EIO=4&transport=websocket&sid=zzz"])
async def test_wrong_upgrades_are_refused(http: aiohttp.ClientSession, server: Server, query: str) -> None:
    async with http.get(f"{server.url}/socket.io/?{query}", headers=UPGRADE) as response:
        assert response.status == 400


async def test_an_upgrade_is_answered_with_each_header_once(http: aiohttp.ClientSession, server: Server) -> None:
    """Browsers refuse the connection otherwise; other clients do not mind."""
    async with http.get(f"{server.url}/socket.io/?EIO=4&transport=websocket", headers=UPGRADE | {"Origin": FRIEND}) as response:
        assert response.status == 101
        names = [name.lower() for name in response.headers]
        assert sorted(names) == sorted(set(names))
        assert response.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


async def test_the_handshake_announces_the_servers_settings(server: Server) -> None:
    async with RawPolling(server.url) as session:
        assert session.handshake["upgrades"] == ["websocket"]
        assert session.handshake["pingInterval"] == 25_000
        assert session.handshake["pingTimeout"] == 20_000
        assert session.handshake["maxPayload"] == 1_000_000
        assert len(session.handshake["sid"]) >= 15  # 6 random bits each


async def test_polling_answers_as_the_reference_server_does(server: Server) -> None:
    async with RawPolling(server.url) as session:
        async with session.http.post(session.address, data="40", headers={"content-type": "text/plain"}) as response:
            assert (response.status, await response.text()) == (200, "ok")
            assert response.headers["content-type"] == "text/html"
        async with session.http.get(session.address) as response:
            assert response.status == 200
            assert response.headers["content-type"].lower() == "text/plain; charset=utf-8"
            assert response.headers["cache-control"] == "no-store"
            assert (await response.text()).startswith("40{")


class TestOrigins:
    async def test_a_stranger_gets_no_permission(self, http: aiohttp.ClientSession, server: Server) -> None:
        for origin in ("https://evil.example", "https://friend.example.evil.example", "https://xfriend.example", "null", "http://friend.example"):
            async with http.get(f"{server.url}/socket.io/?EIO=4&transport=polling", headers={"Origin": origin}) as response:
                assert "access-control-allow-origin" not in response.headers, origin

    async def test_a_friend_gets_it(self, http: aiohttp.ClientSession, server: Server) -> None:
        async with http.get(f"{server.url}/socket.io/?EIO=4&transport=polling", headers={"Origin": FRIEND}) as response:
            assert response.status == 200
            assert response.headers["access-control-allow-origin"] == FRIEND
            assert "origin" in response.headers["vary"].lower()

    async def test_preflight_is_answered_before_any_session_is_looked_up(self, http: aiohttp.ClientSession, server: Server) -> None:
        headers = {"Origin": FRIEND, "Access-Control-Request-Method": "POST"}
        for query in ("EIO=4&transport=polling", "EIO=4&transport=polling&sid=zzz"):
            async with http.options(f"{server.url}/socket.io/?{query}", headers=headers) as response:
                assert response.status == 204
                assert response.headers["access-control-allow-origin"] == FRIEND
                assert "POST" in response.headers["access-control-allow-methods"]

    async def test_a_strangers_websocket_is_refused(self, http: aiohttp.ClientSession, server: Server) -> None:
        address = f"{server.url}/socket.io/?EIO=4&transport=websocket"
        async with http.get(address, headers=UPGRADE | {"Origin": "https://evil.example"}) as response:
            assert response.status in (400, 403)
        async with http.ws_connect(address, headers={"Origin": FRIEND}) as socket:
            assert (await socket.receive_str(timeout=5)).startswith("0{")


class TestClientFile:
    async def test_it_is_served_with_an_etag(self, http: aiohttp.ClientSession, chat: Server) -> None:
        address = f"{chat.url}/socket.io/socket.io.js"
        async with http.get(address) as response:
            assert response.status == 200
            assert "javascript" in response.headers["content-type"]
            assert await response.read() == CLIENT_JS.read_bytes()
            etag = response.headers["etag"]
        async with http.get(address, headers={"If-None-Match": etag}) as response:
            assert response.status == 304
            assert await response.read() == b""

    async def test_it_is_compressed(self, chat: Server) -> None:
        async with aiohttp.ClientSession(auto_decompress=False) as http:
            async with http.get(f"{chat.url}/socket.io/socket.io.js", headers={"Accept-Encoding": "gzip"}) as response:
                assert response.headers["content-encoding"] == "gzip"
                assert len(await response.read()) < CLIENT_JS.stat().st_size / 2


async def test_the_official_client_reports_one_reason_for_a_post_that_is_too_large(browser: Browser, chat: Server) -> None:
    tab = await browser.tab(chat.url + "/", width=800, height=600)
    for _ in range(5):
        ending = await tab.run(
            """new Promise((done) => {
                const socket = io({ forceNew: true, transports: ["polling"], reconnection: false, auth: { nick: "Ada" } });
                socket.on("connect", () => socket.emit("large", "x".repeat(1_100_000)));
                socket.on("connect_error", (error) => done(["connect_error", error.message]));
                socket.on("disconnect", (reason, details) => done([reason, details?.description]));
            })"""
        )
        assert ending == ["transport error", 413]


class TestPage:
    async def test_the_page_has_a_strict_policy(self, http: aiohttp.ClientSession, chat: Server) -> None:
        async with http.get(f"{chat.url}/") as response:
            assert response.status == 200
            assert response.headers["content-type"].startswith("text/html")
            assert "default-src 'self'" in response.headers["content-security-policy"]
        async with http.get(f"{chat.url}/chat.js") as response:
            assert response.headers["content-type"].startswith("text/javascript")

    @pytest.mark.parametrize("path", ["/nothing", "/../Package.swift", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fPackage.swift"])
    async def test_nothing_else_is_served(self, http: aiohttp.ClientSession, chat: Server, path: str) -> None:
        async with http.get(f"{chat.url}{path}") as response:
            assert response.status == 404
