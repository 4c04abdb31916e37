# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""Starts a server of this repository as a process and ends it, whatever happens to the test."""

import asyncio
import os
import re
import signal
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ARTIFACTS = ROOT / "artifacts"
CLIENT_JS = ROOT / ".cache" / "socket.io.min.js"
START_LIMIT = 30
STOP_LIMIT = 45  # a server waits 30 s for clients that do not take their goodbye


def executable(name: str) -> Path:
    """The built executable: from SERVER_DIRECTORY, else where `swift build` puts it."""
    directory = os.environ.get("SERVER_DIRECTORY")
    if not directory:
        directory = subprocess.run(
            ["swift", "build", "--show-bin-path"], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.strip()
    path = Path(directory) / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run `swift build --product {name}` first")
    return path


class Server:
    """A process that prints `listening PORT` once it accepts connections."""

    def __init__(self, name: str, *arguments: str) -> None:
        self.name = name
        self.arguments = arguments
        self.port = 0
        self.log: list[str] = []
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> "Server":
        # A stand-in can be given as a whole command line: it gets the same arguments.
        override = os.environ.get(f"{self.name.upper()}_COMMAND")
        command = override.split() if override else [str(executable(self.name))]
        self._process = await asyncio.create_subprocess_exec(
            *command,
            *self.arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd="/",
            start_new_session=True,
            limit=1 << 20,
        )
        self._reader = asyncio.create_task(self._read())
        waiting = asyncio.create_task(self._listening.wait())
        try:
            await asyncio.wait({waiting, self._reader}, timeout=START_LIMIT, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if not self._listening.is_set():
            await self.stop()
            raise RuntimeError(f"{self.name} did not start:\n" + "\n".join(self.log[-40:]))
        return self

    async def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        async for line in self._process.stdout:
            text = line.decode(errors="replace").rstrip()
            self.log.append(text)
            if match := re.match(r"listening (\d+)", text):
                self.port = int(match.group(1))
                self._listening.set()

    async def wait(self) -> int:
        """Waits until the process ends by itself; returns its exit code."""
        assert self._process is not None
        code = await self._process.wait()
        await self.stop()
        return code

    def kill(self) -> None:
        """As a crash does it: no goodbye."""
        assert self._process is not None
        self._process.kill()

    async def stop(self) -> int | None:
        """Ends the process with SIGTERM, then by force; returns its exit code and keeps its log."""
        process = self._process
        if process is None:
            return None
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), STOP_LIMIT)
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._reader is not None:
            await self._reader
        ARTIFACTS.mkdir(exist_ok=True)
        (ARTIFACTS / f"{self.name}-{process.pid}.log").write_text("\n".join(self.log) + "\n")
        return process.returncode

    def resident_kilobytes(self) -> int:
        """Memory of the process now, from /proc."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise RuntimeError("no VmRSS")
