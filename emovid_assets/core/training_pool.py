"""Which human-labelled clips a labeller may learn from, and be calibrated on.

Belongs here: what keeps the validation and the benchmark out of training. Does not belong here: how a benchmark is
drawn (`splits`), how a labeller learns.

The benchmark comes after the labels by model, of which the labeller is the source: as an input it would close a
cycle. But it takes human-labelled clips alone, and of the others it only counts how many there are. So the draw can be
made before anybody has labelled those: same function, same seed, same clips. What was published before is kept out as
well, and so is every clip of a benchmark clip's group: the same film, the same source, near-duplicates.

In a small library the benchmark may take nearly all that people have labelled. A labeller that is no judge of generated
videos may learn from it too (`TrainingPool.with_benchmark`).

The validation set is a sample of all clips, most films have a part in it, so only the clips themselves and their
near-duplicates stay out.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.splits import draw_benchmark, group_clips
from emovid_assets.core.voting import failed_reviews

Row = Mapping[str, Any]


@dataclass(frozen=True)
class TrainingPool:
    """Clip id → emotion and → group of what may be learnt from, and which labelled clips stay out.

    `closed_emotions` and `closed_groups` are the same of clips whose group has a clip of the benchmark.
    """

    emotions: Mapping[str, str]
    groups: Mapping[str, str]
    validation_count: int
    closed_emotions: Mapping[str, str]
    closed_groups: Mapping[str, str]

    @property
    def benchmark_count(self) -> int:
        return len(self.closed_emotions)

    @property
    def labelled_count(self) -> int:
        return len(self.emotions) + self.validation_count + self.benchmark_count

    def with_benchmark(self) -> "TrainingPool":
        """With the benchmark's clips and their groups too: for whoever is no judge of what is made from them."""
        return replace(
            self,
            emotions={**self.emotions, **self.closed_emotions},
            groups={**self.groups, **self.closed_groups},
            closed_emotions={},
            closed_groups={},
        )

    @property
    def sentence(self) -> str:
        """What there is, in words that explain a refusal."""
        return (
            f"people agreed on {self.labelled_count} clips, of which {self.validation_count} are kept for validation "
            f"and {self.benchmark_count} share a source, a film or their frames with the benchmark"
        )


@dataclass(frozen=True)
class BenchmarkRules:
    """What, besides the clips, a benchmark follows from."""

    per_cell: int
    seed: str
    review_annotators: int


def training_pool(
    clips: Iterable[Row],
    human_labels: Iterable[Row],
    human_annotations: Sequence[Row],
    *,
    validation: Collection[str],
    published_benchmark: Collection[str],
    rules: BenchmarkRules,
) -> TrainingPool:
    """The pool over all domains.

    `clips` have clip_id, source_id, domain, film_id, frame_hashes and mean_colour (as `splits.group_clips` takes
    them); the others are rows of the tables of these names. `validation` and `published_benchmark` are clip ids.
    """
    known = list(clips)
    groups = group_clips(known)
    twins = group_clips({**clip, "source_id": clip["clip_id"], "film_id": None} for clip in known)
    human = {row["clip_id"]: row for row in human_labels}
    benchmark = set(published_benchmark)
    for domain in sorted({clip["domain"] for clip in known}):
        members = [clip for clip in known if clip["domain"] == domain]
        benchmark |= planned_benchmark(members, human, human_annotations, published_benchmark, rules)
    closed = {groups[clip_id] for clip_id in benchmark if clip_id in groups}
    blind = {twins[clip_id] for clip_id in validation if clip_id in twins}
    free: dict[str, str] = {}
    shut: dict[str, str] = {}
    validation_count = 0
    for clip_id, row in sorted(human.items()):
        if row["outcome"] != "agreed" or clip_id not in groups:
            continue
        if twins[clip_id] in blind:
            validation_count += 1
        else:
            (shut if groups[clip_id] in closed else free)[clip_id] = row["emotion"]
    return TrainingPool(
        emotions=free,
        groups={clip_id: groups[clip_id] for clip_id in free},
        validation_count=validation_count,
        closed_emotions=shut,
        closed_groups={clip_id: groups[clip_id] for clip_id in shut},
    )


def planned_benchmark(
    members: Sequence[Row],
    human: Mapping[str, Row],
    human_annotations: Sequence[Row],
    published: Collection[str],
    rules: BenchmarkRules,
) -> set[str]:
    """The benchmark that `benchmark_split` will draw from the clips of a domain once a labeller has labelled the rest.

    Clips that people did not label stand in with any emotion: the draw takes none of them, and counts them.
    """
    groups = group_clips(members)
    labelled = []
    for clip in members:
        row = human.get(clip["clip_id"])
        if row is not None and row["outcome"] == "agreed":
            labelled.append((clip, "human", row["emotion"]))
        elif row is None and clip["domain"] != "sticker":
            labelled.append((clip, "vlm", EMOTION_NAMES[0]))
    rows = [
        {
            "clip_id": clip["clip_id"],
            "domain": clip["domain"],
            "emotion": emotion,
            "label_source": source,
            "group_id": groups[clip["clip_id"]],
        }
        for clip, source, emotion in labelled
    ]
    failed = failed_reviews(human_annotations, rows, required=rules.review_annotators)
    return draw_benchmark(
        rows, per_cell=rules.per_cell, seed=rules.seed, already_benchmark=published, failed_reviews=failed
    )
