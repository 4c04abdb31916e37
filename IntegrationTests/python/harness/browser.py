# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""A headless Chromium, spoken to over the DevTools protocol: no driver program and no further package is needed."""

import asyncio
import base64
import contextlib
import itertools
import json
import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any

import aiohttp

from .process import ARTIFACTS

NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chrome")
START_LIMIT = 60
COMMAND_LIMIT = 30


def find() -> str | None:
    """The browser to use: CHROME, else the first known name on the PATH."""
    return os.environ.get("CHROME") or next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One browser process with a profile of its own. Every tab gets its own storage, as if it were another person's."""

    def __init__(self) -> None:
        self._profile = tempfile.mkdtemp(prefix="chat-browser-")
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._tabs: dict[str, "Tab"] = {}

    async def start(self) -> "Browser":
        path = find()
        assert path, "no Chromium found; run scripts/bootstrap --tests, or set CHROME"
        self._process = await asyncio.create_subprocess_exec(
            path,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-timer-throttling",
            "--disable-backgrounding-occluded-windows",
            "--disable-renderer-backgrounding",
            "--disable-background-networking",
            "--disable-extensions",
            "--no-first-run",
            "--hide-scrollbars",
            "--lang=en-GB",
            "--remote-debugging-port=0",
            f"--user-data-dir={self._profile}",
            "about:blank",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=1 << 20,
        )
        address = await asyncio.wait_for(self._address(), START_LIMIT)
        self._drain = asyncio.create_task(self._process.stderr.read())
        self._http = aiohttp.ClientSession()
        self._socket = await self._http.ws_connect(address, max_msg_size=0)
        self._reader = asyncio.create_task(self._read())
        return self

    async def _address(self) -> str:
        async for line in self._process.stderr:
            if b"DevTools listening on " in line:
                return line.split(b" on ", 1)[1].decode().strip()
        raise RuntimeError("Chromium ended before it listened")

    async def _read(self) -> None:
        async for message in self._socket:
            body = json.loads(message.data)
            if "id" in body:
                answer = self._answers.pop(body["id"], None)
                if answer and not answer.done():
                    answer.set_result(body)
            elif tab := self._tabs.get(body.get("sessionId", "")):
                tab.heard(body["method"], body["params"])

    async def command(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        number = next(self._ids)
        self._answers[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        await self._socket.send_json(message)
        body = await asyncio.wait_for(self._answers[number], COMMAND_LIMIT)
        if "error" in body:
            raise RuntimeError(f"{method}: {body['error']}")
        return body["result"]

    async def tab(self, url: str, *, width: int, height: int, scale: float = 1, mobile: bool = False, dark: bool = False) -> "Tab":
        context = (await self.command("Target.createBrowserContext"))["browserContextId"]
        target = (await self.command("Target.createTarget", url="about:blank", browserContextId=context))["targetId"]
        session = (await self.command("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        tab = Tab(self, session)
        self._tabs[session] = tab
        for domain in ("Page", "Runtime", "Network", "Log"):
            await tab.command(f"{domain}.enable")
        await tab.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=mobile)
        await tab.command("Emulation.setFocusEmulationEnabled", enabled=True)
        await tab.command("Emulation.setLocaleOverride", locale="en-GB")
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await tab.command("Emulation.setEmulatedMedia", features=features)
        await tab.command("Page.navigate", url=url)
        await tab.until("document.readyState === 'complete'")
        return tab

    async def stop(self) -> None:
        try:
            await self.command("Browser.close")
        except Exception:
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), 10)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # its helpers may outlive it
        await self._http.close()
        self._reader.cancel()
        self._drain.cancel()
        shutil.rmtree(self._profile, ignore_errors=True)


class Tab:
    """One page. `problems` holds uncaught exceptions and console errors."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session
        self.problems: list[str] = []

    def heard(self, method: str, parameters: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.problems.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            # A connection that the test cuts is reported, too; the page is not at fault.
            if parameters["entry"]["source"] != "network":
                self.problems.append(parameters["entry"]["text"])

    async def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        return await self._browser.command(method, self._session, **parameters)

    async def run(self, script: str) -> Any:
        """The value of a JavaScript expression; a promise is awaited."""
        result = await self.command("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"].get("exception", {}).get("description", "script failed"))
        return result["result"].get("value")

    async def until(self, condition: str, limit: float = 20) -> Any:
        """Waits, inside the page, until the expression is true."""
        value = await self.run(
            f"""new Promise((done) => {{
                const end = Date.now() + {limit * 1000};
                (function look() {{
                    const value = Boolean({condition});
                    if (value || Date.now() > end) done(value); else setTimeout(look, 25);
                }})();
            }})"""
        )
        if not value:
            picture = await self.screenshot("failure")
            raise AssertionError(f"not true within {limit} s: {condition}\nproblems: {self.problems}\nscreenshot: {picture}")
        return value

    async def write(self, selector: str, text: str) -> None:
        """Types the text as a keyboard would."""
        await self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        await self.command("Input.insertText", text=text)

    async def press_enter(self) -> None:
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
        await self.command("Input.dispatchKeyEvent", type="keyDown", text="\r", **key)
        await self.command("Input.dispatchKeyEvent", type="keyUp", **key)

    async def click(self, selector: str) -> None:
        """Presses the mouse in the middle of the element, so what covers it is noticed."""
        await self.until(f"document.querySelector({json.dumps(selector)})")
        box = await self.run(
            f"""(() => {{
                const element = document.querySelector({json.dumps(selector)});
                element.scrollIntoView({{ block: "nearest" }});
                const {{ x, y, width, height }} = element.getBoundingClientRect();
                return {{ x: x + width / 2, y: y + height / 2 }};
            }})()"""
        )
        mouse = {"x": box["x"], "y": box["y"], "button": "left", "clickCount": 1}
        await self.command("Input.dispatchMouseEvent", type="mousePressed", **mouse)
        await self.command("Input.dispatchMouseEvent", type="mouseReleased", **mouse)

    async def offline(self, cut: bool) -> None:
        """Takes this tab's network away, or gives it back."""
        await self.command("Network.emulateNetworkConditions", offline=cut, latency=0, downloadThroughput=-1, uploadThroughput=-1)

    async def screenshot(self, name: str) -> Path:
        """Saves what the tab shows as artifacts/NAME.png."""
        await self.run("document.fonts.ready.then(() => new Promise((done) => setTimeout(done, 300)))")
        data = (await self.command("Page.captureScreenshot", format="png"))["data"]
        ARTIFACTS.mkdir(exist_ok=True)
        path = ARTIFACTS / f"{name}.png"
        path.write_bytes(base64.b64decode(data))
        return path
