"""What Chromium makes of a report on a screen of a given width: how wide it gets, and what the console says."""

import json
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from emovid_assets_tests.media.browser import CHROMIUM, WAIT_S

# The report forbids scripts, so a page around it measures it: a frame has its own width and its own media queries.
PAGE = """<!doctype html><link rel="icon" href="data:,"><body style="margin:0">
<iframe id="f" src="/report.html" style="border:0;width:WIDTHpx;height:800px"></iframe><script>
document.getElementById("f").onload = () => {
  const inner = document.getElementById("f").contentDocument, root = inner.documentElement;
  const wide = [...inner.querySelectorAll("body *")].filter(e => !e.closest(".scroll"))
    .filter(e => e.getBoundingClientRect().right > root.clientWidth + 1).map(e => e.tagName + "." + e.className);
  const clipped = [...inner.querySelectorAll("svg.chart text")].filter(text => {
    const a = text.getBoundingClientRect(), b = text.closest("svg").getBoundingClientRect();
    return a.width && (a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 || a.bottom > b.bottom + 1);
  }).map(text => text.textContent);
  const pictures = [...inner.images].filter(image => !image.naturalWidth).length;
  const size = {width: root.clientWidth, scrollWidth: root.scrollWidth, height: root.scrollHeight};
  fetch("/", {method: "POST", body: JSON.stringify({...size, wide, clipped, broken: pictures})});
};
</script>"""


def measure(report: Path, width_px: int) -> dict[str, Any]:
    """`scrollWidth` and what sticks out, texts outside their figure, pictures that do not load, console, requests."""
    page, data = PAGE.replace("WIDTH", str(width_px)).encode(), report.read_bytes()
    answer: dict[str, Any] = {}
    asked: list[str] = []
    answered = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = data if self.path == "/report.html" else page
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            answer.update(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()
            answered.set()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    assert CHROMIUM
    with tempfile.TemporaryDirectory() as profile, tempfile.TemporaryFile("w+") as log:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
        flags += ["--enable-logging=stderr", f"--user-data-dir={profile}", "--remote-debugging-port=0"]
        command = [CHROMIUM, *flags, f"http://127.0.0.1:{server.server_port}/"]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        try:
            if not answered.wait(WAIT_S):
                raise TimeoutError(f"Chromium did not show the report in {WAIT_S} s")
        finally:
            browser.terminate()
            browser.wait(10)
            server.shutdown()
        log.seek(0)
        console = [line for line in log.read().splitlines() if ":CONSOLE" in line]
    return answer | {"console": console, "asked": asked}
