# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""Runs nginx or HAProxy with the configuration of the article about proxies, on a free port of its own."""

import asyncio
import contextlib
import re
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Self

from harness.process import ROOT

ARTICLE = ROOT / "Sources/EngineIO/Documentation.docc/Behind-a-proxy.md"
LIMIT = 10

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {block}
}}
"""


def find(name: str) -> str | None:
    """The program; Debian has servers where only root looks for them."""
    return shutil.which(name) or shutil.which(f"/usr/sbin/{name}")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def block(language: str) -> str:
    """The configuration in the article."""
    [found] = re.findall(rf"^```{language}\n(.*?)^```$", ARTICLE.read_text(), re.MULTILINE | re.DOTALL)
    return found


class WebServer:
    """A proxy in front of a server of this machine. Its configuration is the article's, but for addresses and ports.

    `changes` are pairs of texts: what stands in the article, and what to write instead.
    """

    def __init__(self, name: str, target: int, *changes: tuple[str, str]) -> None:
        self.name = name
        self.port = free_port()
        self._target = target
        self._changes = changes
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _configuration(self) -> str:
        text = block(self.name)
        second = [line for line in text.splitlines() if "10.0.0.2:3000" in line]
        for old, new in (
            *self._changes,
            (f"{second[0]}\n", ""),
            ("10.0.0.1:3000", f"127.0.0.1:{self._target}"),
            ("listen 80;", f"listen 127.0.0.1:{self.port};") if self.name == "nginx" else ("bind :80", f"bind 127.0.0.1:{self.port}"),
        ):
            assert old in text, f"the article's configuration of {self.name} has no {old!r}"
            text = text.replace(old, new)
        return NGINX.format(folder=self._folder.name, block=text) if self.name == "nginx" else text

    async def __aenter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix=f"swift-socketio-{self.name}-")
        folder = Path(self._folder.name)
        file = folder / "configuration"
        file.write_text(self._configuration())
        program = find(self.name)
        assert program is not None
        options = ["-p", str(folder), "-e", "stderr", "-c", str(file)] if self.name == "nginx" else ["-db", "-f", str(file)]
        self._process = await asyncio.create_subprocess_exec(
            program, *options, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        try:
            async with asyncio.timeout(LIMIT):
                while not await self._accepts():
                    assert self._process.returncode is None, await self._output()
                    await asyncio.sleep(0.05)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def _accepts(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except ConnectionError:
            return False
        writer.close()
        return True

    async def _output(self) -> str:
        assert self._process is not None and self._process.stdout is not None
        return (await self._process.stdout.read()).decode(errors="replace")

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        self._folder.cleanup()
