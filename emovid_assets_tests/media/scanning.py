"""Short calls of the media pass for tests."""

import tempfile
from pathlib import Path
from typing import Any

from emovid_assets.core.video.clip_file import write_clip
from emovid_assets.core.video.probe import Probe, probe_file
from emovid_assets.core.video.scan import ScanSettings, scan_source
from emovid_assets.core.video.scenes import DetectorSettings

ADAPTIVE = DetectorSettings("adaptive", 3.0)
CONTENT = DetectorSettings("content", 27.0)
SOURCE_ID = "movie-0123456789abcdef"


def probe(path: Path) -> Probe:
    return probe_file(path)


def scan(
    path: Path,
    *,
    whole: bool = False,
    detector: DetectorSettings = ADAPTIVE,
    minimum: float | None = None,
    stride: int = 20,
    stream: int = 0,
    thumbnails: Path | None = None,
    changes: Path | None = None,
    detects_grey_films: bool = False,
) -> dict[str, Any]:
    """A scan with the default limits of a cut file, or of a whole one."""
    least = minimum if minimum is not None else 0.2 if whole else 4.0
    settings = ScanSettings(detector, stride, least, 30.0, whole, detects_grey_films)
    if thumbnails:
        return scan_source(path, stream, SOURCE_ID, settings, thumbnails, changes)
    # Never beside the source: it may lie in a folder that is not ours.
    with tempfile.TemporaryDirectory() as folder:
        return scan_source(path, stream, SOURCE_ID, settings, Path(folder), changes)


def cut_frames(scanned: dict[str, Any]) -> list[int]:
    return [segment["start_frame"] for segment in scanned["segments"][1:]]


def clip_of(path: Path, target: Path, *, number: int = 0, **options: Any) -> dict[str, Any]:
    """Writes the file of a kept segment and gives the segment."""
    scanned = scan(path, **options)
    kept = [segment for segment in scanned["segments"] if segment["is_kept"]]
    segment = {**kept[number], "video_start_s": scanned["video_start_s"]}
    write_clip(path, options.get("stream", 0), segment, target)
    return segment
