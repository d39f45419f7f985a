"""Which clips a family is trained on, with how many frames of which size, and how often.

Belongs here: rows of `training_sets`, and why a clip is in none. Does not belong here: which clips are of the training
split (`core.splits`, which limits movies as the paper does), reading clips (`frames`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from emovid_assets.core.plain_text import bare
from emovid_assets.core.tuning.families import Family, Size, nearest_bucket
from emovid_assets.core.video.at_rate import tick_count

Row = dict[str, Any]

PLAYED_AGAIN = frozenset({"sticker"})
"""Domains whose clips are endless where they are seen."""
TOO_SHORT = "too short for more than a still"
NO_FILE = "has no clip file"
NOT_ASKED_FOR = "its domain has no repeats"


@dataclass(frozen=True)
class TrainingClip:
    """A clip of the training split. Sizes are of its pictures as they are shown; lengths null where it has no file."""

    clip_id: str
    domain: str
    group_id: str
    caption: str
    duration_s: float | None
    width_px: int
    height_px: int


@dataclass(frozen=True)
class Fit:
    """What a family sees of a clip."""

    frame_count: int
    size: Size


def training_clips(
    split: Iterable[Mapping[str, Any]], clips: Iterable[Mapping[str, Any]], media: Iterable[Mapping[str, Any]]
) -> list[TrainingClip]:
    """Of rows of `benchmark_split`, `clips` and `clip_media`, by their ids."""
    size_of = {row["clip_id"]: (row["width_px"], row["height_px"]) for row in clips}
    length_of = {row["clip_id"]: row["duration_s"] for row in media}
    found = [
        TrainingClip(
            row["clip_id"],
            row["domain"],
            row["group_id"],
            bare(row["prompt"]),
            length_of.get(row["clip_id"]),
            *size_of[row["clip_id"]],
        )
        for row in split
        if row["split"] == "train"
    ]
    return sorted(found, key=lambda clip: clip.clip_id)


def fit(clip: TrainingClip, family: Family, *, frames: int, sizes: Sequence[Size], more: int = 0) -> Fit | str:
    """What the family sees of a clip, or why it sees nothing. `more`: frames that a file needs beyond that."""
    if clip.duration_s is None:
        return NO_FILE
    there = frames + more
    if clip.domain not in PLAYED_AGAIN:
        there = min(there, tick_count(Fraction(clip.duration_s), Fraction(family.rate)))
    count = family.largest_count(there - more)
    return Fit(count, nearest_bucket(sizes, clip.width_px, clip.height_px)) if count > 1 else TOO_SHORT


def set_rows(
    clips: Iterable[TrainingClip], family: Family, repeats: Mapping[str, int]
) -> tuple[list[Row], Counter[tuple[str, str]]]:
    """Rows of the family's set of `training_sets`, by clip; and how many clips of (domain, reason) are none.

    `repeats`: by domain.
    """
    rows: list[Row] = []
    left_out: Counter[tuple[str, str]] = Counter()
    for clip in clips:
        found = (
            fit(clip, family, frames=family.frames, sizes=family.buckets()) if repeats[clip.domain] else NOT_ASKED_FOR
        )
        if isinstance(found, str):
            left_out[clip.domain, found] += 1
        else:
            rows.append(_row(clip, family, found, repeats[clip.domain]))
    total = sum(row["repeats"] for row in rows)
    return [{**row, "weight": row["repeats"] / total} for row in rows], left_out


def _row(clip: TrainingClip, family: Family, found: Fit, repeats: int) -> Row:
    return {
        "set_id": family.name,
        "family": family.name,
        "clip_id": clip.clip_id,
        "domain": clip.domain,
        "group_id": clip.group_id,
        "caption": clip.caption,
        "frame_count": found.frame_count,
        "fps": float(family.rate),
        "width_px": found.size.width_px,
        "height_px": found.size.height_px,
        "repeats": repeats,
    }
