"""Teaches a video generator by an adapter: steps over samples, looked at on held-out clips as it goes.

Belongs here: steps of the optimiser, evaluation, early stopping, going on after a kill. Does not belong here: samples
and the model (`wan`), noise (`flow`), which clips (`recipe`), where results go (`resources.tuning`).

Every random number follows from the seed and the step, whatever was drawn before: a run that is killed at any moment
repeats the steps since its last checkpoint and ends with the same weights (on a CPU to the bit; kernels of a GPU may
add up in other orders). The loss of single steps says nothing: what is drawn is another noise on another clip each
time. So held-out clips are looked at under noises and levels that stay the same, before, during and after; the adapter
that is best there is kept, which may be the one that changes nothing.
"""

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

from emovid_assets.core import checkpoint
from emovid_assets.core.model_place import ModelNotUsableError
from emovid_assets.core.tuning.flow import Flow, Look, Sample, Velocity, random_numbers
from emovid_assets.core.tuning.lora import set_values, values_of
from emovid_assets.core.tuning.recipe import LEVELS, Clip, Evaluation, Parts, Recipe, Schedule, State, plain, state_of
from emovid_assets.core.tuning.team import Alone

VERSION = "1"
"""Changes when the same clips and settings would give another adapter."""

Reader = Callable[[Clip], Sample]
Progress = Callable[[int, int], None]


class TuningFailedError(RuntimeError):
    """The training cannot go on; the message says what to change."""


class Tuning:
    """One training. `learning`: the parameters that learn, by name, in the model that says `velocity`."""

    def __init__(
        self,
        velocity: Velocity,
        learning: Mapping[str, Any],
        recipe: Recipe,
        parts: Parts,
        *,
        read: Reader,
        checkpoint_path: Path,
        save_every: int,
        log: logging.Logger,
        optimiser: str = "adamw",
        is_half: bool = False,
        team: Alone | None = None,
        progress: Progress = lambda done, total: None,
    ) -> None:
        self._velocity, self._learning, self._recipe, self._parts = velocity, learning, recipe, parts
        self._read, self._checkpoint, self._save_every = read, checkpoint_path, save_every
        self._log, self._progress, self._is_half = log, progress, is_half
        self._team = team or Alone()
        self._flow = Flow(recipe.shift)
        self.schedule = Schedule(parts.training, recipe)
        self._device = next(iter(learning.values())).device
        self._optimiser = _optimiser(optimiser, learning, recipe, self._device.type)
        self._state, self._best_values = State(), values_of(learning)

    def run(self) -> State:
        """Trains from where the checkpoint stands to the end, and leaves the best adapter in the model.

        Raises TuningFailedError.
        """
        if not self._resume():
            self._evaluate(0)
            self._save()
        total = self.schedule.step_count
        self._progress(self._state.step, total)
        batches = self.schedule.batches_from(self._state.step + 1)
        while self._state.step < total and not self._is_over():
            step = self._state.step + 1
            self._state.losses.append(self._learn(step, next(batches)))
            self._state.step = step
            self._progress(step, total)
            is_evaluated = self.schedule.is_evaluated(step)
            if is_evaluated:
                self._evaluate(step)
            if is_evaluated or step % self._save_every == 0:
                self._save()
        set_values(self._learning, self._best_values)
        return self._state

    def _is_over(self) -> bool:
        return self._state.evaluations_without_progress >= self._recipe.patience

    def _learn(self, step: int, clips: list[Clip]) -> float:
        """One step of the optimiser; the mean loss of its clips, of which each process of a team takes its share."""
        import torch

        mine = range(self._team.number, len(clips), self._team.size)
        looks = [self._flow.drawn(self._sample(clips[place]), self._recipe.seed, step, place) for place in mine]
        losses = torch.zeros(len(clips), device=self._device)
        if looks:
            with self._half():
                found = self._flow.losses(self._velocity, looks)
            (found.sum() / len(clips)).backward()
            losses[mine.start :: mine.step] = found.detach()
        for parameter in self._learning.values():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        self._team.add_up([losses, *(parameter.grad for parameter in self._learning.values())])
        mean = float(losses.mean())
        if not math.isfinite(mean):
            raise TuningFailedError(
                f"The loss is {mean} at step {step}: it has run away. Set a lower learning_rate, and remove "
                f"{self._checkpoint.parent}"
            )
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        return mean

    def _evaluate(self, step: int) -> None:
        """Looks at the held-out clips, and keeps the adapter where it is the best so far."""
        before = self._state.evaluations[-1].step if self._state.evaluations else 0
        losses = self._state.losses[before:]
        loss = self._held_out_loss()
        if not math.isfinite(loss):
            raise TuningFailedError(
                f"The loss on held-out clips is {loss} after step {step}: set a lower learning_rate"
            )
        is_best = step == 0 or loss < self._state.best.loss
        mean = sum(losses) / len(losses) if losses else None
        self._state.evaluations.append(Evaluation(step, step / self.schedule.steps_per_epoch, loss, mean))
        if is_best:
            self._state.best_step, self._best_values = step, values_of(self._learning)
        best = " (the best so far)" if is_best and step else ""
        self._log.info(
            f"after step {step} of {self.schedule.step_count} the loss on held-out clips is {loss:.4f}{best}"
        )

    def _held_out_loss(self) -> float:
        import torch

        places = [(clip, place) for clip in self._parts.held_out for place in range(LEVELS)]
        losses = torch.zeros(len(places), dtype=torch.float64, device=self._device)
        mine = range(self._team.number, len(places), self._team.size)
        with torch.no_grad(), self._half():
            for numbers in _batched(mine, self._recipe.batch_clips):
                looks = [self._fixed(*places[number]) for number in numbers]
                losses[list(numbers)] = self._flow.losses(self._velocity, looks).double()
        self._team.add_up([losses])
        return float(losses.mean())

    def _fixed(self, clip: Clip, place: int) -> Look:
        numbers = random_numbers(self._recipe.seed, "held out", clip.clip_id, place)
        return Look(self._sample(clip), (place + 0.5) / LEVELS, numbers)

    def _sample(self, clip: Clip) -> Sample:
        return {name: value.to(self._device) for name, value in self._read(clip).items()}

    def _half(self) -> Any:
        """Mixed precision where the weights are bfloat16 and what learns is float32."""
        import torch

        return torch.autocast(self._device.type, torch.bfloat16) if self._is_half else nullcontext()

    def _save(self) -> None:
        if self._team.number:
            return
        checkpoint.write(
            self._checkpoint,
            {
                "state": plain(self._state),
                "values": values_of(self._learning),
                "best_values": self._best_values,
                "optimiser": self._optimiser.state_dict(),
            },
        )

    def _resume(self) -> bool:
        saved = checkpoint.read(self._checkpoint)
        if saved is None:
            return False
        self._state = state_of(saved["state"])
        set_values(self._learning, saved["values"])
        self._best_values = saved["best_values"]
        self._optimiser.load_state_dict(saved["optimiser"])
        self._log.info(f"the training goes on after step {self._state.step} of {self.schedule.step_count}")
        return True


def _batched(numbers: Iterable[int], size: int) -> Iterator[tuple[int, ...]]:
    left = iter(numbers)
    while some := tuple(islice(left, size)):
        yield some


def _optimiser(name: str, learning: Mapping[str, Any], recipe: Recipe, device: str) -> Any:
    """AdamW, with moments of 8 bits where that is asked for. Raises ModelNotUsableError where it cannot run."""
    import torch

    numbers: dict[str, Any] = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay}
    if name == "adamw":
        return torch.optim.AdamW(learning.values(), **numbers)
    if device == "cpu":
        raise ModelNotUsableError('optimiser = "adamw8bit" runs on a GPU, and none is used here: take "adamw"')
    try:
        from bitsandbytes.optim import AdamW8bit
    except ImportError as error:
        raise ModelNotUsableError('optimiser = "adamw8bit" needs bitsandbytes: pip install bitsandbytes') from error
    return AdamW8bit(learning.values(), **numbers)
