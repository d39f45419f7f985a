"""Teaches a vision-language model the eight labels: an adapter is trained on human-labelled clips.

Belongs here: steps, learning rate, evaluation, early stopping, going on after a kill. Does not belong here: which clips
(`training_set`), where frames come from (the caller's `Reader`), where results go (`resources.training`).

The adapter is chosen by some clips and measured on others, which are looked at twice: before the first step, and with
the adapter that was kept.

What is learnt is what is asked later: the tokens of the label and of the end of the answer, the very ones that
`ChatModel.score` looks at; the prompt itself teaches nothing. The model as it was counts as the first evaluation: an
adapter that never beats it is left as it began, which changes no answer.

All that a run depends on is in its checkpoint, which is written after each evaluation: killed at any moment, it repeats
the steps since then and ends with the same weights (on a CPU to the bit; kernels of a GPU may add up in other orders).
"""

import logging
import math
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, nullcontext
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from emovid_assets.core import checkpoint
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.model_place import ModelNotUsableError, ModelPlace
from emovid_assets.core.statistics.softmax import log_softmax
from emovid_assets.core.vlm import adapter
from emovid_assets.core.vlm.chat_model import ChatModel, Prepared
from emovid_assets.core.vlm.evaluation import Evaluation, HeldOutAnswer
from emovid_assets.core.vlm.halving import in_halves, is_out_of_memory
from emovid_assets.core.vlm.learning import log_p
from emovid_assets.core.vlm.training_set import Example, Parts, class_weights, in_epoch
from emovid_assets.core.vlm.training_state import Recipe, Schedule, State, plain, state_of

VERSION = "2"
"""Changes when the same clips and settings would give another adapter."""
LARGEST_GRADIENT = 1.0
LIGHTER = 'fewer labeller.frames, a smaller labeller.frame_side_px, or labeller.precision = "4bit"'
WEIGHT_DECAY = 0.0

Reader = Callable[[Iterable[Example]], Generator[tuple[Example, Prepared | None]]]
"""Gives the clips in their order, ready for the model; null for one that cannot be read."""
Progress = Callable[[int, int], None]


class TrainingFailedError(RuntimeError):
    """The training cannot go on; the message says what to change."""


class FineTuning:
    """One training. The adapter is put into `chat.model`, which is of no use to others from then on."""

    def __init__(
        self,
        chat: ChatModel,
        place: ModelPlace,
        recipe: Recipe,
        parts: Parts,
        *,
        seed: str,
        read: Reader,
        score_batch_clips: int,
        checkpoint_path: Path,
        log: logging.Logger,
        progress: Progress = lambda done, total: None,
    ) -> None:
        import torch

        if chat.model.dtype == torch.float16:
            raise ModelNotUsableError(
                'precision = "float16" overflows in training; set labeller.precision = "bfloat16" or "auto".'
            )
        self._chat, self._recipe, self._parts, self._seed = chat, recipe, parts, seed
        self._read, self._log, self._progress = read, log, progress
        self._score_batch_clips, self._checkpoint = score_batch_clips, checkpoint_path
        self._schedule = Schedule(len(parts.training), recipe)
        self._weights = class_weights(parts.training)
        self._state = State()
        torch.manual_seed(int.from_bytes(seed.encode()[:8], "big"))
        self.adapted = adapter.attach(chat.model, place, recipe.shape)
        self._learning = adapter.learning(self.adapted)
        self._best_values = self._values()
        self._optimiser = torch.optim.AdamW(self._learning.values(), lr=0.0, weight_decay=WEIGHT_DECAY)
        self._is_half = chat.model.dtype == torch.bfloat16

    def run(self) -> State:
        """Trains from where the checkpoint stands to the end, and leaves the best adapter in the model.

        Raises TrainingFailedError.
        """
        if not self._resume():
            self._evaluate(0)
            self._save()
        total = self._schedule.step_count
        self._progress(self._state.step, total)
        with closing(self._steps()) as steps:
            while self._state.step < total and not self._is_over():
                step = self._state.step + 1
                self._state.losses.append(self._learn(step, next(steps)))
                self._state.step = step
                self._progress(step, total)
                if self._schedule.is_evaluated(step):
                    self._evaluate(step)
                    self._save()
        self._set_values(self._best_values)
        self.adapted.eval()
        # The model as it was has been measured already.
        is_as_it_was = self._state.best_step == 0
        self._state.held_out = self._state.zero_shot_held_out if is_as_it_was else self._scores(self._parts.held_out)
        return self._state

    def _is_over(self) -> bool:
        return self._state.evaluations_without_progress >= self._recipe.patience

    def _steps(self) -> Generator[list[tuple[Example, Prepared]]]:
        """What each further step learns from, read ahead across steps and epochs."""
        places = [self._schedule.place(step) for step in range(self._state.step + 1, self._schedule.step_count + 1)]
        with closing(self._read(self._in_order(places))) as read:
            for _, place in places:
                yield self._readable(list(islice(read, place.stop - place.start)))

    def _in_order(self, places: Sequence[tuple[int, slice]]) -> Iterator[Example]:
        for epoch, members in groupby(places, key=lambda place: place[0]):
            ordered = in_epoch(self._parts.training, epoch, self._seed)
            for _, place in members:
                yield from ordered[place]

    def _readable(self, read: Iterable[tuple[Example, Prepared | None]]) -> list[tuple[Example, Prepared]]:
        found = []
        for example, prepared in read:
            if prepared is not None:
                found.append((example, prepared))
            elif example.clip_id not in self._state.unreadable:
                self._state.unreadable.append(example.clip_id)
                self._log.warning(f"{example.clip_id} cannot be read and is left out of the training")
        return found

    def _learn(self, step: int, clips: Sequence[tuple[Example, Prepared]]) -> float:
        """One step of the optimiser; the weighted mean of -log P(label and end) over its clips."""
        import torch

        self.adapted.train()
        total = sum(self._weights[example.emotion] for example, _ in clips) or 1.0
        loss_sum = 0.0
        for start in range(0, len(clips), self._recipe.micro_batch_clips):
            some = clips[start : start + self._recipe.micro_batch_clips]
            answers = [self._chat.format.answers[EMOTION_NAMES.index(example.emotion)] for example, _ in some]
            weights = torch.tensor([self._weights[example.emotion] / total for example, _ in some])
            try:
                with self._half():
                    found = log_p(self._chat, [prepared for _, prepared in some], answers)
                loss = -(found * weights.to(found.device)).sum()
                loss.backward()
            except RuntimeError as error:
                raise self._explained(error) from error
            loss_sum += float(loss.detach())
        norm = torch.nn.utils.clip_grad_norm_(self._learning.values(), LARGEST_GRADIENT)
        if not (math.isfinite(loss_sum) and torch.isfinite(norm)):
            raise TrainingFailedError(
                f"The loss is {loss_sum} at step {step}: it has run away. Set a lower fine_tuning.learning_rate, and "
                f"remove {self._checkpoint.parent}."
            )
        for group in self._optimiser.param_groups:
            group["lr"] = self._schedule.learning_rate(step)
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        return loss_sum

    def _explained(self, error: RuntimeError) -> Exception:
        if not is_out_of_memory(error):
            return error
        return TrainingFailedError(
            f"The memory is too small for this training: set fine_tuning.micro_batch_clips = 1, {LIGHTER}."
        )

    def _half(self) -> Any:
        """Mixed precision where the weights are bfloat16 and what learns is float32."""
        import torch

        return torch.autocast(self._chat.device.partition(":")[0], torch.bfloat16) if self._is_half else nullcontext()

    def _evaluate(self, step: int) -> None:
        """Looks at the clips that choose, and keeps the adapter where it is the best so far."""
        self.adapted.eval()
        answers = self._scores(self._parts.choosing)
        if not answers:
            raise TrainingFailedError("None of the clips to choose an adapter by can be read: build clip_media again.")
        evaluation = Evaluation.of(
            step, step / self._schedule.steps_per_epoch, answers, self._loss_since_the_last_evaluation()
        )
        if step == 0:
            self._state.zero_shot = answers
            self._state.zero_shot_held_out = self._scores(self._parts.held_out)
        if step == 0 or evaluation.is_better_than(self._best()):
            self._state.best, self._state.best_step, self._best_values = answers, step, self._values()
        self._state.evaluations.append(evaluation)
        self._log.info(f"fine-tuning, {evaluation.sentence}" + (" (the best so far)" if self._is_best(step) else ""))

    def _is_best(self, step: int) -> bool:
        return self._state.best_step == step

    def _best(self) -> Evaluation:
        return next(one for one in self._state.evaluations if one.step == self._state.best_step)

    def _scores(self, examples: Sequence[Example]) -> list[HeldOutAnswer]:
        answers: list[HeldOutAnswer] = []
        waiting: list[tuple[Example, Prepared]] = []
        for pair in self._read(examples):
            waiting += self._readable([pair])
            if len(waiting) >= self._score_batch_clips:
                answers += self._scored(waiting)
                waiting = []
        return answers + self._scored(waiting)

    def _scored(self, clips: Sequence[tuple[Example, Prepared]]) -> list[HeldOutAnswer]:
        if not clips:
            return []
        answers, fitted = in_halves(clips, self._answers, self._refused)
        if fitted < len(clips):
            # What did not fit once will not fit the next time either.
            self._score_batch_clips = fitted
        return answers

    def _answers(self, clips: Sequence[tuple[Example, Prepared]]) -> list[HeldOutAnswer]:
        with self._half():
            scores = self._chat.score([prepared for _, prepared in clips])
        return [
            HeldOutAnswer(example.clip_id, example.emotion, log_softmax(found).tolist())
            for (example, _), found in zip(clips, scores, strict=True)
        ]

    def _refused(self, clip: tuple[Example, Prepared], error: Exception) -> HeldOutAnswer:
        """Evaluations are compared with each other, so none may leave out a clip that others hold."""
        name = clip[0].clip_id
        if is_out_of_memory(error):
            raise TrainingFailedError(
                f"The memory is too small to score the held-out clip {name} by itself: set {LIGHTER}."
            ) from error
        raise TrainingFailedError(
            f"The model cannot score the held-out clip {name}: {type(error).__name__}: {error}"
        ) from error

    def _loss_since_the_last_evaluation(self) -> float | None:
        before = self._state.evaluations[-1].step if self._state.evaluations else 0
        losses = self._state.losses[before:]
        return sum(losses) / len(losses) if losses else None

    def _values(self) -> dict[str, Any]:
        return {name: parameter.detach().cpu().clone() for name, parameter in self._learning.items()}

    def _set_values(self, values: dict[str, Any]) -> None:
        for name, parameter in self._learning.items():
            parameter.data.copy_(values[name])

    def _save(self) -> None:
        checkpoint.write(
            self._checkpoint,
            {
                "seed": self._seed,
                "state": plain(self._state),
                "values": self._values(),
                "best_values": self._best_values,
                "optimiser": self._optimiser.state_dict(),
                "random": checkpoint.random_state(),
            },
        )

    def _resume(self) -> bool:
        saved = checkpoint.read(self._checkpoint)
        if saved is None or saved["seed"] != self._seed:
            return False
        self._state = state_of(saved["state"])
        self._set_values(saved["values"])
        self._best_values = saved["best_values"]
        self._optimiser.load_state_dict(saved["optimiser"])
        checkpoint.restore_random_state(saved["random"])
        self._log.info(f"fine-tuning goes on after step {self._state.step} of {self._schedule.step_count}")
        return True
