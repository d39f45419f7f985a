"""What browsers show of clip files: when they are loaded, while they play, at the end and after seeks.

Belongs here: the page, and what it posts as answers. Does not belong here: starting browsers, what they should show.
"""

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.numbered import CELLS, heard, number_of
from emovid_assets_tests.browser import CHROMIUM, FIREFOX, Served, chromium, firefox, visit

SOUND_RATE = 8000
"""Enough for the highest beep of a film."""
PAGE = """<!doctype html><body><script>
const asks = ASKS, canvas = document.createElement("canvas");
const pen = canvas.getContext("2d", {willReadFrequently: true});
const frames = n => new Promise(done => { const tick = () => n-- ? requestAnimationFrame(tick) : done(); tick(); });
function look(v) {
  canvas.width = v.videoWidth; canvas.height = v.videoHeight;
  pen.drawImage(v, 0, 0);
  const pixels = pen.getImageData(0, 0, canvas.width, canvas.height).data, cells = [];
  for (let n = 0; n < CELLS; n++) {
    const x = Math.floor((n + 0.5) * canvas.width / CELLS), y = Math.floor(canvas.height / 2);
    cells.push(pixels[4 * (y * canvas.width + x) + 1]);
  }
  return cells;
}
async function see(ask, number) {
  const v = document.createElement("video"), seen = {played: [], sought: []};
  const event = name => new Promise((done, fail) => {
    v.addEventListener(name, done, {once: true});
    v.addEventListener("error", () => fail(v.error && v.error.message || "cannot play"), {once: true});
    setTimeout(() => fail("no " + name), 20000);
  });
  document.body.append(v);
  try {
    v.muted = true; v.preload = "auto"; v.src = "/" + number;
    await event("loadeddata"); await frames(3);
    seen.loaded = look(v);
    if (ask.plays) {
      let plays = true;
      const each = () => { if (plays) { seen.played.push(look(v)); v.requestVideoFrameCallback(each); } };
      v.requestVideoFrameCallback(each);
      const ended = event("ended");
      await v.play(); await ended; await frames(3);
      plays = false;
      seen.ended = look(v);
    }
    for (const at of ask.times) {
      const sought = event("seeked");
      v.currentTime = at;
      await sought; await frames(3);
      seen.sought.push(look(v));
    }
    const bytes = await (await fetch("/" + number)).arrayBuffer();
    try {
      const sound = await new OfflineAudioContext(1, 8, RATE).decodeAudioData(bytes);
      seen.sound = Array.from(sound.getChannelData(0).slice(0, 2 * RATE), x => Math.round(1000 * x));
    } catch (error) {}
  } catch (error) { seen.error = String(error); }
  v.remove();
  return seen;
}
async function run() {
  const all = [];
  for (let n = 0; n < asks.length; n++) all.push(await see(asks[n], n));
  await fetch("/", {method: "POST", body: JSON.stringify({all})});
}
run();
</script>"""
BROWSERS: dict[str, tuple[str | None, Callable[[str, str], list[str]]]] = {
    "Chromium": (CHROMIUM, chromium),
    "Firefox": (FIREFOX, firefox),
}


def watch(name: str, asks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An answer for each ask; all are played in one page, one after the other."""
    told = [{"times": ask["times"], "plays": len(ask["stamps"]) < 100} for ask in asks]
    page = PAGE.replace("ASKS", json.dumps(told)).replace("CELLS", str(CELLS)).replace("RATE", str(SOUND_RATE))
    files = {"/": Served(page.encode())}
    for number, ask in enumerate(asks):
        with open(ask["path"], "rb") as file:
            kind = "video/webm" if ask["path"].endswith(".webm") else "video/mp4"
            files[f"/{number}"] = Served(file.read(), kind)
    _, command_of = BROWSERS[name]
    seen = visit(files, f"play {len(asks)} files", command_of, wait_s=60 + 12 * len(asks)).posted["all"]
    return [_answer(one) for one in seen]


def _answer(seen: dict[str, Any]) -> dict[str, Any]:
    if "error" in seen:
        return {"error": seen["error"]}
    answer: dict[str, Any] = {
        "first": number_of(seen["loaded"]),
        "at_times": [number_of(one) for one in seen["sought"]],
    }
    if "ended" in seen:
        answer |= {"shown": [number_of(one) for one in seen["played"]], "last": number_of(seen["ended"])}
    if "sound" in seen:
        answer["sound"] = heard(np.array(seen["sound"], np.float32) / 1000, SOUND_RATE)
    return answer
