# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""What scripted peers of all formats have in common: a collection that is watched, tasks, and waiting for what documents change."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

from pymongo import AsyncMongoClient

LIMIT = 20

T = TypeVar("T")


class Peer(ABC):
    """Takes part in the cluster of a collection."""

    def __init__(self, url: str, collection: str) -> None:
        self._changed = asyncio.Event()
        self._client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url)
        self.collection = self._client.get_default_database("socketio")[collection]
        self._tasks: list[asyncio.Task[None]] = []

    async def _begin(self, match: dict[str, Any]) -> None:
        stream = await self.collection.watch([{"$match": match}])
        self._tasks = [asyncio.create_task(self._read(stream)), asyncio.create_task(self._beat())]

    async def stop(self) -> None:
        """Falls silent: neither format has a goodbye."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._client.close()

    async def until(self, condition: Callable[[], T]) -> T:
        """Waits until something that documents change is so."""

        async def holds() -> T:
            while not (value := condition()):
                self._changed.clear()
                await self._changed.wait()
            return value

        return await asyncio.wait_for(holds(), LIMIT)

    async def _read(self, stream: Any) -> None:
        async with stream:
            async for change in stream:
                if change["operationType"] == "insert":
                    await self._receive(change["fullDocument"])

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(1)
            await self._say_alive()

    @abstractmethod
    async def _receive(self, document: dict[str, Any]) -> None: ...

    @abstractmethod
    async def _say_alive(self) -> None: ...
