"""Short calls of the media pass for tests."""

import hashlib
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import av
import numpy as np

from emovid_assets.core.video.clip_file import Way, write_clip
from emovid_assets.core.video.probe import Probe, probe_file
from emovid_assets.core.video.reading import Frame, Video
from emovid_assets.core.video.scan import ScanSettings, scan_source
from emovid_assets.core.video.scenes import DetectorSettings
from emovid_assets.core.video.streams import ONLY, Tracks

ADAPTIVE = DetectorSettings("adaptive", 3.0)
CONTENT = DetectorSettings("content", 27.0)
SOURCE_ID = "movie-0123456789abcdef"
WAYS: tuple[Way, ...] = get_args(Way)


def probe(path: Path) -> Probe:
    return probe_file(path)


def scan(
    path: Path,
    *,
    whole: bool = False,
    detector: DetectorSettings = ADAPTIVE,
    minimum: float | None = None,
    stride: int = 20,
    tracks: Tracks | None = None,
    thumbnails: Path | None = None,
    changes: Path | None = None,
    detects_grey_films: bool = False,
    trim_s: float | None = None,
) -> dict[str, Any]:
    """A scan with the default limits of a cut file, or of a whole one."""
    least = minimum if minimum is not None else 0.2 if whole else 4.0
    tracks = tracks or first_tracks(path)
    settings = ScanSettings(detector, stride, least, 30.0, whole, detects_grey_films)
    if thumbnails:
        return scan_source(path, tracks, SOURCE_ID, settings, thumbnails, changes, trim_s=trim_s)
    # Never beside the source: it may lie in a folder that is not ours.
    with tempfile.TemporaryDirectory() as folder:
        return scan_source(path, tracks, SOURCE_ID, settings, Path(folder), changes, trim_s=trim_s)


def cut_frames(scanned: dict[str, Any]) -> list[int]:
    return [segment["start_frame"] for segment in scanned["segments"][1:]]


def clip_of(path: Path, target: Path, *, number: int = 0, way: Way = "exact", **options: Any) -> dict[str, Any]:
    """Writes the file of a kept segment and gives the segment."""
    scanned = scan(path, **options)
    kept = [segment for segment in scanned["segments"] if segment["is_kept"]]
    segment = {**kept[number], "video_start_s": scanned["video_start_s"]}
    write_clip(path, options.get("tracks") or first_tracks(path), segment, target, way=way)
    return segment


def whole(path: Path, tracks: Tracks = ONLY) -> list[Frame]:
    """Every frame, decoded."""
    return list(Video(path, tracks).frames())


def first_tracks(path: Path) -> Tracks:
    """The first picture and the first sound of a file that has no other."""
    try:
        with av.open(str(path)) as container:
            video = container.streams.video
            audio = [stream.index for stream in container.streams.audio if stream.codec_context]
            return Tracks(video[0].index if video else 0, audio[0] if audio else None)
    except av.error.FFmpegError:
        # Animated WebP, and what cannot be read at all.
        return Tracks()


def segment_of(frames: Sequence[Frame], first: int, end: int) -> dict[str, Any]:
    """The segment of the frames `first` up to `end`, as the scan would describe it, cut or no cut."""
    tick = Fraction(frames[0].picture.time_base)
    start_pts = frames[first].pts
    end_pts = (
        frames[end].pts
        if end < len(frames)
        else frames[-1].pts + (frames[-1].duration or frames[-1].pts - frames[-2].pts)
    )
    return {
        "start_frame": first,
        "end_frame": end,
        "start_pts": start_pts,
        "end_pts": end_pts,
        "start_s": float((start_pts - frames[0].pts) * tick),
        "end_s": float((end_pts - frames[0].pts) * tick),
        "video_start_s": float(frames[0].pts * tick),
        "has_audio": True,
        "has_mended_stamps": any(frame.is_mended for frame in frames[first:end]),
    }


def planes(frame: Frame) -> str:
    """Digest of the decoded samples of a 4:2:0 picture: equal for equal pictures only."""
    picture = frame.picture
    digest = hashlib.md5(usedforsecurity=False)
    for plane, sample_step in zip(picture.planes, (1, 2, 2), strict=True):
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        height, width = -(-picture.height // sample_step), -(-picture.width // sample_step)
        digest.update(rows[:height, :width].tobytes())
    return digest.hexdigest()
