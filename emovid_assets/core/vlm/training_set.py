"""The clips that a labeller learns from: which are kept out, in which order they come, how much each counts.

Belongs here: choices by keyed rank and by counting, no model. Does not belong here: which clips may be learnt from at
all (`core.training_pool`), learning (`fine_tuning`).
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emovid_assets.core.emotions import first_of_most
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
    """What is learnt from, what the adapter and the temperature are chosen by, and what quality is measured on; all
    sorted by clip. The best of many adapters by some clips is too good on these very clips."""

    training: list[Example]
    choosing: list[Example]
    held_out: list[Example]

    @property
    def sentence(self) -> str:
        """What quality rests on, for people."""
        if self.held_out:
            kinds = len({example.emotion for example in self.held_out})
            return (
                f"Measured on {len(self.held_out)} clips of {kinds} emotions that have neither taught nor chosen it; "
                f"{len(self.choosing)} others chose the adapter and the temperature."
            )
        return (
            "Not measured: it takes an emotion with clips of three groups (a source, a film, near-duplicates), one to "
            "learn from, one to choose the adapter by and one to measure it on. Label clips of more sources; "
            "labeller_comparison has its accuracy on the blind validation clips."
        )


def divided(examples: Sequence[Example], *, share: float, seed: str) -> Parts:
    """Keeps about `share` of the groups of each kind out of training, half of them to choose by and half to measure on.

    By keyed rank: a new group moves at most two others. A group's kind is its most frequent emotion. Of each kind with
    two groups or more, at least one is chosen by and one is learnt from; of three or more, one is measured on too. A
    group with which more than the share of all clips would be chosen by, or measured on, is passed over, so that one
    long film does not take the training set with it.
    """
    members: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        members[example.group_id].append(example)
    kinds: dict[str, list[str]] = defaultdict(list)
    for group, clips in members.items():
        counts = Counter(clip.emotion for clip in clips)
        kinds[first_of_most(counts)].append(group)
    room = share * len(examples)
    part_of: dict[str, str] = {}
    # Choosing first: without it nothing can be learnt at all.
    for part in ("choosing", "held out"):
        left = room
        for kind in sorted(kinds, key=lambda kind: (len(kinds[kind]), kind)):
            free = [group for group in kinds[kind] if group not in part_of]
            wanted = min(max(1, round(share / 2 * len(kinds[kind]))), len(free) - 1)
            for group in sorted(free, key=lambda group: (keyed_rank(group, f"{seed}/{part}"), group)):
                if wanted > 0 and len(members[group]) <= left:
                    part_of[group] = part
                    left -= len(members[group])
                    wanted -= 1
    ordered = sorted(examples, key=lambda example: example.clip_id)
    return Parts(
        [example for example in ordered if example.group_id not in part_of],
        [example for example in ordered if part_of.get(example.group_id) == "choosing"],
        [example for example in ordered if part_of.get(example.group_id) == "held out"],
    )


def require_enough(examples: Sequence[Example], parts: Parts, minimum: int) -> None:
    """Raises NotEnoughLabelsError, with what there is and what is needed, where nothing sound can be learnt."""
    groups = len({example.group_id for example in examples})
    learnt = Counter(example.emotion for example in parts.training)
    if len(examples) >= minimum and len(learnt) > 1 and parts.choosing:
        return
    raise NotEnoughLabelsError(
        f"Fine-tuning needs at least {minimum} human-labelled clips (fine_tuning.min_clips), of two emotions and from "
        f"enough sources that some can be held out; there are {len(examples)} of "
        f"{len({example.emotion for example in examples})} emotions from {groups} sources, "
        f"{len(parts.choosing) + len(parts.held_out)} of them held out."
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
