"""Debian's Chromium or Firefox, headless, without any driver: it opens a page, which posts what it found to our server.

Belongs here: the server, the browser's process and its flags. Does not belong here: pages, and what they look at.
"""

import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
FIREFOX_SETTINGS = {
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "app.update.enabled": False,
}
WAIT_S = 120
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Served:
    """What stands at a path. Ranges of it are given, as players ask for them."""

    body: bytes
    content_type: str = HTML


@dataclass(frozen=True)
class Visit:
    """What the page posted, the paths that were asked for, and the lines of the browser's console."""

    posted: dict[str, Any]
    asked: list[str]
    console: list[str]


def chromium(profile: str, address: str) -> list[str]:
    """The command that opens a page in Chromium."""
    assert CHROMIUM
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    flags += ["--autoplay-policy=no-user-gesture-required", "--enable-logging=stderr"]
    return [CHROMIUM, *flags, f"--user-data-dir={profile}", "--remote-debugging-port=0", address]


def firefox(profile: str, address: str) -> list[str]:
    """The command that opens a page in Firefox."""
    assert FIREFOX
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in FIREFOX_SETTINGS.items()]
    Path(profile, "user.js").write_text("\n".join(lines), encoding="utf-8")
    return [FIREFOX, "--headless", "--no-remote", "--profile", profile, address]


def end(browser: "subprocess.Popen[bytes]") -> None:
    """Asks a browser to end, and makes it where it is too busy to hear."""
    browser.terminate()
    try:
        browser.wait(10)
    except subprocess.TimeoutExpired:
        browser.kill()
        browser.wait()


def visit(
    files: dict[str, Served],
    doing: str,
    command_of: Callable[[str, str], list[str]] = chromium,
    wait_s: float = WAIT_S,
) -> Visit:
    """Opens `/` of the served files and waits for the page's POST. Other paths are not found.

    Raises TimeoutError where nothing comes; `doing` says in it what the browser should have done.
    """
    posted: dict[str, Any] = {}
    asked: list[str] = []
    answered = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            file = files.get(self.path, Served(b""))
            body, size = file.body, len(file.body)
            ranges = self.headers.get("Range", "")
            if ranges and size:
                low, _, high = ranges.removeprefix("bytes=").partition("-")
                first, last = int(low or 0), int(high) if high else size - 1
                body = body[first : last + 1]
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
            else:
                self.send_response(200 if self.path in files else 404)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Type", file.content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            posted.update(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()
            answered.set()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, tempfile.TemporaryFile("w+") as log:
        command = command_of(profile, f"http://127.0.0.1:{server.server_port}/")
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        try:
            if not answered.wait(wait_s):
                raise TimeoutError(f"{Path(command[0]).name} did not {doing} in {wait_s} s")
        finally:
            end(browser)
            server.shutdown()
        log.seek(0)
        return Visit(posted, asked, [line for line in log.read().splitlines() if ":CONSOLE" in line])
