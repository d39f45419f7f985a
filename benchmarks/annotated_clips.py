"""The first picture that an annotator sees of a clip which begins between key frames: Label Studio in Firefox.

Run `python -m benchmarks.annotated_clips FILM … [--clips 3] [--markdown docs/annotation.md]` from the repository. It
builds a home with these films, starts Label Studio as `emovid annotate serve` does (`make label-studio`, or
EMOVID_LABEL_STUDIO), pushes the tasks and opens those of a few joined clips with an annotator's account. What Firefox
has drawn before anything plays is compared with PyAV's pictures of the source: the clip's first, and the one before,
which is the last of another scene. Then the files are written anew as `copy` writes them and looked at again, which
shows that the comparison sees the fault. Prints a table.
"""

import argparse
import base64
import io
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from benchmarks.marionette import firefox
from benchmarks.measuring import fill, table
from emovid_assets.building import runner
from emovid_assets.core.video.clip_file import Way, write_clip
from emovid_assets.core.video.clip_proof import psnr_db
from emovid_assets.home.folders import Home
from emovid_assets.people import server as annotation
from emovid_assets.resources.label_studio import PROGRAM_VARIABLE, RunningServer, running_server, signed_in
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.columns import rows_of
from emovid_assets_tests.browser import FIREFOX
from emovid_assets_tests.media.scanning import first_tracks

ROOT = Path(__file__).resolve().parents[1]
DOMAIN = "animation"
SELECTION = "+key:annotation_tasks or +key:clip_media"
SETTINGS = """\
[annotation]
human_fraction = 1.0
validation_minimum = 1
"""
PERSON = ("ann@example.org", "a-long-Password-1")
SEEN = """
const until = Date.now() + 45000;
let v = null;
while (!(v = document.querySelector("video[src*='CLIP']")) || v.readyState < 2) {
  if (Date.now() > until) throw new Error("no video in " + location.href);
  await new Promise(done => setTimeout(done, 50));
}
await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
const canvas = document.createElement("canvas");
canvas.width = v.videoWidth; canvas.height = v.videoHeight;
canvas.getContext("2d").drawImage(v, 0, 0);
return {at: v.currentTime, paused: v.paused, png: canvas.toDataURL("image/png").split(",")[1]};
"""
"""A page that nobody has clicked in plays no sound: the player waits on what it has drawn first."""


@dataclass(frozen=True)
class Begun:
    """A clip file, what it is cut of, and the source's pictures around its beginning."""

    clip_id: str
    path: Path
    source: Path
    segment: dict[str, Any]
    since_key: int
    first: np.ndarray
    before: np.ndarray


def joined_clips(home: Home, count: int) -> list[Begun]:
    """So many clips that begin between key frames, spread over those of the home."""
    warehouse = Warehouse(home.warehouse)
    tables = ("clip_media", "clips", "scanned_segments", "source_videos")
    media, clips, scanned, sources = (rows_of(warehouse.read(name, DOMAIN)) for name in tables)
    joined = {row["clip_id"]: row for row in media if row["encoding_reason"] == "off_key_frame"}
    segments = {row["clip_id"]: row for row in scanned}
    paths = {row["source_id"]: home.root / row["path"] for row in sources}
    those = [row for row in clips if row["clip_id"] in joined]
    begun = []
    for row in [those[n * len(those) // count] for n in range(min(count, len(those)))]:
        segment, source = segments[row["clip_id"]], paths[row["source_id"]]
        path = home.root / joined[row["clip_id"]]["media_path"]
        begun.append(Begun(row["clip_id"], path, source, segment, *around(source, segment["start_pts"])))
    return begun


def around(source: Path, pts: int) -> tuple[int, np.ndarray, np.ndarray]:
    """Pictures since the last key frame, the picture of a stamp and the one before it, by PyAV alone."""
    before = picture = None
    since_key = 0
    with av.open(str(source)) as container:
        for picture in container.decode(video=0):
            since_key = 0 if picture.key_frame else since_key + 1
            if picture.pts == pts:
                break
            before = picture
    if picture is None or before is None:
        raise ValueError(f"{source} has no picture before {pts}")
    return since_key, picture.to_ndarray(format="rgb24"), before.to_ndarray(format="rgb24")


def seen(home: Home, server: RunningServer, clips: Sequence[Begun]) -> list[np.ndarray]:
    """What Firefox shows first of each clip in the task of an annotator, RGB."""
    person = signed_in(server.url, *PERSON)
    (project,) = [one for one in server.projects() if one["description"] == f"{DOMAIN}/label"]
    tasks = {task["data"]["clip_id"]: task["id"] for task in server.tasks(project["id"])}
    shown = []
    with firefox() as browser:
        browser.call("WebDriver:Navigate", url=f"{server.url}/user/login/")
        for cookie in person.cookies:
            browser.call("WebDriver:AddCookie", cookie={"name": cookie.name, "value": cookie.value, "path": "/"})
        for clip in clips:
            address = f"{server.url}/projects/{project['id']}/data?task={tasks[clip.clip_id]}"
            browser.call("WebDriver:Navigate", url=address)
            found = browser.run(SEEN.replace("CLIP", clip.clip_id))
            if found["at"] > 0:
                raise RuntimeError(f"{clip.clip_id} plays: what is shown is not what was shown first")
            shown.append(np.asarray(Image.open(io.BytesIO(base64.b64decode(found["png"]))).convert("RGB")))
    return shown


def compared(films: Sequence[Path], count: int, folder: Path) -> str:
    """The table: how like its own first picture, and how like the one before, each clip is shown to begin, in dB."""
    home = Home(folder)
    (home.root / "emovid.toml").write_text(SETTINGS, encoding="utf-8")
    (home.library / DOMAIN).mkdir(parents=True)
    for film in films:
        shutil.copyfile(film, home.library / DOMAIN / film.name)
    for report in runner.build(home, domains=[DOMAIN], selection=SELECTION):
        if report.error:
            raise RuntimeError(report.error)
    clips = joined_clips(home, count)
    shown: dict[Way, list[np.ndarray]] = {}
    with running_server(home, free_port()) as server:
        annotation.push(home, server)
        signed_in(server.url, *PERSON, invitation=server.invite_link().split("token=")[1])
        shown["exact"] = seen(home, server, clips)
        for clip in clips:
            write_clip(clip.source, first_tracks(clip.source), clip.segment, clip.path, way="copy")
        shown["copy"] = seen(home, server, clips)
    rows = [
        [clip.clip_id, clip.since_key]
        + [f"{psnr_db(shown[way][n], wanted):.1f}" for way in shown for wanted in (clip.first, clip.before)]
        for n, clip in enumerate(clips)
    ]
    head = ["clip", "pictures since the key frame"]
    head += [f"`{way}`: {what}" for way in shown for what in ("its first picture", "the one before")]
    return table(head, rows)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("films", nargs="+", type=Path)
    parser.add_argument("--clips", type=int, default=3)
    parser.add_argument("--markdown", type=Path, help="document whose table is replaced")
    options = parser.parse_args()
    if FIREFOX is None:
        sys.exit("There is no Firefox on the path")
    os.environ.setdefault(PROGRAM_VARIABLE, str(ROOT / ".venv-label-studio" / "bin" / "label-studio"))
    with tempfile.TemporaryDirectory() as folder:
        text = compared(options.films, options.clips, Path(folder))
    print(text)
    if options.markdown:
        fill(options.markdown, "annotated-clips", text)


if __name__ == "__main__":
    main()
