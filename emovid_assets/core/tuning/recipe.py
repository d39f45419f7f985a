"""What a training of an adapter is given and where it is: recipe, clips, steps, state.

Belongs here: numbers and their order, no model. Does not belong here: learning (`loop`).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from emovid_assets.core.evaluations import is_evaluated
from emovid_assets.core.identity import keyed_rank

HELD_OUT_CLIPS = 32
"""Most clips of one evaluation: each is looked at under several noise levels."""
LEVELS = 8
"""Noise levels at which a held-out clip is looked at, each with a noise of its own that stays the same."""
DEFAULT_TARGETS = ("q", "k", "v", "o", "ffn.0", "ffn.2")


class NotEnoughClipsError(ValueError):
    """Too few clips to learn from; the message says how many there are and what to do."""


@dataclass(frozen=True)
class Recipe:
    """How an adapter is trained. `targets` are layers under the names of Wan's own code; the adapter's scale is 1."""

    rank: int = 32
    learning_rate: float = 1e-4
    epochs: int = 3
    batch_clips: int = 1
    weight_decay: float = 0.01
    targets: tuple[str, ...] = DEFAULT_TARGETS
    shift: float = 5.0
    evaluations_per_epoch: int = 1
    patience: int = 2
    seed: int = 0


@dataclass(frozen=True)
class Clip:
    """A clip to learn from. Clips of one `group_id` are all learnt from or all held out; `key` says what its sample is
    made of; `repeats`: how often an epoch sees it."""

    clip_id: str
    group_id: str
    key: str
    repeats: int = 1


@dataclass(frozen=True)
class Parts:
    """Both sorted by clip."""

    training: tuple[Clip, ...]
    held_out: tuple[Clip, ...]


def divided(clips: Sequence[Clip], *, share: float, minimum: int, name: str, seed: str) -> Parts:
    """Holds out about `share` of the clips, whole groups by keyed rank, at most `HELD_OUT_CLIPS` of them.

    Raises NotEnoughClipsError where there are fewer clips than `minimum`, or none can be held out.
    """
    groups: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        groups[clip.group_id].append(clip)
    if len(clips) < minimum or len(groups) < 2:
        raise NotEnoughClipsError(
            f"{name} has {len(clips)} clips of {len(groups)} sources to learn from, and takes at least {minimum} "
            f"(min_clips) of two sources, of which one is held out: add clips to the training split, or set a lower "
            "min_clips."
        )
    wanted = min(max(1, round(share * len(clips))), HELD_OUT_CLIPS)
    held_out: set[str] = set()
    taken = 0
    for group in sorted(groups, key=lambda group: (keyed_rank(group, f"{seed}/held out"), group)):
        size = len(groups[group])
        if taken < wanted and (taken + size <= wanted or not held_out) and len(clips) - taken - size > 0:
            held_out.add(group)
            taken += size
    ordered = sorted(clips, key=lambda clip: clip.clip_id)
    return Parts(
        tuple(clip for clip in ordered if clip.group_id not in held_out),
        tuple(clip for clip in ordered if clip.group_id in held_out)[:HELD_OUT_CLIPS],
    )


@dataclass(frozen=True)
class Schedule:
    """Steps of a training over these clips."""

    clips: tuple[Clip, ...]
    recipe: Recipe

    @property
    def samples_per_epoch(self) -> int:
        return sum(clip.repeats for clip in self.clips)

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.samples_per_epoch // self.recipe.batch_clips)

    @property
    def step_count(self) -> int:
        return self.steps_per_epoch * self.recipe.epochs

    def is_evaluated(self, step: int) -> bool:
        """Whether the held-out clips are looked at after this step (from 1): at an epoch's end, and in between."""
        times = self.recipe.evaluations_per_epoch
        return is_evaluated(step, steps_per_epoch=self.steps_per_epoch, times=times)

    def batches_from(self, step: int) -> Iterator[list[Clip]]:
        """What each step from this one on (from 1) learns from; an epoch's order follows from its number alone."""
        first, skipped = divmod(step - 1, self.steps_per_epoch)
        for epoch in range(first, self.recipe.epochs):
            ordered = self._in_epoch(epoch)
            for number in range(skipped if epoch == first else 0, self.steps_per_epoch):
                start = number * self.recipe.batch_clips
                yield ordered[start : start + self.recipe.batch_clips]

    def _in_epoch(self, epoch: int) -> list[Clip]:
        ranked = [
            (keyed_rank(f"{clip.clip_id}/{turn}", f"{self.recipe.seed}/epoch {epoch}"), clip.clip_id, clip)
            for clip in self.clips
            for turn in range(clip.repeats)
        ]
        return [clip for _, _, clip in sorted(ranked, key=lambda one: one[:2])]


@dataclass(frozen=True)
class Evaluation:
    """`loss` is on the held-out clips, `training_loss` the mean of the steps before it, null before the first."""

    step: int
    epoch: float
    loss: float
    training_loss: float | None


@dataclass
class State:
    """Where a training is. `evaluations` begin with the model as it was, at step 0; so may `best_step`."""

    step: int = 0
    losses: list[float] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    best_step: int = 0

    @property
    def evaluations_without_progress(self) -> int:
        return sum(one.step > self.best_step for one in self.evaluations)

    @property
    def best(self) -> Evaluation:
        return next(one for one in self.evaluations if one.step == self.best_step)


def plain(state: State) -> dict[str, Any]:
    """As plain values, for files."""
    return asdict(state)


def state_of(values: Mapping[str, Any]) -> State:
    """What `plain` gave."""
    return State(**{**values, "evaluations": [Evaluation(**one) for one in values["evaluations"]]})
