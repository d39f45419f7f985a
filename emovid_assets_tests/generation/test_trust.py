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


def blind(right: int, count: int, *, rater: str = "tiny", source: int | None = None) -> list[dict[str, Any]]:
    """Clips of films of their own, or of one, on which two of three people say awe; the rater is right on the first."""
    return [
        {"clip_id": f"movie-{number if source is None else source:016x}-{number:08}-{number + 1:08}"}
        | {"rater_id": name, "rater_kind": kind, "label": label}
        for number in range(count)
        for name, kind, label in [
            ("ann", "human", "awe"),
            ("bob", "human", "awe"),
            ("cy", "human", "fear"),
            (rater, "vlm", "awe" if number < right else "anger"),
        ]
    ]


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


@pytest.mark.parametrize("count", [1, 10, 40])
def test_without_held_out_clips_the_blind_ones_of_the_domain_decide(count: int) -> None:
    unmeasured = labeller(0, 0)
    for right in range(count + 1):
        low = proportion_confint(right, count, method="wilson")[0]
        why_not = why_not_trusted(unmeasured, blind(right, count))
        assert (why_not is None) == (low > 1 / 8)
        assert why_not is None or f"{right} of {count} blind clips of this domain" in why_not


def test_clips_of_one_film_are_not_worth_what_as_many_films_are() -> None:
    assert why_not_trusted(labeller(0, 0), blind(4, 10)) is None
    assert "4 of 10 blind clips" in str(why_not_trusted(labeller(0, 0), blind(4, 10, source=7)))


def test_where_nobody_judged_its_clips_nothing_says_that_it_is_better_than_guessing() -> None:
    alone = [row for row in blind(40, 40) if row["rater_id"] not in ("bob", "cy")]
    undecided = [row | {"label": "no_specific_emotion"} if row["rater_kind"] == "human" else row for row in blind(9, 9)]
    for known in ([], alone, undecided, blind(40, 40, rater="another")):
        assert "was measured on no clip" in str(why_not_trusted(labeller(0, 0), known))


def test_the_blind_clips_do_not_save_a_labeller_that_its_held_out_clips_show_at_chance() -> None:
    assert why_not_trusted(labeller(10, 80), blind(40, 40)) is not None
