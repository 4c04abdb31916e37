# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""Engine.IO spoken by hand: for what a well-behaved client never sends."""

import asyncio
import json
from typing import Any, Self

import aiohttp

LIMIT = 10
SEPARATOR = "\x1e"


class Gone(Exception):
    """The server closed the connection."""

    def __init__(self, code: int | None = None) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class RawSocket:
    """A WebSocket session. Pings are answered unless told otherwise."""

    def __init__(self, url: str, *, pong: bool = True) -> None:
        self._url = url
        self._pong = pong
        self.handshake: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        address = self._url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
        try:
            self._socket = await self._http.ws_connect(address, max_msg_size=0, compress=0)
            first = await self.receive()
            assert isinstance(first, str) and first[0] == "0", first
            self.handshake = json.loads(first[1:])
        except BaseException:
            await self._http.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def send(self, frame: str | bytes) -> None:
        """Sends one Engine.IO packet; a connection that the server has closed is not an error here."""
        try:
            if isinstance(frame, str):
                await self._socket.send_str(frame)
            else:
                await self._socket.send_bytes(frame)
        except (ConnectionError, aiohttp.ClientError):
            pass

    async def receive(self, limit: float = LIMIT) -> str | bytes:
        """The next packet that is not a ping; raises Gone if the server has closed the connection."""
        while True:
            message = await self._socket.receive(limit)
            if message.type is aiohttp.WSMsgType.TEXT:
                if message.data == "2" and self._pong:
                    await self.send("3")
                    continue
                return message.data
            if message.type is aiohttp.WSMsgType.BINARY:
                return message.data
            raise Gone(self._socket.close_code)

    async def connect(self, namespace: str = "/", auth: Any = None) -> dict[str, Any]:
        """Connects a namespace and returns what the server's CONNECT carries; raises if it refuses."""
        prefix = "" if namespace == "/" else namespace + ","
        await self.send(f"40{prefix}" + (json.dumps(auth) if auth is not None else ""))
        while True:
            packet = await self.receive()
            if isinstance(packet, str) and packet.startswith(f"40{prefix}"):
                return json.loads(packet[2 + len(prefix) :] or "{}")
            if isinstance(packet, str) and packet.startswith("44"):
                raise ConnectionRefusedError(packet)

    async def event(self, name: str, limit: float = LIMIT) -> list[Any]:
        """The arguments of the next event with that name in the main namespace."""
        while True:
            packet = await self.receive(limit)
            if isinstance(packet, str) and packet.startswith("42["):
                arguments = json.loads(packet[2:])
                if arguments[0] == name:
                    return arguments[1:]

    async def until_closed(self, limit: float = LIMIT) -> int | None:
        """Reads on until the server closes; returns the WebSocket's close code."""
        async with asyncio.timeout(limit):
            try:
                while True:
                    await self.receive(limit)
            except Gone as gone:
                return gone.code

    def abort(self) -> None:
        """Resets the TCP connection: no close frame, no close packet."""
        transport = self._socket._response.connection.transport
        transport.abort()


class RawPolling:
    """A long-polling session."""

    def __init__(self, url: str) -> None:
        self.base = url + "/socket.io/?EIO=4&transport=polling"
        self.handshake: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        self.http = aiohttp.ClientSession()
        status, body = await self.get(self.base)
        assert status == 200 and body[0] == "0", (status, body)
        self.handshake = json.loads(body[1:])
        self.address = f"{self.base}&sid={self.handshake['sid']}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()

    async def get(self, address: str) -> tuple[int, str]:
        async with self.http.get(address, timeout=aiohttp.ClientTimeout(LIMIT)) as response:
            return response.status, await response.text()

    async def poll(self) -> tuple[int, list[str]]:
        """One poll: the status and its packets."""
        status, body = await self.get(self.address)
        return status, body.split(SEPARATOR)

    async def post(self, body: str | bytes, **headers: str) -> tuple[int, str]:
        fields = {"content-type": "text/plain;charset=UTF-8"} | {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.post(self.address, data=body, headers=fields, timeout=aiohttp.ClientTimeout(LIMIT)) as response:
            return response.status, await response.text()
