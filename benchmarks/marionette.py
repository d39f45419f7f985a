"""Firefox, headless, driven through the port that it opens itself (Marionette): pages that need an account.

Belongs here: the browser's process, and commands to it. Does not belong here: pages. Pages of our own need no driver
(`emovid_assets_tests.browser`).
"""

import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emovid_assets_tests.browser import FIREFOX, end

START_S = 60
SCRIPT_S = 60


class Marionette:
    """A session with one window."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=2 * SCRIPT_S)
        self._file = self._socket.makefile("rb")
        self._count = 0
        self._read()
        self.call("WebDriver:NewSession")
        self.call("WebDriver:SetTimeouts", script=1000 * SCRIPT_S)

    def call(self, name: str, **parameters: Any) -> Any:
        """What a command gives. Raises RuntimeError with the browser's own message."""
        self._count += 1
        body = json.dumps([0, self._count, name, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(body), body))
        _, _, error, found = self._read()
        if error:
            raise RuntimeError(f"{name}: {error['error']}: {error['message']}")
        return found["value"] if isinstance(found, dict) and "value" in found else found

    def run(self, script: str) -> Any:
        """What the body of an asynchronous function returns in the page."""
        wrapped = (
            f"const done = arguments[0]; (async () => {{ {script} }})().then(done, e => done({{error: String(e)}}))"
        )
        found = self.call("WebDriver:ExecuteAsyncScript", script=wrapped, args=[])
        if isinstance(found, dict) and "error" in found:
            raise RuntimeError(found["error"])
        return found

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _read(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            length += self._file.read(1) or _gone()
        return json.loads(self._file.read(int(length[:-1])))


def _gone() -> bytes:
    raise RuntimeError("Firefox has closed the connection")


@contextmanager
def firefox() -> Iterator[Marionette]:
    """A Firefox with a profile of its own and its own settings, as people have it. Raises TimeoutError."""
    assert FIREFOX
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        Path(profile, "user.js").write_text('user_pref("marionette.port", 0);', encoding="utf-8")
        command = [FIREFOX, "--headless", "--no-remote", "--marionette", "--profile", profile]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            session = Marionette(_port(Path(profile, "MarionetteActivePort")))
            try:
                yield session
            finally:
                session.close()
        finally:
            end(browser)


def _port(file: Path) -> int:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if file.exists() and (text := file.read_text(encoding="utf-8").strip()):
            return int(text)
        time.sleep(0.1)
    raise TimeoutError(f"Firefox was not ready after {START_S} s")
