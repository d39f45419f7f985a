"""Chromium, driven through its own debugging protocol: for pages of others, which post nothing to us.

Belongs here: clicks, keys, questions to a page, and its picture. Does not belong here: pages of ours (`browser`), and
what is looked at.
"""

import base64
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from websockets.sync.client import ClientConnection, connect

from emovid_assets_tests.browser import chromium, end

WAIT_S = 60.0
SIZE = (1400, 900)


class Page:
    """One tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._count = 0

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._count += 1
        self._socket.send(json.dumps({"id": self._count, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(WAIT_S))
            if message.get("id") == self._count:
                assert "error" not in message, message
                found: dict[str, Any] = message["result"]
                return found

    def ask(self, expression: str) -> Any:
        """The value of an expression of JavaScript."""
        found = self.command("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait_for(self, expression: str) -> Any:
        """Waits until it is true. Raises TimeoutError."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            if found := self.ask(expression):
                return found
            time.sleep(0.2)
        raise TimeoutError(expression)

    def click(self, element: str) -> None:
        """In the middle of what an expression finds."""
        x, y = self.ask(
            f"(() => {{const r = {element}.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]}})()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.command("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key: str, code: str, number: int) -> None:
        text = {"text": key} if len(key) == 1 else {}
        self.command("Input.dispatchKeyEvent", type="keyDown", key=key, code=code, windowsVirtualKeyCode=number, **text)
        self.command("Input.dispatchKeyEvent", type="keyUp", key=key, code=code, windowsVirtualKeyCode=number)

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.command("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def driven(address: str, cookies: dict[str, str]) -> Iterator[Page]:
    """A tab that has opened an address, signed in by cookies of it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(
            chromium(profile, "about:blank"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            port = _port(Path(profile))
            tabs = requests.get(f"http://127.0.0.1:{port}/json", timeout=10).json()
            tab = next(one for one in tabs if one["type"] == "page")
            with connect(tab["webSocketDebuggerUrl"], max_size=None, proxy=None) as socket:
                page = Page(socket)
                width, height = SIZE
                page.command(
                    "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
                )
                for name, value in cookies.items():
                    page.command("Network.setCookie", name=name, value=value, url=address)
                page.command("Page.navigate", url=address)
                yield page
        finally:
            end(browser)


def _port(profile: Path) -> int:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        try:
            return int((profile / "DevToolsActivePort").read_text(encoding="ascii").split()[0])
        except (OSError, IndexError):
            time.sleep(0.1)
    raise TimeoutError("Chromium did not start")
