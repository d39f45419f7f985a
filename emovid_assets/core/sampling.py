"""The annotation plan: which clips people are asked about, for which purpose, and how many people.

Belongs here: the rules of the human sample, the sticker verification, the validation set, the benchmark's second
review and the adjudication queue (SPEC §6; requirements R9, R13, R16, R28; ADR 10). Does not belong here: the
answers, and how the tasks reach an annotation tool.

Two ways of drawing a sample, both by `keyed_rank`:
- A *fraction* is drawn by threshold: a clip is in where its rank lies in the lowest `fraction` of all possible
  ranks. Each clip is judged alone, so clips that are added or removed move no other; every source is represented
  in proportion. The count is binomial around `fraction x clips`, of the whole and of each source, not exact
  (13,255 clips at 20 %: 2,651 ± 46; a film of 2,000 clips: 400 ± 18).
- A *minimum* tops up what the threshold leaves short. The clips that rank lowest within their own source come
  first: no source gives a second clip before every source has given one, so one long film does not fill the
  sample. Such a member can be displaced by clips that are added later; `already_planned` prevents that: a task
  that is out stays out while its clip exists.

Two purposes follow from what people said before, not from a draw: a `review` from the benchmark, one more person on
a `label` task from a disagreement.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emovid_assets.core.draws import spread_over
from emovid_assets.core.identity import RANK_COUNT, keyed_rank

Row = dict[str, Any]


@dataclass(frozen=True)
class SamplingSettings:
    """Sizes of the samples. Fractions are in [0, 1]; minimums are clips per domain; annotators are people per clip.

    `review_annotators` may be 0: no second review. With `adjudicate`, a disagreement goes to one more person.
    Raises ValueError for sizes outside these limits.
    """

    human_fraction: float = 0.2
    human_minimum: int = 0
    validation_fraction: float = 0.01
    validation_minimum: int = 20
    label_annotators: int = 3
    verify_annotators: int = 1
    validation_annotators: int = 3
    review_annotators: int = 1
    adjudicate: bool = False
    seed: str = "emovid"

    def __post_init__(self) -> None:
        for name in ("human_fraction", "validation_fraction"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}: give a share from 0 to 1, such as 0.2 for 20 %.")
        for name in ("human_minimum", "validation_minimum"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}: give a number of clips, 0 or more.")
        for name in ("label_annotators", "verify_annotators", "validation_annotators"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: at least one person has to answer.")
        if self.review_annotators < 0:
            raise ValueError(
                f"review_annotators is {self.review_annotators}: give a number of people, 0 for no review."
            )


def plan_tasks(
    clips: Iterable[Mapping[str, Any]],
    intended_emotions: Mapping[str, str | None],
    *,
    settings: SamplingSettings | None = None,
    already_planned: Collection[tuple[str, str]] = frozenset(),
    benchmark: Collection[str] = frozenset(),
    disputed: Collection[str] = frozenset(),
) -> list[Row]:
    """Rows of `annotation_tasks`, sorted by clip and purpose.

    `clips` have clip_id, source_id and domain, of one domain or several; `intended_emotions` maps a source id to
    the emotion that the sticker was collected under. `already_planned` holds (clip_id, purpose) of an earlier plan,
    `benchmark` and `disputed` (see `disputed_clips`) clip ids of an earlier build.

    - `label`: the human sample of animation and movie, and every sticker without an intended emotion. Where the
      settings adjudicate, a disputed clip needs one person more than the others.
    - `verify`: every sticker with an intended emotion.
    - `validate`: a sample of each domain, drawn independently of the other purposes. A clip can be in both; whoever
      trains on `label` answers leaves the clips of `validate` out.
    - `review`: every clip of the benchmark, unless the settings want no review. It stays when its clip leaves the
      benchmark.

    A planned `verify` is withdrawn only where the sticker has lost its intended emotion: nothing is left to verify.
    """
    settings = settings or SamplingSettings()
    kept: dict[str, set[str]] = defaultdict(set)
    for clip_id, purpose in already_planned:
        kept[purpose].add(clip_id)
    by_domain: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for clip in clips:
        by_domain[clip["domain"]].append(clip)

    annotators = {
        "label": settings.label_annotators,
        "verify": settings.verify_annotators,
        "validate": settings.validation_annotators,
        "review": settings.review_annotators,
    }
    rows: list[Row] = []
    for domain, members in by_domain.items():
        intended = {
            clip["clip_id"]: (intended_emotions.get(clip["source_id"]) or None) if domain == "sticker" else None
            for clip in members
        }
        chosen = _chosen(domain, members, intended, kept, settings)
        if settings.review_annotators:
            chosen["review"] = set(intended) & (set(benchmark) | kept["review"])
        for purpose, clip_ids in chosen.items():
            rows += [
                {
                    "clip_id": clip_id,
                    "domain": domain,
                    "purpose": purpose,
                    "required_annotators": annotators[purpose]
                    + (purpose == "label" and settings.adjudicate and clip_id in disputed),
                    "intended_emotion": intended[clip_id],
                }
                for clip_id in clip_ids
            ]
    return sorted(rows, key=lambda row: (row["clip_id"], row["purpose"]))


def disputed_clips(
    labels: Iterable[Mapping[str, Any]], tasks: Iterable[Mapping[str, Any]], *, label_annotators: int = 3
) -> set[str]:
    """Clip ids whose `label` answers are or were without a majority: the adjudication queue, solved cases included.

    `labels` are rows of `human_labels`, `tasks` of `annotation_tasks`, both of the last build. A clip that was in
    the queue and has its additional answer stays: the plan says how many people were asked, also after they agreed.
    """
    queued = {
        task["clip_id"]
        for task in tasks
        if task["purpose"] == "label" and task["required_annotators"] > label_annotators
    }
    return {
        label["clip_id"]
        for label in labels
        if label["outcome"] == "no_majority"
        or (label["clip_id"] in queued and label["annotator_count"] > label_annotators)
    }


def _chosen(
    domain: str,
    clips: Sequence[Mapping[str, Any]],
    intended: Mapping[str, str | None],
    kept: Mapping[str, set[str]],
    settings: SamplingSettings,
) -> dict[str, set[str]]:
    """Clip ids of one domain per purpose."""
    if domain == "sticker":
        verify = {clip_id for clip_id, emotion in intended.items() if emotion}
        label = (set(intended) - verify) | (set(intended) & kept.get("label", set()))
    else:
        verify = set()
        label = _sample(
            clips,
            fraction=settings.human_fraction,
            minimum=settings.human_minimum,
            kept=kept.get("label", set()),
            seed=f"{settings.seed}/label",
        )
    validate = _sample(
        clips,
        fraction=settings.validation_fraction,
        minimum=settings.validation_minimum,
        kept=kept.get("validate", set()),
        seed=f"{settings.seed}/validate",
    )
    return {"label": label, "verify": verify, "validate": validate}


def _sample(
    clips: Sequence[Mapping[str, Any]], *, fraction: float, minimum: int, kept: set[str], seed: str
) -> set[str]:
    ranks = {clip["clip_id"]: keyed_rank(clip["clip_id"], seed) for clip in clips}
    threshold = int(fraction * RANK_COUNT)
    chosen = {clip_id for clip_id, rank in ranks.items() if rank < threshold or clip_id in kept}
    missing = minimum - len(chosen)
    if missing > 0:
        in_order = (clip["clip_id"] for clip in spread_over(clips, lambda clip: clip["source_id"], seed))
        chosen.update([clip_id for clip_id in in_order if clip_id not in chosen][:missing])
    return chosen
