"""A headless Chromium, driven over its DevTools protocol with the WebSocket library that is there anyway."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LATEST = 30.0  # seconds that anything in the browser may take; a loaded machine needs some of them to start it


class Browser:
    """One tab. `requests` are the URLs that it asked for, `errors` what its console and its scripts complained of."""

    def __init__(self, ws: ClientConnection) -> None:
        self._ws = ws
        self._ids = itertools.count(1)
        self._session = ""
        self.requests: list[str] = []
        self.errors: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> Any:
        """A DevTools command, and what came of it."""
        ident = next(self._ids)
        message = {"id": ident, "method": method, "params": params}
        self._ws.send(json.dumps(message | ({"sessionId": self._session} if self._session else {})))
        until = time.monotonic() + LATEST
        while True:
            told = json.loads(self._ws.recv(timeout=until - time.monotonic()))
            if told.get("id") == ident:
                assert "error" not in told, told
                return told["result"]
            self._note(told)

    def _note(self, told: dict[str, Any]) -> None:
        params = told.get("params", {})
        match told.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Network.webSocketCreated":
                self.requests.append(params["url"])
            case "Runtime.exceptionThrown":
                self.errors.append(json.dumps(params["exceptionDetails"]))
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                self.errors.append(json.dumps(params["entry"]))

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)

    def value(self, expression: str) -> Any:
        """What an expression gives in the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait_true(self, expression: str, within: float = LATEST) -> None:
        """Until the expression holds in the page."""
        until = time.monotonic() + within
        while not self.value(f"Boolean({expression})"):
            assert time.monotonic() < until, f"never true: {expression}\n{self.value('document.body.innerText')}"
            time.sleep(0.02)

    def click(self, selector: str) -> None:
        """A real click in the middle of an element."""
        box = self.value(
            f"(e => {{ e.scrollIntoView({{block: 'center'}}); const b = e.getBoundingClientRect();"
            f" return [b.x + b.width / 2, b.y + b.height / 2] }})(document.querySelector({json.dumps(selector)}))"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def screenshot(self, path: Path, *, width: int = 1400, height: int = 1000, dark: bool = False) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("no Chromium on this machine: install it, or name it in the variable CHROMIUM")
    profile = tmp_path / "profile"
    command = [
        program,
        "--headless=new",
        "--no-sandbox",  # root, as in most containers, has none; it opens nothing but our own page
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
        "--no-proxy-server",
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
        "about:blank",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        told = profile / "DevToolsActivePort"
        until = time.monotonic() + LATEST
        while not told.exists() or told.read_text().count("\n") < 1:
            assert process.poll() is None, f"{program} ended with {process.returncode}"
            assert time.monotonic() < until, f"{program} did not start in {LATEST} s"
            time.sleep(0.02)
        port, path = told.read_text().splitlines()
        with connect(f"ws://127.0.0.1:{port}{path}", max_size=None, compression=None, proxy=None) as ws:
            tab = Browser(ws)
            yield tab
            tab._session = ""
            tab.call("Browser.close")
        process.wait(LATEST)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
