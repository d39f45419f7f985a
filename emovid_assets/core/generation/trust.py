"""Whether the dataset's labeller is good enough to judge generated videos.

Belongs here: that one rule. Does not belong here: how a labeller is evaluated (`labeller_comparison`, `training`).

A labeller that is right no more often than chance calls a generator's videos right as often as any other's: a table of
its answers would look like a result and be none.

The blind clips are those of the videos' domain: what is said of one domain waits for no table of all of them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from emovid_assets.core.annotator_quality import majority_of
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.source_draws import source_or_itself
from emovid_assets.core.statistics.wilson import grouped_wilson, wilson

CHANCE = 1 / len(EMOTION_NAMES)


def why_not_trusted(labeller: Mapping[str, Any], ratings: Iterable[Mapping[str, Any]]) -> str | None:
    """A sentence, where a row of `emotion_labeller` shows no more than chance; null where it shows more.

    On the clips that it was measured on, the lower end of the 95 % interval of its accuracy (Wilson) must be above 1/8
    and above the share of the most frequent emotion. Where it was measured on none, the lower end of its accuracy on
    the blind clips of a domain (rows of `validation_ratings`; by source video) must be above 1/8.
    """
    name, count = labeller["model_id"], labeller["held_out_clip_count"]
    if count:
        accuracy, baseline = labeller["validation_accuracy"], labeller["baseline_accuracy"]
        interval = wilson(round(accuracy * count), count)
        assert interval is not None
        least = max(CHANCE, baseline)
        what = "guessing" if least == CHANCE else "always giving the most frequent emotion"
        seen = f"{accuracy:.1%} of {count} held-out clips, 95 % interval from {interval[0]:.1%}"
        return None if interval[0] > least else _sentence(name, seen, f"{what} is right on {least:.1%}")
    right, of_source = _judged(name, ratings)
    interval = grouped_wilson([right[source] for source in of_source], list(of_source.values()))
    if interval:
        seen = (
            f"{right.total()} of {of_source.total()} blind clips of this domain, 95 % interval from {interval[0]:.1%}"
        )
        return None if interval[0] > CHANCE else _sentence(name, seen, f"guessing is right on {CHANCE:.1%}")
    return (
        f"The labeller {name} was measured on no clip, so nothing says that it is better than guessing: the emotions "
        f"of generated videos stay empty. Let people label clips (emovid annotate) and build again."
    )


def _sentence(name: str, seen: str, chance: str) -> str:
    return (
        f"The labeller {name} is no judge of generated videos: it is right on {seen}, and {chance}. Their emotions "
        f"stay empty; let people label more clips, or take another labeller (labeller.backend, labeller.model)."
    )


def _judged(name: str, ratings: Iterable[Mapping[str, Any]]) -> tuple[Counter[str], Counter[str]]:
    """By source video: clips on which the rater of that name said what most people said, and clips that it saw.

    Clips count where most people chose one of the eight emotions.
    """
    given: dict[str, list[str]] = {}
    said: dict[str, str] = {}
    for row in ratings:
        if row["rater_kind"] == "human":
            given.setdefault(row["clip_id"], []).append(row["label"])
        elif row["rater_id"] == name:
            said[row["clip_id"]] = row["label"]
    right, of_source = Counter[str](), Counter[str]()
    for clip_id, label in said.items():
        majority = majority_of(given.get(clip_id, ()))
        if majority in EMOTION_NAMES:
            of_source[source_or_itself(clip_id)] += 1
            right[source_or_itself(clip_id)] += label == majority
    return right, of_source
