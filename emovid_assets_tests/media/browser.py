"""What a browser shows of a video file: Debian's Chromium, headless, without any driver.

A page plays the file, draws what it sees on a canvas and posts the numbers to a server of this process.
"""

import json
import shutil
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WAIT_S = 120

PAGE = """<!doctype html><video id="v" muted preload="auto" src="/film.mp4"></video><script>
const v = document.getElementById("v"), steps = [];
const canvas = document.createElement("canvas"), pen = canvas.getContext("2d", {willReadFrequently: true});
const post = what => fetch("/", {method: "POST", body: JSON.stringify(what)});
const frames = n => new Promise(done => { const tick = () => n-- ? requestAnimationFrame(tick) : done(); tick(); });
function look(name, mediaTime) {
  canvas.width = v.videoWidth; canvas.height = v.videoHeight;
  pen.drawImage(v, 0, 0);
  const pixels = pen.getImageData(0, 0, canvas.width, canvas.height).data, bits = [];
  for (let n = 0; n < CELLS; n++) {
    const x = Math.floor((n + 0.5) * canvas.width / CELLS), y = Math.floor(canvas.height / 2);
    bits.push(pixels[4 * (y * canvas.width + x) + 1]);
  }
  steps.push({name, mediaTime, time: v.currentTime, cells: bits});
}
const until = name => new Promise(done => v.addEventListener(name, done, {once: true}));
async function run() {
  if (v.readyState < 2) await until("loadeddata");
  await frames(3);
  look("loaded");
  const each = (now, info) => { look("played", info.mediaTime); v.requestVideoFrameCallback(each); };
  v.requestVideoFrameCallback(each);
  v.playbackRate = RATE;
  const ended = until("ended");
  await v.play();
  await ended;
  await frames(3);
  look("ended");
  for (const at of SEEKS) {
    const sought = until("seeked");
    v.currentTime = at < 0 ? v.duration + at : at;
    await sought; await frames(3);
    look("sought");
  }
  post({steps, duration: v.duration, width: v.videoWidth, height: v.videoHeight});
}
v.onerror = () => post({error: v.error.message});
run().catch(error => post({error: String(error)}));
</script>"""


def watch(path: Path, *, cells: int, seeks: tuple[float, ...] = (), rate: float = 0.5) -> dict[str, Any]:
    """What Chromium shows of a file: when it is loaded, of every frame while it plays, at its end and after seeks.

    `cells` columns are read in the middle of the picture (green, 0 to 255). Seeks below zero count from the end.
    """
    page = PAGE.replace("CELLS", str(cells)).replace("RATE", str(rate)).replace("SEEKS", json.dumps(seeks))
    data, answer, answered = path.read_bytes(), {}, threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            first, last = 0, len(data) - 1
            is_film = self.path == "/film.mp4"
            body = data if is_film else page.encode()
            ranges = self.headers.get("Range", "") if is_film else ""
            if ranges:
                low, _, high = ranges.removeprefix("bytes=").partition("-")
                first, last = int(low or 0), int(high) if high else last
                body = data[first : last + 1]
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
            else:
                self.send_response(200 if is_film or self.path == "/" else 404)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Type", "video/mp4" if is_film else "text/html; charset=utf-8")
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
    with tempfile.TemporaryDirectory() as profile:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
        flags += ["--autoplay-policy=no-user-gesture-required", f"--user-data-dir={profile}"]
        url = f"http://127.0.0.1:{server.server_port}/"
        browser = subprocess.Popen(
            [CHROMIUM, *flags, "--remote-debugging-port=0", url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            if not answered.wait(WAIT_S):
                raise TimeoutError(f"Chromium did not finish playing {path.name} in {WAIT_S} s")
        finally:
            browser.terminate()
            browser.wait(10)
            server.shutdown()
    if "error" in answer:
        raise RuntimeError(f"Chromium: {answer['error']}")
    return answer
