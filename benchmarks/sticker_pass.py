"""Stickers through probe, scan and clip file, by whichever tree of the product `PYTHONPATH` names first.

Run `python benchmarks/sticker_pass.py OUT FILE...`: goes over the first file once, so that lazy imports are paid, then
writes `OUT/<name>.mp4` of each and prints what each costs and what is found of it as a line of JSON.

Belongs here: what differs between the trees that are compared (`stickers`), so nothing of the product is imported but
what all of them have.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from measuring import cpu_seconds, one_thread

import emovid_assets
from emovid_assets.core.video import clip_file
from emovid_assets.core.video.animations import drawn_frames
from emovid_assets.core.video.clip_file import ClipWriter
from emovid_assets.core.video.probe import probe_file
from emovid_assets.core.video.scan import ScanSettings, scan_source
from emovid_assets.core.video.scenes import DetectorSettings

SETTINGS = ScanSettings(DetectorSettings("adaptive", 3.0), 20, 0.2, 30.0, is_whole=True)
SOURCE_ID = "sticker-0123456789abcdef"


def sticker(path: Path, target: Path) -> dict[str, Any]:
    """CPU-seconds by step, the probe and the scan of one sticker, whose clip file is written."""
    spent: dict[str, float] = {}

    def timed(step: str, work: Callable[[], Any]) -> Any:
        start = cpu_seconds()
        done = work()
        spent[step] = cpu_seconds() - start
        return done

    facts = timed("probe", lambda: probe_file(path))
    timed("decoding", lambda: sum(1 for _ in drawn_frames(path)))
    with tempfile.TemporaryDirectory() as folder, _conversion_timed(spent):
        scanned = timed("scan", lambda: scan_source(path, facts.tracks, SOURCE_ID, SETTINGS, Path(folder)))
        (segment,) = scanned["segments"]
        place = {**segment, "video_start_s": scanned["video_start_s"]}
        timed("clip", lambda: _write(path, facts.tracks, place, target))
        thumbnails = {at.name: at.read_bytes().hex() for at in sorted(Path(folder).iterdir())}
    found = {"probe": vars(facts) | {"tracks": str(facts.tracks)}, "scan": scanned, "thumbnails": thumbnails}
    return {"spent_s": spent, "pixels": facts.frame_count * facts.width_px * facts.height_px, "found": found}


def _write(path: Path, tracks: Any, segment: dict[str, Any], target: Path) -> None:
    with ClipWriter(path, tracks) as writer:
        writer.write(segment, target)


@contextmanager
def _conversion_timed(spent: dict[str, float]) -> Iterator[None]:
    plain = clip_file._Converter.encodable

    def encodable(*arguments: Any) -> Any:
        # By thread, which is cheaper to ask; all of it happens in this one.
        start = time.thread_time()
        made = plain(*arguments)
        spent["conversion"] = spent.get("conversion", 0.0) + time.thread_time() - start
        return made

    with mock.patch.object(clip_file._Converter, "encodable", encodable):
        yield


def main() -> None:
    out, *paths = map(Path, sys.argv[1:])
    one_thread()
    sticker(paths[0], out / "warm.mp4")
    stickers = {path.name: sticker(path, out / f"{path.name}.mp4") for path in paths}
    print(json.dumps({"tree": str(Path(emovid_assets.__file__).parents[1]), "stickers": stickers}))


if __name__ == "__main__":
    main()
