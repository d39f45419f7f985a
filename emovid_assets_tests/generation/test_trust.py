"""A labeller at chance does not judge: by its held-out clips, else by the blind ones, else not at all."""

from typing import Any

import pytest
from statsmodels.stats.proportion import proportion_confint

from emovid_assets.core.generation.trust import why_not_trusted


def labeller(right: int, count: int, baseline: float = 0.2) -> dict[str, Any]:
    accuracy = right / count if count else None
    return {
        "model_id": "tiny",
        "held_out_clip_count": count,
        "validation_accuracy": accuracy,
        "baseline_accuracy": baseline if count else None,
    }


def compared(accuracy_low: float | None, **changes: Any) -> dict[str, Any]:
    row = {"scope": "total", "truth": "majority", "rater_id": "tiny", "accuracy": 0.5, "clip_count": 40}
    return row | {"accuracy_low": accuracy_low} | changes


@pytest.mark.parametrize("count", [20, 100, 400])
@pytest.mark.parametrize("baseline", [0.05, 0.2, 0.6])
def test_it_judges_exactly_from_where_the_interval_lies_above_chance_and_above_the_most_frequent_emotion(
    count: int, baseline: float
) -> None:
    for right in range(count + 1):
        low = proportion_confint(right, count, method="wilson")[0]
        is_trusted = low > max(1 / 8, baseline)
        assert (why_not_trusted(labeller(right, count, baseline), []) is None) == is_trusted


def test_the_sentence_says_how_good_it_is_what_chance_is_and_what_to_do() -> None:
    told = why_not_trusted(labeller(25, 100, 0.2), [])
    assert told is not None
    assert "tiny is no judge" in told
    assert "25.0% of 100 held-out clips, 95 % interval from 17.5%" in told
    assert "the most frequent emotion is right on 20.0%" in told
    assert "let people label more clips" in told
    assert "guessing is right on 12.5%" in str(why_not_trusted(labeller(14, 100, 0.1), []))


def test_without_held_out_clips_the_blind_ones_decide() -> None:
    unmeasured = labeller(0, 0)
    assert why_not_trusted(unmeasured, [compared(0.2)]) is None
    assert "50.0% of 40 blind clips" in str(why_not_trusted(unmeasured, [compared(0.1)]))
    others = [compared(0.9, scope="movie"), compared(0.9, truth="others"), compared(0.9, rater_id="another")]
    for known in ([], others, [compared(None)]):
        assert "was measured on no clip" in str(why_not_trusted(unmeasured, known))


def test_the_blind_clips_do_not_save_a_labeller_that_its_held_out_clips_show_at_chance() -> None:
    assert why_not_trusted(labeller(10, 80), [compared(0.9)]) is not None
