"""Which human-labelled clips a labeller may learn from, and be calibrated on.

Belongs here: what keeps the validation and the benchmark out of training. Does not belong here: how a benchmark is
drawn (`splits`), how a labeller learns.

The benchmark comes after the labels by model, of which the labeller is the source: as an input it would close a
cycle. But it takes human-labelled clips alone, and of the others it only counts how many there are. So the draw can be
made before anybody has labelled those: same function, same seed, same clips. What was published before is kept out as
well, and so is every clip of a benchmark clip's group, in whatever domain (`clip_groups`).

In a small library the benchmark may take nearly all that people have labelled. A labeller that is no judge of generated
videos may learn from it too (`TrainingPool.with_benchmark`).

The validation set is a sample of all clips, most films have a part in it, so only the clips themselves and those that
show the same stay out, by bytes or by looks.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from emovid_assets.core.clip_groups import ClipGroups
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.splits import draw_benchmark
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
        if not self.labelled_count:
            return "people have labelled none yet: bring answers with emovid annotate import into library/annotations/"
        kept = (
            f"people agreed on {self.labelled_count} clips, of which {self.validation_count} are kept for validation "
            "(annotation.validation_minimum a domain at least; what has been asked blind stays so)"
        )
        if not self.benchmark_count:
            return kept
        return f"{kept} and {self.benchmark_count} share a source, a film or their frames with the benchmark"


@dataclass(frozen=True)
class BenchmarkRules:
    """What, besides the clips, a benchmark follows from."""

    per_cell: int
    seed: str
    review_annotators: int


def training_pool(
    groups: ClipGroups,
    human_labels: Iterable[Row],
    human_annotations: Sequence[Row],
    *,
    validation: Collection[str],
    published_benchmark: Collection[str],
    rules: BenchmarkRules,
) -> TrainingPool:
    """The pool over all domains: of the clips that have a group.

    `human_labels` and `human_annotations` are rows of the tables of these names. `validation` and `published_benchmark`
    are clip ids.
    """
    human = {row["clip_id"]: row for row in human_labels}
    benchmark = set(published_benchmark)
    for domain in DOMAINS:
        benchmark |= planned_benchmark(domain, groups, human, human_annotations, published_benchmark, rules)
    closed = groups.groups_of(benchmark)
    blind = {groups.twins_of[clip_id] for clip_id in validation if clip_id in groups.twins_of}
    free: dict[str, str] = {}
    shut: dict[str, str] = {}
    validation_count = 0
    for clip_id, row in sorted(human.items()):
        if row["outcome"] != "agreed" or clip_id not in groups.group_of:
            continue
        if groups.twins_of[clip_id] in blind:
            validation_count += 1
        else:
            (shut if groups.group_of[clip_id] in closed else free)[clip_id] = row["emotion"]
    return TrainingPool(
        emotions=free,
        groups={clip_id: groups.group_of[clip_id] for clip_id in free},
        validation_count=validation_count,
        closed_emotions=shut,
        closed_groups={clip_id: groups.group_of[clip_id] for clip_id in shut},
    )


def planned_benchmark(
    domain: str,
    groups: ClipGroups,
    human: Mapping[str, Row],
    human_annotations: Sequence[Row],
    published: Collection[str],
    rules: BenchmarkRules,
) -> set[str]:
    """The benchmark that `benchmark_split` will draw from the clips of a domain once a labeller has labelled the rest.

    Clips that people did not label stand in with any emotion: the draw takes none of them, and counts them.
    """
    labelled = []
    for clip_id, clip_domain in groups.domain_of.items():
        if clip_domain != domain:
            continue
        row = human.get(clip_id)
        if row is not None and row["outcome"] == "agreed":
            labelled.append((clip_id, "human", row["emotion"]))
        elif row is None and domain != "sticker":
            labelled.append((clip_id, "vlm", EMOTION_NAMES[0]))
    rows = [
        {
            "clip_id": clip_id,
            "domain": domain,
            "emotion": emotion,
            "label_source": source,
            "group_id": groups.group_of[clip_id],
        }
        for clip_id, source, emotion in labelled
    ]
    failed = failed_reviews(human_annotations, rows, required=rules.review_annotators)
    return draw_benchmark(
        rows,
        per_cell=rules.per_cell,
        seed=rules.seed,
        already_benchmark=published,
        failed_reviews=failed,
        home_of=groups.home_of,
    )
