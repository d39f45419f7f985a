"""How long a build takes to find that nothing is new in a library of the paper's size.

Run `python -m benchmarks.unchanged [--count 22758]` from the repository. The library is tiny distinct files; the
results of probe, scan and clip file are planted at a realistic size. Prints seconds of wall and processor for the
library and each step; nothing may be hashed or computed. Exits with 1 where the wall time is above the limit.
"""

import argparse
import logging
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from emovid_assets.core.identity import source_id
from emovid_assets.home.folders import Home
from emovid_assets.resources import library, media
from emovid_assets.resources.compute import Item, Outcome, Step
from emovid_assets.resources.item_store import FinishedItem
from emovid_assets.resources.project import Project

LIMIT_S = 5.0
LOG = logging.getLogger("benchmark")
Row = dict[str, Any]


class Planting:
    """In place of `Project.compute`: every item is finished with what `payload_of` says."""

    def __init__(self, project: Project, payload_of: Mapping[str, Callable[[str], Row]]) -> None:
        self.project, self.payload_of = project, payload_of

    def __call__(self, step: Step, domain: str, items: Sequence[Item], log: Any, **_: Any) -> Outcome:
        made = []
        for item in items:
            payload = self.payload_of[step.name](item.item_id)
            for path in payload.get("files", ()):
                target = self.project.home.root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.touch()
            made.append(FinishedItem(item.item_id, f"{item.content}|{step.version}|{step.config}", payload))
        self.project.with_store(lambda store: store.settle(step.name, domain, made))
        return Outcome({})


def fill(home: Home, count: int) -> None:
    for number in range(count):
        path = home.library / "sticker" / ("awe", "fear")[number % 2] / f"{number:06d}.gif"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"GIF89a" + number.to_bytes(8, "big"))


def segment_of(identifier: str) -> Row:
    """A whole sticker with as many numbers as a real one has."""
    clip_id = f"{identifier}-00000000-00001000"
    numbers = [random.random() for _ in range(60)]
    place = {"start_s": 0.0, "end_s": 1.0, "start_frame": 0, "end_frame": 10, "start_pts": 0, "end_pts": 100}
    thumbnail = f"media/thumbnails/sticker/{clip_id}.jpg"
    return {"clip_id": clip_id, "is_kept": True, "thumbnail_path": thumbnail, "numbers": numbers, **place}


def scan_payload(identifier: str) -> Row:
    segment = segment_of(identifier)
    return {"segments": [segment], "video_start_s": 0.0, "files": [segment["thumbnail_path"]]}


TRACKS = {"video_index": 0, "audio_index": None, "shifts": []}
PAYLOADS: dict[str, Callable[[str], Row]] = {
    "probe": lambda _: {
        "tracks": {"video_index": 0, "audio_index": None, "shifts": []},
        "container": "gif",
        "video_codec": "gif",
        "width_px": 100,
        "fps": 10.0,
    },
    "scan": scan_payload,
    "clip_file": lambda clip_id: {"sha256": "0" * 64, "files": [f"media/clips/sticker/{clip_id}.mp4"]},
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=22_758)
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder).resolve())
        project = Project(home_folder=folder)
        fill(home, count)
        files = project.with_store(lambda store: library.read_library(home, "sticker", store))
        by_id = {source_id("sticker", file.sha256): file for file in files}
        size = {"frame_count": 10, "width_px": 100, "height_px": 100, "domain": "sticker", "duration_s": 1.0}
        sources = [{"source_id": key, "sha256": f.sha256, "path": f.path, **size} for key, f in by_id.items()]
        clips = {}
        for key in by_id:
            segment = segment_of(key) | {"source_id": key, "video_start_s": 0.0}
            clips[segment["clip_id"]] = segment
        steps: dict[str, Callable[[], Outcome]] = {
            "probe": lambda: media.probe(project, "sticker", by_id, LOG),
            "scan": lambda: media.scan(project, "sticker", sources, LOG),
            "clip_file": lambda: media.clip_files(project, "sticker", sources, clips, LOG),
        }
        with mock.patch.object(Project, "compute", Planting(project, PAYLOADS)):
            for step in steps.values():
                step()

        total = time.perf_counter(), time.process_time()
        with mock.patch.object(library, "file_sha256", side_effect=AssertionError("hashed again")):
            began = time.perf_counter()
            found = project.with_store(lambda store: library.read_library(home, "sticker", store))
            print(f"{'library':10} {len(found):7,} files {time.perf_counter() - began:6.2f} s")
        for name, step in steps.items():
            began = time.perf_counter()
            outcome = step()
            if outcome.computed_count or len(outcome.payloads) != count:
                raise SystemExit(f"{name} computed {outcome.computed_count} items; nothing was new")
            print(f"{name:10} {len(outcome.payloads):7,} items {time.perf_counter() - began:6.2f} s")
        wall, processor = time.perf_counter() - total[0], time.process_time() - total[1]
        print(f"{'all':10} {count:7,}       {wall:6.2f} s, {processor:.2f} s of processor; limit {LIMIT_S:g} s")
    return 0 if wall <= LIMIT_S else 1


if __name__ == "__main__":
    sys.exit(main())
