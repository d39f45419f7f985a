"""Noise levels, steps, held-out clips and early stopping, on a model of one number."""

import itertools
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from emovid_assets.core.tuning.flow import Flow, random_numbers
from emovid_assets.core.tuning.loop import Tuning, TuningFailedError
from emovid_assets.core.tuning.recipe import Clip, NotEnoughClipsError, Parts, Recipe, Schedule, divided

LOG = logging.getLogger("emovid.tests")


def clips(count: int, per_group: int = 1, **more: Any) -> tuple[Clip, ...]:
    return tuple(Clip(f"clip {n:02d}", f"group {n // per_group}", f"key {n}", **more) for n in range(count))


def test_levels_and_weights_are_those_of_diffsynth() -> None:
    """Its scheduler in numpy: 1000 levels shifted by 5, a bell over them that ends at 0, of mean 1."""
    sigmas = np.linspace(1, 0, 1001)[:-1]
    sigmas = 5 * sigmas / (1 + 4 * sigmas)
    bell = np.exp(-2 * ((sigmas * 1000 - 500) / 1000) ** 2)
    weights = (bell - bell.min()) * 1000 / (bell - bell.min()).sum()
    flow = Flow()
    assert [flow.sigma(1 - n / 1000) for n in range(1000)] == pytest.approx(sigmas)
    assert [flow.weight(sigma) for sigma in sigmas] == pytest.approx(weights)
    assert np.mean([flow.weight(sigma) for sigma in sigmas]) == pytest.approx(1)


def test_a_model_that_knows_sample_and_noise_has_no_loss_and_one_that_says_nothing_has_all_of_it() -> None:
    latents = torch.randn(1, 2, 3, 4, 4, generator=random_numbers("latents"))
    flow, sample = Flow(), {"latents": latents}

    def knowing(given: Any, noisy: Any, sigmas: Any) -> Any:
        return (noisy - given["latents"]) / sigmas.view(-1, 1, 1, 1, 1)

    def silent(given: Any, noisy: Any, sigmas: Any) -> Any:
        return torch.zeros_like(noisy)

    look = flow.drawn(sample, 0, 7, 0)
    numbers = random_numbers(0, 7, 0)
    place = int(torch.randint(1000, (1,), generator=numbers))
    noise = torch.randn(latents.shape, generator=numbers)
    assert look.level == 1 - place / 1000
    expected = float(((noise - latents) ** 2).mean()) * flow.weight(flow.sigma(look.level))
    assert float(flow.losses(silent, [look])) == pytest.approx(expected)
    assert float(flow.losses(knowing, [flow.drawn(sample, 0, 7, 0)])) == pytest.approx(0, abs=1e-9)


def test_samples_of_one_shape_are_shown_together_and_others_by_themselves() -> None:
    shown = []

    def noting(given: Any, noisy: Any, sigmas: Any) -> Any:
        shown.append(tuple(noisy.shape))
        return noisy * sigmas.view(-1, 1, 1, 1, 1)

    small, large = {"latents": torch.ones(1, 2, 1, 2, 2)}, {"latents": torch.ones(1, 2, 1, 4, 4)}
    flow = Flow()

    def looks() -> list[Any]:
        return [flow.drawn(one, "x", place) for place, one in enumerate((small, large, small))]

    together = flow.losses(noting, looks())
    assert shown == [(2, 2, 1, 2, 2), (1, 2, 1, 4, 4)]
    alone = torch.cat([flow.losses(noting, [look]) for look in looks()])
    assert together.tolist() == pytest.approx(alone.tolist())


def test_an_epoch_sees_each_clip_as_often_as_it_says_in_an_order_that_a_later_start_keeps() -> None:
    some = (*clips(5), Clip("often", "g", "k", repeats=3))
    schedule = Schedule(some, Recipe(epochs=3, batch_clips=3))
    steps = [[clip.clip_id for clip in batch] for batch in schedule.batches_from(1)]
    assert (schedule.steps_per_epoch, schedule.step_count, len(steps)) == (3, 9, 9)
    for epoch in range(3):
        seen = sorted(itertools.chain.from_iterable(steps[3 * epoch : 3 * epoch + 3]))
        assert seen == sorted([*(clip.clip_id for clip in some), "often", "often"])
    assert steps[:3] != steps[3:6]
    for start in range(1, 10):
        assert [[c.clip_id for c in batch] for batch in schedule.batches_from(start)] == steps[start - 1 :]
    assert [step for step in range(1, 10) if Schedule(some, Recipe(epochs=3, batch_clips=3)).is_evaluated(step)] == [
        *(3, 6, 9)
    ]


def test_whole_groups_are_held_out_and_a_new_clip_moves_none_of_the_others() -> None:
    some = clips(40, per_group=2)
    parts = divided(some, share=0.2, minimum=4, name="x", seed="s")
    assert {c.group_id for c in parts.training}.isdisjoint(c.group_id for c in parts.held_out)
    assert len(parts.held_out) == 8
    assert len(parts.training) == 32
    one_group = divided(clips(3, per_group=2), share=0.01, minimum=2, name="x", seed="s")
    assert one_group.training
    assert one_group.held_out


@pytest.mark.parametrize(("count", "per_group", "minimum"), [(3, 1, 4), (6, 6, 4), (0, 1, 2)])
def test_too_few_clips_are_told_with_their_number(count: int, per_group: int, minimum: int) -> None:
    with pytest.raises(NotEnoughClipsError, match=f"x has {count} clips of .* takes at least {minimum} "):
        divided(clips(count, per_group), share=0.1, minimum=minimum, name="x", seed="s")


def tuning(folder: Path, held_out_sign: float, recipe: Recipe, log: logging.Logger = LOG) -> tuple[Tuning, Any]:
    """A model that says `number` × latents of the clips it learns from, which is right at -1; of those held out the
    same, or the opposite."""
    number = torch.nn.Parameter(torch.zeros(1))
    parts = Parts(clips(4), (Clip("held out", "other", "key"),))

    def read(clip: Clip) -> dict[str, Any]:
        sign = held_out_sign if clip.clip_id == "held out" else 1.0
        return {"latents": torch.ones(1, 1, 1, 2, 2), "sign": torch.full((1, 1, 1, 1, 1), sign)}

    def velocity(sample: Any, noisy: Any, sigmas: Any) -> Any:
        return number * sample["sign"] * sample["latents"]

    made = Tuning(
        velocity,
        {"number": number},
        recipe,
        parts,
        read=read,
        checkpoint_path=folder / "checkpoint.pt",
        save_every=3,
        log=log,
    )
    return made, number


def test_what_is_learnt_and_not_held_out_stops_early_and_is_thrown_away(tmp_path: Path) -> None:
    made, number = tuning(tmp_path, -1.0, Recipe(learning_rate=0.1, epochs=50, patience=3, weight_decay=0.0))
    state = made.run()
    assert [one.step for one in state.evaluations] == [0, 4, 8, 12]
    losses = [one.loss for one in state.evaluations]
    assert losses == sorted(losses)
    assert (state.best_step, float(number.detach())) == (0, 0.0)


def test_what_is_learnt_and_holds_is_kept_where_it_was_best(tmp_path: Path) -> None:
    made, number = tuning(tmp_path, 1.0, Recipe(learning_rate=0.1, epochs=6, patience=9, weight_decay=0.0))
    state = made.run()
    assert state.best.loss == min(one.loss for one in state.evaluations)
    assert state.best.loss < state.evaluations[0].loss
    assert float(number.detach()) < -0.5


def test_a_training_goes_on_from_any_of_its_files_to_the_same_number(tmp_path: Path) -> None:
    recipe = Recipe(learning_rate=0.1, epochs=3, patience=9)
    whole, expected = tuning(tmp_path / "whole", 1.0, recipe)
    state = whole.run()
    for last in range(1, 12):
        stopped, _ = tuning(tmp_path / str(last), 1.0, recipe)
        learn = stopped._learn

        def stopping(step: int, some: Any, last: int = last, learn: Any = learn) -> float:
            if step > last:
                raise KeyboardInterrupt
            return float(learn(step, some))

        stopped._learn = stopping  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            stopped.run()
        again, number = tuning(tmp_path / str(last), 1.0, recipe)
        assert again.run() == state
        assert torch.equal(number, expected)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_training_whose_file_was_cut_off_begins_anew(tmp_path: Path, share: float) -> None:
    recipe = Recipe(learning_rate=0.1, epochs=3, patience=9)
    whole, expected = tuning(tmp_path, 1.0, recipe)
    state = whole.run()
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    with file.open("r+b") as cut:
        cut.truncate(int(share * file.stat().st_size))
    again, number = tuning(tmp_path, 1.0, recipe)
    assert again.run() == state
    assert torch.equal(number, expected)


def test_a_loss_that_is_no_number_ends_the_training_with_a_sentence(tmp_path: Path) -> None:
    made, number = tuning(tmp_path, 1.0, Recipe())
    number.data.fill_(float("inf"))
    with pytest.raises(TuningFailedError, match="The loss on held-out clips is inf after step 0: set a lower"):
        made.run()
