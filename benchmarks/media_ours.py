"""The product's media pass as the benchmarks call it, and bare decoding, which everything is compared with.

Belongs here: the only calls of the product's media functions. Where their signatures move, this file follows.
"""

import inspect
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest import mock

import av

from benchmarks.measuring import cpu_seconds
from emovid_assets.core.colour import ColourSums, colour_attributes
from emovid_assets.core.video import changes, rgb, scan
from emovid_assets.core.video.clip_file import ClipWriter
from emovid_assets.core.video.probe import Limits, probe_file
from emovid_assets.core.video.reading import Frame, Video
from emovid_assets.core.video.scan import ScanSettings, scan_source
from emovid_assets.core.video.scenes import DetectorSettings
from emovid_assets.core.video.sound import FilmSound, interval_features
from emovid_assets.core.video.streams import Tracks
from emovid_assets.home.settings import ComputeSettings
from emovid_assets.resources import media_steps
from emovid_assets.resources.compute import Item, Step, compute
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.media import PLACE

DETECTORS = {"content": DetectorSettings("content", 27.0), "adaptive": DetectorSettings("adaptive", 3.0)}
STRIDE, MIN_S, MAX_S = 20, 4.0, 30.0
SOURCE_ID = "movie-0123456789abcdef"


@dataclass
class Work:
    """What a pipeline made of a file, for the comparison with the others."""

    cuts: list[int]
    """Frames that begin a scene, without frame 0."""
    clips: list[Path]
    segments: list[dict[str, Any]] = field(default_factory=list)
    parts_s: dict[str, float] = field(default_factory=dict)
    """CPU-seconds of parts of the work, by name."""


def tracks_of(path: Path) -> Tracks:
    return probe_file(path, Limits()).tracks


def bare_decode(path: Path) -> int:
    """Decodes the first video stream with one thread and counts its frames; nothing is converted."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        return sum(1 for _ in container.decode(stream))


def run_ours(
    path: Path, tracks: Tracks, detector: str, folder: Path, *, with_sound: bool = True, min_s: float = MIN_S
) -> Work:
    """Cuts, colour, thumbnails and clip files; `with_sound`: also the sound profile for the labeller."""
    settings = ScanSettings(DETECTORS[detector], STRIDE, min_s, MAX_S, is_whole=False)
    start = cpu_seconds()
    with nullcontext() if with_sound else _without_sound():
        scanned = scan_source(path, tracks, SOURCE_ID, settings, folder)
    middle = cpu_seconds()
    clips = []
    with ClipWriter(path, tracks) as writer:
        for segment in kept(scanned["segments"]):
            stem = folder / segment["clip_id"]
            written = writer.write({**segment, "video_start_s": scanned["video_start_s"]}, stem)
            clips.append(stem.with_suffix(written.suffix))
    return Work(
        [segment["start_frame"] for segment in scanned["segments"][1:]],
        clips,
        scanned["segments"],
        parts_s={"pass": middle - start, "clip files": cpu_seconds() - middle},
    )


def run_cuts(path: Path, detector: str) -> list[dict[str, Any]]:
    """The chain of segments of a file, without what is measured on them."""
    # Nothing is long enough to be kept, so that only the cuts are computed.
    settings = ScanSettings(DETECTORS[detector], STRIDE, 1e9, 1e9, is_whole=False)
    with tempfile.TemporaryDirectory() as folder, _without_sound():
        return scan_source(path, tracks_of(path), SOURCE_ID, settings, Path(folder))["segments"]


def kept(segments: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [segment for segment in segments if segment["is_kept"]]


def colour_of(segment: dict[str, Any]) -> dict[str, Any]:
    """The columns of `colour_attributes` of a kept segment."""
    return colour_attributes(ColourSums(*segment["colour"]))


def _without_sound() -> Any:
    """The pass without the sound that only the labeller needs: what the peers do not read either."""

    def silent(path: Path, tracks: Tracks, *others: Any) -> FilmSound:
        return interval_features(path, replace(tracks, audio_index=None), *others)

    return mock.patch.object(scan, "interval_features", silent)


def parts(path: Path, tracks: Tracks, detector: str, folder: Path) -> dict[str, float]:
    """CPU-seconds by part of one pass, through timers around the functions. Some parts contain others."""
    spent: dict[str, float] = {}

    def timed(owner: Any, name: str, label: str) -> Any:
        function = inspect.getattr_static(owner, name)

        def wrapper(*values: Any, **options: Any) -> Any:
            start = time.process_time()
            try:
                return function(*values, **options)
            finally:
                spent[label] = spent.get(label, 0.0) + time.process_time() - start

        return mock.patch.object(owner, name, wrapper)

    places = [
        (changes.Shrinker, "__call__", "conversion and downscale"),
        (changes.ChangeMeter, "measure", "changes, with conversion and downscale"),
        (scan.CutDetector, "process", "cut decisions"),
        (rgb.RgbConverter, "planes", "conversion of samples"),
        (scan.ColourCounter, "add_planes", "colour counts"),
        (scan.ColourCounter, "sums", "colour sums"),
        (scan._Portraits, "settle", "thumbnails and hashes"),
        (scan, "jpeg", "JPEG files"),
        (scan, "interval_features", "sound"),
        (ClipWriter, "write", "clip files"),
    ]
    with ExitStack() as stack:
        for owner, name, label in places:
            stack.enter_context(timed(owner, name, label))
        run_ours(path, tracks, detector, folder)
    return spent


# Many files


def library_items(paths: Sequence[Path], home: Path, detector: str) -> list[Item]:
    """Scan items as the product makes them, heaviest first."""
    items = []
    for number, path in enumerate(paths):
        facts = probe_file(path, Limits())
        is_whole = path.parent.name != "movie" and facts.duration_s <= MAX_S
        items.append(
            Item(
                f"{path.parent.name}-{number:016x}",
                content=f"{path.name}|{number}",
                arguments={
                    "path": str(path),
                    "home": str(home),
                    "source_id": f"{path.parent.name}-{number:016x}",
                    "tracks": vars(facts.tracks),
                    "trim_s": None,
                    "thumbnail_folder": "thumbnails",
                    "changes_path": None,
                    "stamp": None,
                    "frame_count": facts.frame_count,
                    "settings": {
                        "detector": vars(DETECTORS[detector]),
                        "frame_stride": STRIDE,
                        "min_duration_s": 0.2 if is_whole else MIN_S,
                        "max_duration_s": MAX_S,
                        "is_whole": is_whole,
                    },
                },
                path=path.name,
                weight=facts.frame_count * facts.width_px * facts.height_px,
            )
        )
    return items


def build_library(
    paths: Sequence[Path],
    home: Path,
    *,
    workers: int,
    detector: str = "adaptive",
    engine: ComputeSettings | None = None,
) -> tuple[int, int]:
    """Scans the files and writes their clips through the product's worker pool. Returns counts of files and clips."""
    log = logging.getLogger("benchmark")
    log.setLevel(logging.ERROR)
    options: dict[str, Any] = {"home": home, "workers": workers, "timeout_s": 3600.0, "log": log, "engine": engine}
    items = library_items(paths, home, detector)
    store = ItemStore(home / "state.sqlite")
    scans = compute(store, Step("scan", "1", detector, media_steps.scan), "movie", items, **options)
    arguments = {item.item_id: item.arguments for item in items}
    names = [name for name in PLACE if name != "video_start_s"]
    clips = [
        Item(
            segment["clip_id"],
            content=segment["clip_id"],
            arguments={
                "path": arguments[source]["path"],
                "home": str(home),
                "tracks": arguments[source]["tracks"],
                "segment": {name: segment[name] for name in names} | {"video_start_s": payload["video_start_s"]},
                "stem": f"clips/{segment['clip_id']}",
                "stamp": None,
                "clip_files": "exact",
                "source_sha256": source,
            },
            weight=segment["end_frame"] - segment["start_frame"],
            group=source,
        )
        for source, payload in scans.payloads.items()
        for segment in kept(payload["segments"])
    ]
    written = compute(store, Step("clip_file", "1", "benchmark", media_steps.clip_file), "movie", clips, **options)
    failures = scans.failures + written.failures
    if failures:
        raise RuntimeError(f"{failures[0].path or failures[0].item_id}: {failures[0].code}: {failures[0].message}")
    return len(scans.payloads), len(written.payloads)


def time_library(folder: str, workers: str, *names: str) -> None:
    """Prints a line of JSON: wall and CPU seconds of `build_library`, files and clips. For a process of its own,
    because spawned workers import the main module of their parent again."""
    cpu, start = cpu_seconds(), time.perf_counter()
    file_count, clip_count = build_library([Path(name) for name in names], Path(folder), workers=int(workers))
    wall = time.perf_counter() - start
    counts = {"file_count": file_count, "clip_count": clip_count}
    print(json.dumps({"wall_s": wall, "cpu_s": cpu_seconds() - cpu, **counts}))


def library_times(paths: Sequence[Path], folder: Path, *, workers: int) -> dict[str, float]:
    """`wall_s`, `cpu_s`, `file_count`, `clip_count` of building the files' library with so many processes."""
    code = "import sys; from benchmarks.media_ours import time_library; time_library(*sys.argv[1:])"
    command = [sys.executable, "-c", code, str(folder), str(workers), *map(str, paths)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-800:])
    times: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return times


def run_with_frame_threads(paths: Sequence[Path], folder: Path, detector: str = "adaptive") -> None:
    """The same work in one process whose decoder uses two frame threads."""
    with mock.patch.object(Video, "frames", _threaded_frames):
        for path in paths:
            run_ours(path, tracks_of(path), detector, folder)


def _threaded_frames(self: Video) -> Iterator[Frame]:
    with av.open(str(self.path)) as container:
        stream = container.streams[self.tracks.video_index]
        stream.thread_type = "FRAME"
        stream.codec_context.thread_count = 2
        if self.start_pts is not None:
            container.seek(self.start_pts, stream=stream, backward=True)
        tick = round(1 / (Fraction(stream.guessed_rate or 25) * stream.time_base))
        index = 0
        for picture in container.decode(stream):
            if self.start_pts is None or picture.pts >= self.start_pts:
                yield Frame(index, picture.pts, picture.duration or tick, picture)
                index += 1
