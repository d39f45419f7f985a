"""The clips that a labeller learns from: which are held out, in which order they come, how much each counts.

Belongs here: choices by keyed rank and by counting, no model. Does not belong here: which clips may be learnt from at
all (`core.training_pool`), learning (`fine_tuning`).
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.identity import keyed_rank
from emovid_assets.core.labelling import NotEnoughLabelsError
from emovid_assets.core.vlm.exchange import ClipRequest

LARGEST_WEIGHT = 10.0
"""Of a rare emotion, in units of the most frequent one's: one clip in a thousand must not steer every step."""


@dataclass(frozen=True)
class Example:
    """A clip that people agreed on. Clips of one `group_id` are either all learnt from or all held out. `content` says
    what its frames are (`core.clip_content`)."""

    clip_id: str
    request: ClipRequest
    emotion: str
    group_id: str
    content: str


@dataclass(frozen=True)
class Parts:
    """What is learnt from, and what quality, stopping and temperature are taken from; both sorted by clip."""

    training: list[Example]
    held_out: list[Example]


def divided(examples: Sequence[Example], *, share: float, seed: str) -> Parts:
    """Holds out about `share` of the groups of each kind, by keyed rank: a new group moves at most one other.

    A group's kind is its most frequent emotion. Of each kind with two groups or more, at least one is held out and one
    is learnt from. A group with which more than twice the share of all clips would be held out is passed over, so that
    one long film does not take the training set with it.
    """
    members: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        members[example.group_id].append(example)
    kinds: dict[str, list[str]] = defaultdict(list)
    for group, clips in members.items():
        counts = Counter(clip.emotion for clip in clips)
        kinds[max(EMOTION_NAMES, key=lambda name: counts[name])].append(group)
    room = 2 * share * len(examples)
    held_out: set[str] = set()
    for kind in sorted(kinds, key=lambda kind: (len(kinds[kind]), kind)):
        groups = sorted(kinds[kind], key=lambda group: (keyed_rank(group, f"{seed}/held out"), group))
        wanted = min(max(1, round(share * len(groups))), len(groups) - 1)
        for group in groups:
            if wanted and len(members[group]) <= room:
                held_out.add(group)
                room -= len(members[group])
                wanted -= 1
    ordered = sorted(examples, key=lambda example: example.clip_id)
    return Parts(
        [example for example in ordered if example.group_id not in held_out],
        [example for example in ordered if example.group_id in held_out],
    )


def require_enough(examples: Sequence[Example], parts: Parts, minimum: int) -> None:
    """Raises NotEnoughLabelsError, with what there is and what is needed, where nothing sound can be learnt."""
    groups = len({example.group_id for example in examples})
    learnt = Counter(example.emotion for example in parts.training)
    if len(examples) >= minimum and len(learnt) > 1 and parts.held_out:
        return
    raise NotEnoughLabelsError(
        f"Fine-tuning needs at least {minimum} human-labelled clips (fine_tuning.min_clips), of two emotions and from "
        f"enough sources that some can be held out; there are {len(examples)} of "
        f"{len({example.emotion for example in examples})} emotions from {groups} sources, {len(parts.held_out)} of "
        f"them held out."
    )


def class_weights(examples: Sequence[Example]) -> Mapping[str, float]:
    """How much a clip of each emotion counts: inversely to their number, at most `LARGEST_WEIGHT` times the least.

    The mean over the clips is 1.
    """
    counts = Counter(example.emotion for example in examples)
    most = max(counts.values(), default=1)
    weights = {name: min(most / count, LARGEST_WEIGHT) for name, count in counts.items()}
    mean = sum(weights[name] * count for name, count in counts.items()) / max(len(examples), 1)
    return {name: weight / mean for name, weight in weights.items()}


def in_epoch(examples: Sequence[Example], epoch: int, seed: str) -> list[Example]:
    """The clips in the order of an epoch, which follows from its number alone."""
    return sorted(examples, key=lambda example: (keyed_rank(example.clip_id, f"{seed}/epoch {epoch}"), example.clip_id))
