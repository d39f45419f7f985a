"""What a training is given and where it is: recipe, steps, state.

Belongs here: numbers and their order, no model. Does not belong here: learning (`fine_tuning`).
"""

import math
from dataclasses import dataclass, field
from typing import Any

from emovid_assets.core.evaluations import is_evaluated
from emovid_assets.core.vlm import adapter
from emovid_assets.core.vlm.evaluation import Evaluation, HeldOutAnswer

WARM_UP_SHARE = 0.1
_ANSWERS = ("zero_shot", "best", "zero_shot_held_out", "held_out")


@dataclass(frozen=True)
class Recipe:
    """How an adapter is trained; the fields are the settings of `fine_tuning`."""

    min_clips: int
    held_out_share: float
    rank: int
    alpha: int
    dropout: float
    learning_rate: float
    train_projector: bool
    batch_clips: int
    micro_batch_clips: int
    max_epochs: int
    patience: int
    evaluations_per_epoch: int

    @property
    def shape(self) -> adapter.AdapterShape:
        return adapter.AdapterShape(self.rank, self.alpha, self.dropout, self.train_projector)


@dataclass
class State:
    """Where a training is. `evaluations` begin with the model as it was, at step 0.

    `zero_shot` and `best` are answers on the clips that choose; `zero_shot_held_out` and `held_out` are those on the
    clips that quality is measured on, of the model as it was and of the adapter that was kept.
    """

    step: int = 0
    losses: list[float] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    zero_shot: list[HeldOutAnswer] = field(default_factory=list)
    best: list[HeldOutAnswer] = field(default_factory=list)
    zero_shot_held_out: list[HeldOutAnswer] = field(default_factory=list)
    held_out: list[HeldOutAnswer] = field(default_factory=list)
    best_step: int = 0
    unreadable: list[str] = field(default_factory=list)

    @property
    def evaluations_without_progress(self) -> int:
        return sum(one.step > self.best_step for one in self.evaluations)


@dataclass(frozen=True)
class Schedule:
    """Steps of a training over `clip_count` clips."""

    clip_count: int
    recipe: Recipe

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.clip_count // self.recipe.batch_clips)

    @property
    def step_count(self) -> int:
        return self.steps_per_epoch * self.recipe.max_epochs

    def is_evaluated(self, step: int) -> bool:
        """Whether the clips that choose are looked at after this step (from 1): at an epoch's end, and in between."""
        times = self.recipe.evaluations_per_epoch
        return is_evaluated(step, steps_per_epoch=self.steps_per_epoch, times=times)

    def learning_rate(self, step: int) -> float:
        """Of the step (from 1): rises in a straight line, then falls as half a cosine, to a tenth of a percent."""
        warm_up = max(1, round(WARM_UP_SHARE * self.step_count))
        if step <= warm_up:
            return self.recipe.learning_rate * step / warm_up
        passed = (step - warm_up) / max(1, self.step_count - warm_up)
        return self.recipe.learning_rate * max(0.001, (1 + math.cos(math.pi * passed)) / 2)

    def place(self, step: int) -> tuple[int, slice]:
        """The epoch of a step (from 1; epochs from 0), and which of the epoch's clips the step learns from."""
        epoch, number = divmod(step - 1, self.steps_per_epoch)
        start = number * self.recipe.batch_clips
        return epoch, slice(start, min(start + self.recipe.batch_clips, self.clip_count))


def plain(state: State) -> dict[str, Any]:
    """As plain values, for files."""
    return {
        **vars(state),
        "evaluations": [vars(one) for one in state.evaluations],
        **{name: [vars(one) for one in getattr(state, name)] for name in _ANSWERS},
    }


def state_of(values: dict[str, Any]) -> State:
    """What `plain` gave."""
    return State(
        **values
        | {
            "evaluations": [Evaluation(**one) for one in values["evaluations"]],
            **{name: [HeldOutAnswer(**one) for one in values[name]] for name in _ANSWERS},
        }
    )
