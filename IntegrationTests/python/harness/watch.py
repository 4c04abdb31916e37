# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""What an attack does to others: an innocent client's latency and the server's memory meanwhile."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.client import Client
from harness.process import Server


@dataclass
class Watch:
    """What was seen between the beginning and the end of an attack."""

    before: int
    peak: int = 0
    latencies: list[float] = field(default_factory=list)

    @property
    def growth(self) -> int:
        """Of the server's resident memory, in kilobytes."""
        return self.peak - self.before

    @property
    def slowest(self) -> float:
        """The innocent client's longest call, in seconds."""
        return max(self.latencies)


@contextlib.asynccontextmanager
async def watched(server: Server, innocent: Client) -> AsyncIterator[Watch]:
    """Calls on behalf of an innocent client, every 50 ms, while the block attacks the server."""
    watch = Watch(server.resident_kilobytes())
    ended = False

    async def look() -> None:
        while not ended or not watch.latencies:
            start = time.monotonic()
            assert await innocent.call("sum", 1, 2, limit=30) == 3
            watch.latencies.append(time.monotonic() - start)
            watch.peak = max(watch.peak, server.resident_kilobytes())
            await asyncio.sleep(0.05)

    looking = asyncio.create_task(look())
    try:
        yield watch
    finally:
        ended = True
        await looking
        print(f"memory grew by {watch.growth} kB, the slowest call took {watch.slowest:.3f} s")


def processor_seconds(server: Server) -> float:
    """What the process has used of the processors so far."""
    fields = Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100
