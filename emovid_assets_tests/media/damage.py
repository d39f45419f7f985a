"""Seeded damage to media files, and the child process that reads what is left.

Belongs here: what is done to the bytes, and what counts as a consistent outcome of a damaged file.
"""

import math
import resource
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from emovid_assets.core.video.errors import ADVICE, MediaError
from emovid_assets.core.video.probe import Limits, Probe, probe_file
from emovid_assets_tests.media.scanning import scan

MEMORY_BYTES = 3 << 30
"""Address space of the child; OpenCV and FFmpeg map about 1 GiB before they read a byte."""

LIMITS = Limits(max_pixels=4_000_000, max_frames=5000, max_duration_s=3600.0, max_animation_pixels=400_000_000)


def damaged(data: bytes, other: bytes, seed: int) -> bytes:
    """One of five kinds of damage: bits, a cut, a hole, another file's header, pieces in the wrong order."""
    random = np.random.default_rng(seed)
    kind, size = seed % 5, len(data)
    # Headers and indexes are small, and most of what can go wrong is there.
    reach = size if random.random() < 0.4 else min(size, 2000)
    if kind == 0:
        flipped = np.frombuffer(data, np.uint8).copy()
        at = random.integers(0, reach, int(random.choice([1, 4, 30])))
        flipped[at] ^= (1 << random.integers(0, 8, len(at))).astype(np.uint8)
        return flipped.tobytes()
    start = int(random.integers(0, reach))
    length = int(random.integers(1, max(2, min(size - start, 4000))))
    if kind == 1:
        return data[: int(random.integers(1, size))]
    if kind == 2:
        return data[:start] + bytes(length) + data[start + length :]
    if kind == 3:
        return other[: min(start, len(other))] + data[start:]
    return data[:start] + data[start + length :] + data[start : start + length]


def limit_memory() -> None:
    """For the child: more than `MEMORY_BYTES` is an error in it, not a machine that swaps."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    cv2.setNumThreads(1)


def outcome_of(path: Path, folder: Path) -> str:
    """The code of the quarantine, or the facts of a consistent result. Raises AssertionError for anything else."""
    try:
        facts = probe_file(path, LIMITS)
        result = scan(path, whole=True, tracks=facts.tracks, minimum=0.0, thumbnails=folder)
    except MediaError as error:
        return f"{error.code}: {error.detail} {ADVICE[error.code]}"
    _require_consistent(facts, result, folder)
    return f"{facts} {result['frame_count']} {[segment['clip_id'] for segment in result['segments']]}"


def peak_bytes() -> int:
    # Not `ru_maxrss`, which a process inherits from the one that started it.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


def _require_consistent(facts: Probe, result: dict[str, Any], folder: Path) -> None:
    assert facts.frame_count > 1
    assert facts.fps > 0
    assert 0 < facts.duration_s <= LIMITS.max_duration_s
    assert facts.width_px > 0
    assert facts.height_px > 0
    assert result["frame_count"] == sum(s["end_frame"] - s["start_frame"] for s in result["segments"])
    for segment in result["segments"]:
        assert _is_finite(segment)
        assert segment["duration_s"] >= 0
        if segment["is_kept"]:
            assert (folder / f"{segment['clip_id']}.jpg").stat().st_size > 0


def _is_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_finite(item) for item in value.values())
    if isinstance(value, list | tuple):
        return all(_is_finite(item) for item in value)
    return not isinstance(value, float) or math.isfinite(value)


def read_mutant(source: str, other: str, seed: int, folder: str) -> tuple[str, int]:
    """What a damaged file comes to, twice, and the peak memory of this process so far."""
    target = Path(folder, f"{Path(source).stem}-{seed}")
    target.mkdir()
    path = target / f"mutant{Path(source).suffix}"
    path.write_bytes(damaged(Path(source).read_bytes(), Path(other).read_bytes(), seed))
    first = outcome_of(path, target)
    assert outcome_of(path, target) == first, "two readings differ"
    return first, peak_bytes()
