"""Which clips an export is of, and why others are not.

Belongs here: the rows of `training_sets` with the files of their clips. Does not belong here: how many frames of which
size there are of a clip (`core.tuning.rows`), writing (`export`).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.tuning.families import Family, Size
from emovid_assets.core.tuning.rows import NOT_ASKED_FOR, PLAYED_AGAIN, Fit, TrainingClip, fit, training_clips
from emovid_assets.core.tuning.trainers.shape import Trainer
from emovid_assets.home.folders import Home
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.columns import each_row

NOT_BUILT = "not in the set yet: run emovid build"


class NothingToExportError(Exception):
    """There is nothing to train on; the message says why."""


@dataclass(frozen=True)
class Wish:
    """What is asked for. `frames`: most of a clip."""

    trainer: Trainer
    family: Family
    sizes: tuple[Size, ...]
    frames: int
    domains: Sequence[str] = DOMAINS


@dataclass(frozen=True)
class Chosen:
    """A clip of the set. `source`: its clip file, below the home folder, of `sha256`."""

    clip_id: str
    domain: str
    caption: str
    repeats: int
    fit: Fit
    source: str
    sha256: str

    @property
    def is_again(self) -> bool:
        return self.domain in PLAYED_AGAIN


@dataclass
class LeftOut:
    """Clips of the training split that are in no export, and why."""

    reasons: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By clip: its domain, and the reason."""

    def add(self, clip_id: str, domain: str, reason: str) -> None:
        self.reasons[clip_id] = domain, reason

    def counts(self) -> list[tuple[str, str, int]]:
        """(domain, reason, clips), the most first."""
        counted = Counter(self.reasons.values())
        ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
        return [(domain, reason, count) for (domain, reason), count in ordered]


def choose(home: Home, wish: Wish) -> tuple[list[Chosen], LeftOut]:
    """Clips by their ids. Raises NothingToExportError."""
    warehouse = Warehouse(home.warehouse)
    if not warehouse.exists("training_sets"):
        raise NothingToExportError("there is no training set yet; run: emovid build")
    rows = {
        row["clip_id"]: row for row in each_row(warehouse.read("training_sets")) if row["set_id"] == wish.family.name
    }
    files = {row["clip_id"]: row for row in _rows(warehouse, "clip_media", wish)}
    repeats = home.settings().tuning.repeats()
    chosen: list[Chosen] = []
    left_out = LeftOut()
    for clip in training_clips(
        _rows(warehouse, "benchmark_split", wish), _rows(warehouse, "clips", wish), files.values()
    ):
        row = rows.get(clip.clip_id)
        found = _fit(clip, wish)
        if isinstance(found, str):
            left_out.add(clip.clip_id, clip.domain, found)
        elif row is None:
            left_out.add(clip.clip_id, clip.domain, NOT_BUILT if repeats[clip.domain] else NOT_ASKED_FOR)
        else:
            file = files[clip.clip_id]
            chosen.append(
                Chosen(
                    clip.clip_id,
                    clip.domain,
                    row["caption"],
                    row["repeats"],
                    found,
                    file["media_path"],
                    file["sha256"],
                )
            )
    if not chosen:
        raise NothingToExportError(_why_nothing(left_out, wish))
    return chosen, left_out


def _rows(warehouse: Warehouse, table: str, wish: Wish) -> Iterator[dict[str, Any]]:
    for domain in wish.domains:
        yield from each_row(warehouse.read(table, domain))


def _fit(clip: TrainingClip, wish: Wish) -> Fit | str:
    found = fit(clip, wish.family, frames=wish.frames, sizes=wish.sizes, more=wish.trainer.more_frames)
    if isinstance(found, str):
        return found
    if found.frame_count < wish.frames and not wish.trainer.takes_shorter:
        return too_short_for(wish)
    return Fit(wish.trainer.shortened(wish.family, found.frame_count), found.size)


def too_short_for(wish: Wish) -> str:
    return (
        f"shorter than {wish.frames} frames, where {wish.trainer.title} would repeat the last one; a smaller --frames "
        "takes more clips"
    )


def _why_nothing(left_out: LeftOut, wish: Wish) -> str:
    if not left_out.reasons:
        return (
            f"no clip of {', '.join(wish.domains)} is in `train` of benchmark_split: a small library may have all its "
            "clips in the benchmark, or none labelled yet (emovid status says how far it is)"
        )
    told = "; ".join(f"{count} {domain}: {reason}" for domain, reason, count in left_out.counts())
    return f"no clip of the training split can be exported: {told}"
