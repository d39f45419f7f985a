"""What a home holds, read from its Parquet files and media: rows as dictionaries, and no view of them.

Belongs here: reading, and what follows from answers of people by the rules of the paper (votes, final labels).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import av
import pyarrow.parquet as pq

from emovid_assets_tests.media.reference import as_seen, reference_of

Row = dict[str, Any]

DOMAINS = ("movie", "animation", "sticker")
SCOPES = (*DOMAINS, "total")
POSITIVE = ("amusement", "awe", "contentment", "excitement")
NEGATIVE = ("anger", "disgust", "fear", "sadness")
EMOTIONS = (*POSITIVE, *NEGATIVE)
NOTHING = "no_specific_emotion"
CHOICES = (*EMOTIONS, NOTHING)
STRIDE = 20
PEOPLE_PREFIX = "simulated-"


def majority(answers: Sequence[str]) -> str | None:
    """What two people or more chose, and more than chose anything else."""
    ranked = Counter(answers).most_common()
    if not ranked or ranked[0][1] < 2 or (len(ranked) > 1 and ranked[1][1] == ranked[0][1]):
        return None
    return ranked[0][0]


def source_of(clip_id: str) -> str:
    """`movie-<digest>-<start>-<end>` without its times."""
    return re.sub(r"-\d{8}-\d{8}$", "", clip_id)


class Media(NamedTuple):
    """What PyAV says of a file."""

    seconds: float
    frame_count: int
    has_audio: bool


def media_of(path: Path) -> Media:
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        assert video.duration is not None
        assert video.time_base is not None
        return Media(float(video.duration * video.time_base), video.frames, bool(container.streams.audio))


def _colours_of(path: Path, segments: list[Row]) -> Iterator[tuple[str, Row]]:
    frames: dict[str, list[Any]] = {row["clip_id"]: [] for row in segments}
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            for row in segments:
                if number in range(row["start_frame"], row["end_frame"], STRIDE):
                    frames[row["clip_id"]].append(as_seen(frame))
    return ((clip_id, reference_of(sampled)) for clip_id, sampled in frames.items())


class Library:
    """A home that was built."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def table(self, name: str) -> list[Row]:
        found = sorted((self.root / "warehouse" / name).rglob("*.parquet"))
        return [row for path in found for row in pq.ParquetFile(path).read().to_pylist()]

    def by_clip(self, name: str) -> dict[str, Row]:
        return {row["clip_id"]: row for row in self.table(name)}

    @cached_property
    def clips(self) -> list[Row]:
        return self.table("clips")

    @cached_property
    def sources(self) -> list[Row]:
        return self.table("source_videos")

    @cached_property
    def media(self) -> dict[str, Media]:
        """Of each clip, by the file that was cut."""
        return {row["clip_id"]: media_of(self.root / row["media_path"]) for row in self.table("clip_media")}

    @cached_property
    def answers(self) -> list[Row]:
        return self.table("human_annotations")

    @cached_property
    def machine_labels(self) -> dict[str, Row]:
        return self.by_clip("vlm_labels")

    @cached_property
    def colours(self) -> dict[str, Row]:
        """Colour attributes of each clip, by the pixels of every 20th frame of its source."""
        paths = {row["source_id"]: self.root / row["path"] for row in self.sources}
        kept: dict[str, list[Row]] = defaultdict(list)
        for row in self.table("segments"):
            if row["is_kept"]:
                kept[row["source_id"]].append(row)
        return {clip_id: row for source, rows in kept.items() for clip_id, row in _colours_of(paths[source], rows)}

    @cached_property
    def outcomes(self) -> dict[str, tuple[str, str | None]]:
        """Clip → (outcome, emotion), of clips that enough people were asked about."""
        given: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row in self.answers:
            given[row["clip_id"], row["purpose"]].append(row["label"])
        found: dict[str, tuple[str, str | None]] = {}
        for task in sorted(self.table("annotation_tasks"), key=lambda row: row["purpose"] != "verify"):
            said = given[task["clip_id"], task["purpose"]]
            if task["purpose"] not in ("label", "verify") or len(said) < min(task["required_annotators"], 3):
                continue
            if task["purpose"] == "verify":
                is_accepted = 2 * said.count("accept") > len(said)
                found[task["clip_id"]] = ("agreed", task["intended_emotion"]) if is_accepted else ("rejected", None)
                continue
            winner = majority(said)
            outcome = "no_majority" if winner is None else NOTHING if winner == NOTHING else "agreed"
            found[task["clip_id"]] = (outcome, winner if outcome == "agreed" else None)
        return found

    @cached_property
    def labels(self) -> dict[str, tuple[str, str]]:
        """Clip → (emotion, human or vlm): what people agreed on, and a model where nobody was asked."""
        found = {}
        for clip in self.clips:
            clip_id = clip["clip_id"]
            outcome, emotion = self.outcomes.get(clip_id, (None, None))
            if emotion is not None:
                found[clip_id] = (emotion, "human")
            elif outcome is None and clip["domain"] != "sticker" and clip_id in self.machine_labels:
                found[clip_id] = (self.machine_labels[clip_id]["emotion"], "vlm")
        return found

    @cached_property
    def domain_of(self) -> dict[str, str]:
        return {clip["clip_id"]: clip["domain"] for clip in self.clips}

    def labelled(self, scope: str) -> list[str]:
        """Clips of a scope that have a label, by id."""
        return [one for one in sorted(self.labels) if scope in ("total", self.domain_of[one])]

    def count_of(self, scope: str, emotion: str) -> int:
        return sum(self.labels[one][0] == emotion for one in self.labelled(scope))

    @cached_property
    def blind(self) -> dict[str, dict[str, str]]:
        """Validation clip → {person: label}."""
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for row in self.answers:
            if row["purpose"] == "validate":
                found[row["clip_id"]][row["annotator_id"]] = row["label"]
        return dict(found)

    @cached_property
    def people(self) -> list[str]:
        return sorted({row["annotator_id"] for row in self.answers})

    @cached_property
    def model(self) -> str:
        (name,) = {row["model_id"] for row in self.machine_labels.values()}
        return str(name)


def length(seconds: float) -> list[Any]:
    """What a length is shown as: seconds, minutes or hours, whichever a reader can picture."""
    return [seconds if seconds < 60 else seconds / 60 if seconds < 3600 else seconds / 3600]


def size(count: float) -> list[Any]:
    return [next((count / 1000**power for power in (3, 2, 1) if count >= 1000**power), count)]
