# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""A python-socketio client that keeps what it hears."""

import asyncio
from typing import Any

import socketio
from engineio.payload import Payload

LIMIT = 10

# The client's own limit of 16 packets in one answer is lower than what a server sends at once to one who polls.
Payload.max_decode_packets = 10_000


class Client:
    """Events of every namespace end up in one inbox per (namespace, event), in order of arrival."""

    def __init__(self, *, parser: str = "json", reconnection: bool = False) -> None:
        self.io = socketio.AsyncClient(
            serializer="msgpack" if parser == "msgpack" else "default",
            reconnection=reconnection,
            reconnection_delay=0.1,
            reconnection_delay_max=0.5,
            handle_sigint=False,
        )
        self._inboxes: dict[tuple[str, str], asyncio.Queue[list[Any]]] = {}

    def _inbox(self, event: str, namespace: str) -> asyncio.Queue[list[Any]]:
        return self._inboxes.setdefault((namespace, event), asyncio.Queue())

    async def connect(
        self,
        url: str,
        *,
        namespaces: tuple[str, ...] = ("/",),
        transports: list[str] | None = None,
        auth: Any = None,
        headers: dict[str, str] | None = None,
    ) -> "Client":
        for namespace in namespaces:
            self._listen(namespace)
        await self.io.connect(
            url, headers=headers or {}, transports=transports, auth=auth, namespaces=list(namespaces), wait_timeout=LIMIT
        )
        return self

    def _listen(self, namespace: str) -> None:
        def keep(name: str) -> Any:
            async def handler(*arguments: Any) -> None:
                self._inbox(name, namespace).put_nowait(list(arguments))

            return handler

        async def anything(event: str, *arguments: Any) -> None:
            self._inbox(event, namespace).put_nowait(list(arguments))

        for name in ("connect", "disconnect", "connect_error"):
            self.io.on(name, keep(name), namespace=namespace)
        self.io.on("*", anything, namespace=namespace)

    async def next(self, event: str, namespace: str = "/", limit: float = LIMIT) -> Any:
        """The arguments of the next such event: one value bare, several as a list."""
        arguments = await asyncio.wait_for(self._inbox(event, namespace).get(), limit)
        return arguments[0] if len(arguments) == 1 else arguments

    def heard(self, event: str, namespace: str = "/") -> int:
        """How many such events wait in the inbox."""
        return self._inbox(event, namespace).qsize()

    async def call(self, event: str, *arguments: Any, namespace: str = "/", limit: float = LIMIT) -> Any:
        """Emits and waits for the acknowledgement: one value bare, several as a list."""
        answer = await self.io.call(event, arguments, namespace=namespace, timeout=limit)
        return list(answer) if isinstance(answer, tuple) else answer

    async def emit(self, event: str, *arguments: Any, namespace: str = "/") -> None:
        await self.io.emit(event, arguments, namespace=namespace)

    @property
    def id(self) -> str:
        return self.io.get_sid()

    @property
    def transport(self) -> str:
        return self.io.transport()

    async def cut(self) -> None:
        """Breaks the connection without a word to the server, as a lost network does."""
        websocket = self.io.eio.ws
        if websocket is not None:
            await websocket.close()
        else:
            await self.io.eio.http.close()

    async def close(self) -> None:
        """Leaves; a server that does not answer the goodbye is not waited for."""
        try:
            await asyncio.wait_for(self.io.shutdown(), 5)
        except TimeoutError:
            await self.io.eio.disconnect(abort=True)
