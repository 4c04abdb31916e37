# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""A MongoDB replica set, driven through the `ReplicaSet` executable, which removes it when this process is gone."""

import asyncio

from harness.process import executable

START_LIMIT = 60
COMMAND_LIMIT = 60


class Unavailable(Exception):
    """No mongod is available."""


class ReplicaSet:
    """Three members on free ports."""

    def __init__(self) -> None:
        self.url = ""
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> "SocketIOReplicaSet":
        self._process = await asyncio.create_subprocess_exec(
            str(executable("SocketIOReplicaSet")),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        line = await asyncio.wait_for(self._line(), START_LIMIT)
        if not line.startswith("ready "):
            assert self._process.stderr is not None
            raise Unavailable((await self._process.stderr.read()).decode().strip())
        self.url = line.removeprefix("ready ")
        return self

    async def _line(self) -> str:
        assert self._process is not None and self._process.stdout is not None
        return (await self._process.stdout.readline()).decode().strip()

    async def command(self, text: str) -> str:
        """Gives a command and waits until it is done."""
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(f"{text}\n".encode())
        answer = await asyncio.wait_for(self._line(), COMMAND_LIMIT)
        assert answer.startswith("done: "), f"{text}: {answer}"
        return answer.removeprefix("done: ")

    async def stop(self) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        await asyncio.wait_for(self._process.wait(), COMMAND_LIMIT)
