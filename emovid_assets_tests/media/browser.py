"""What a browser shows of video files: a page plays them, draws what it sees on a canvas and posts the numbers."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emovid_assets_tests.browser import Served, visit

PAGE = """<!doctype html><video id="v" muted preload="auto" src="/film"></video><script>
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
    // On a busy machine the picture comes after the word that it is there; none comes where it is the one shown.
    const drawn = new Promise(done => { v.requestVideoFrameCallback(done); setTimeout(done, 3000); });
    v.currentTime = at < 0 ? v.duration + at : at;
    await sought; await drawn; await frames(3);
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
    files = {"/": Served(page.encode()), "/film": Served(path.read_bytes(), f"video/{path.suffix[1:]}")}
    seen = visit(files, f"finish playing {path.name}").posted
    if "error" in seen:
        raise RuntimeError(f"Chromium: {seen['error']}")
    return seen


COLOURS = """<!doctype html><script>
const canvas = document.createElement("canvas"), pen = canvas.getContext("2d", {willReadFrequently: true});
const post = what => fetch("/", {method: "POST", body: JSON.stringify(what)});
async function coloursOf(number) {
  const v = document.createElement("video"), colours = [];
  v.muted = true; v.src = `/${number}.mp4`;
  await new Promise((done, fail) => { v.onloadeddata = done; v.onerror = () => fail(v.error.message); });
  await new Promise(done => { v.requestVideoFrameCallback(done); v.currentTime = 0.05; });
  canvas.width = v.videoWidth; canvas.height = v.videoHeight;
  pen.drawImage(v, 0, 0);
  for (let n = 0; n < PATCHES; n++) {
    const x = Math.floor((n + 0.5) * canvas.width / PATCHES), y = Math.floor(canvas.height / 2);
    colours.push(Array.from(pen.getImageData(x, y, 1, 1).data).slice(0, 3));
  }
  return colours;
}
async function run() {
  const films = [];
  for (let n = 0; n < FILMS; n++) films.push(await coloursOf(n));
  post({films});
}
run().catch(error => post({error: String(error)}));
</script>"""


def colours_on_canvas(paths: Sequence[Path], patches: int) -> list[list[list[int]]]:
    """Per film, red, green and blue in the middle of each of so many columns of its second frame or so."""
    page = COLOURS.replace("PATCHES", str(patches)).replace("FILMS", str(len(paths)))
    films = {f"/{number}.mp4": Served(path.read_bytes(), "video/mp4") for number, path in enumerate(paths)}
    seen = visit({"/": Served(page.encode()), **films}, "draw the films").posted
    if "error" in seen:
        raise RuntimeError(f"Chromium: {seen['error']}")
    return list(seen["films"])
