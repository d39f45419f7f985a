"""Whether the dataset's labeller is good enough to judge generated videos.

Belongs here: that one rule. Does not belong here: how a labeller is evaluated (`labeller_comparison`, `training`).

A labeller that is right no more often than chance calls a generator's videos right as often as any other's: a table of
its answers would look like a result and be none.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from emovid_assets.core.domains import TOTAL
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.labeller_comparison import MAJORITY
from emovid_assets.core.statistics.wilson import wilson

CHANCE = 1 / len(EMOTION_NAMES)


def why_not_trusted(labeller: Mapping[str, Any], comparison: Iterable[Mapping[str, Any]]) -> str | None:
    """A sentence, where a row of `emotion_labeller` shows no more than chance; null where it shows more.

    On the clips that it was measured on, the lower end of the 95 % interval of its accuracy (Wilson) must be above 1/8
    and above the share of the most frequent emotion. Where it was measured on none, the lower end of its accuracy on
    the blind clips of all domains (rows of `labeller_comparison`) must be above 1/8.
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
    for row in comparison:
        low = row["accuracy_low"]
        if (row["scope"], row["truth"], row["rater_id"]) == (TOTAL, MAJORITY, name) and low is not None:
            seen = f"{row['accuracy']:.1%} of {row['clip_count']} blind clips, 95 % interval from {low:.1%}"
            return None if low > CHANCE else _sentence(name, seen, f"guessing is right on {CHANCE:.1%}")
    return (
        f"The labeller {name} was measured on no clip, so nothing says that it is better than guessing: the emotions "
        f"of generated videos stay empty. Let people label clips (emovid annotate) and build again."
    )


def _sentence(name: str, seen: str, chance: str) -> str:
    return (
        f"The labeller {name} is no judge of generated videos: it is right on {seen}, and {chance}. Their emotions "
        f"stay empty; let people label more clips, or take another labeller (labeller.backend, labeller.model)."
    )
