"""What answers say of generators: counts, tests and intervals of planted answers."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest
from statsmodels.stats.multitest import multipletests

from emovid_assets.core.generation.preference_results import preference_results
from emovid_assets.core.generation.study_pairs import plan_study
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.generation.studies import answer, side_of, videos

Row = dict[str, Any]
PEOPLE = tuple(f"person-{number}" for number in range(5))


def study(generators: tuple[str, ...], pairs: int, domain: str = "movie") -> list[Row]:
    rows = videos(generators, pairs, domain)
    return plan_study(rows, domain=domain, pair_count=pairs, check_count=0, seed="seed")


def said(task: Row, person: str, preferred: str | None, question: str = "quality") -> Row:
    return answer(task, person, question, "tie" if preferred is None else side_of(task, preferred))


def drawn(tasks: list[Row], strengths: dict[str, float], seed: int, people: tuple[str, ...] = PEOPLE) -> list[Row]:
    random, rows = np.random.default_rng(seed), []
    for task in tasks:
        first, second = sorted((task["generator_a"], task["generator_b"]))
        chance = 1 / (1 + np.exp(strengths[first] - strengths[second]))
        for person in people:
            preferred = None if random.random() < 0.1 else second if random.random() < chance else first
            rows.append(said(task, person, preferred))
    return rows


def results(answers: list[Row], tasks: list[Row], scope: str = "total", **options: Any) -> dict[tuple[str, str], Row]:
    rows = preference_results(answers, tasks, **{"resamples": 300, **options})
    TABLES["preference_results"].from_rows(rows)
    return {(row["generator_a"], row["generator_b"]): row for row in rows if row["scope"] == scope}


def test_answers_are_counted_for_generators_whatever_side_they_were_on() -> None:
    tasks = study(("amber", "birch"), 12)
    answers = [said(task, "ann", "birch") for task in tasks[:7]] + [said(task, "ann", None) for task in tasks[7:]]
    answers += [said(task, "bob", "amber") for task in tasks[:3]]
    row = results(answers, tasks)["amber", "birch"]
    assert (row["prefers_a_count"], row["prefers_b_count"], row["tie_count"]) == (3, 7, 5)
    assert (row["pair_count"], row["annotator_count"]) == (12, 2)
    # Where one person is for each there is no majority.
    assert (row["pairs_for_a_count"], row["pairs_for_b_count"]) == (0, 4)


def test_the_test_is_an_exact_binomial_of_pairs_of_videos_corrected_for_the_number_of_generators() -> None:
    tasks = study(("amber", "birch", "cobalt"), 36)
    found = results(drawn(tasks, {"amber": 0.0, "birch": 0.7, "cobalt": 1.4}, 1), tasks)
    assert len(found) == 3
    for row in found.values():
        n = row["pairs_for_a_count"] + row["pairs_for_b_count"]
        assert row["p"] == pytest.approx(binomtest(row["pairs_for_b_count"], n).pvalue)
    raw = [row["p"] for row in found.values()]
    assert [row["p_adjusted"] for row in found.values()] == pytest.approx(multipletests(raw, method="holm")[1])


def test_many_people_who_all_like_the_same_videos_are_no_more_findings_than_one() -> None:
    """Each pair of videos is liked for its own sake, whoever made it: over answers that would be a difference."""
    tasks, random = study(("amber", "birch"), 40), np.random.default_rng(5)
    rejected = 0
    for _ in range(200):
        better = {task["task_id"]: ("amber", "birch")[random.integers(2)] for task in tasks}
        answers = [said(task, person, better[task["task_id"]]) for task in tasks for person in PEOPLE]
        rejected += results(answers, tasks, resamples=2)["amber", "birch"]["p"] < 0.05
    assert rejected <= 18


def test_strengths_that_were_planted_lie_in_their_intervals_and_narrow_as_answers_grow() -> None:
    planted = {"amber": 0.0, "birch": 0.5, "cobalt": 1.5}
    widths = []
    for pairs in (30, 120):
        tasks = study(tuple(planted), pairs)
        found = results(drawn(tasks, planted, 2), tasks)
        for (first, second), row in found.items():
            # A tenth of the answers are ties, which draw strengths to zero a little.
            assert row["strength_low"] < 0.9 * (planted[second] - planted[first]) < row["strength_high"]
            assert row["strength_low"] < row["strength"] < row["strength_high"]
            assert row["remark"] is None
        widths.append(sum(row["strength_high"] - row["strength_low"] for row in found.values()))
    assert widths[1] < 0.75 * widths[0]


def test_the_same_seed_gives_the_same_interval_and_another_seed_another_one() -> None:
    tasks = study(("amber", "birch"), 24)
    answers = drawn(tasks, {"amber": 0.0, "birch": 0.5}, 3)
    one, again, other = (results(answers, tasks, seed=seed)["amber", "birch"] for seed in ("a", "a", "b"))
    assert one == again
    assert (one["strength_low"], one["strength_high"]) != (other["strength_low"], other["strength_high"])


def test_a_person_who_always_says_the_opposite_widens_the_interval() -> None:
    tasks = study(("amber", "birch"), 40)
    agreed = [
        said(task, person, "birch" if place % 4 else "amber") for place, task in enumerate(tasks) for person in PEOPLE
    ]
    split = [
        said(task, person, ("amber", "birch")[(place % 4 > 0) == (person != PEOPLE[0])])
        for place, task in enumerate(tasks)
        for person in PEOPLE
    ]
    widths = [
        row["strength_high"] - row["strength_low"]
        for row in (results(one, tasks)["amber", "birch"] for one in (agreed, split))
    ]
    assert widths[1] > widths[0]


def test_a_generator_that_never_loses_gets_a_sentence_instead_of_a_number() -> None:
    tasks = study(("amber", "birch", "cobalt"), 36)
    order = ("cobalt", "amber", "birch")

    def better(task: Row, place: int) -> str:
        pair = sorted((task["generator_a"], task["generator_b"]), key=order.index)
        # The first always wins, the other two each of both.
        return pair[place % 3 == 0] if "cobalt" not in pair else pair[0]

    answers = [said(task, person, better(task, place)) for place, task in enumerate(tasks) for person in PEOPLE[:3]]
    found = results(answers, tasks)
    for pair in (("amber", "cobalt"), ("birch", "cobalt")):
        row = found[pair]
        assert (row["strength"], row["strength_low"], row["strength_high"]) == (None, None, None)
        assert row["remark"] == (
            f"no answer puts {pair[0]} level with cobalt, also not by way of others: the odds have no bound"
        )
        assert row["p"] < 0.05
    assert found["amber", "birch"]["strength"] is not None


def test_an_end_that_too_many_draws_leave_open_is_null() -> None:
    tasks = study(("amber", "birch"), 24)
    answers = [
        said(task, person, "amber" if place == 0 else "birch") for place, task in enumerate(tasks) for person in PEOPLE
    ]
    row = results(answers, tasks)["amber", "birch"]
    assert row["strength"] == pytest.approx(np.log(23), abs=1e-6)
    assert row["strength_low"] > 0
    assert row["strength_high"] is None
    assert row["remark"] == "the interval has no upper end: in too many draws no answer bounds it"


@pytest.mark.parametrize(("pairs", "people"), [(7, 5), (24, 2)])
def test_with_few_prompts_or_people_there_is_a_strength_and_no_interval(pairs: int, people: int) -> None:
    tasks = study(("amber", "birch"), pairs)
    answers = [
        said(task, person, "amber" if place % 2 else "birch")
        for place, task in enumerate(tasks)
        for person in PEOPLE[:people]
    ]
    row = results(answers, tasks)["amber", "birch"]
    assert row["strength"] is not None
    assert (row["strength_low"], row["strength_high"]) == (None, None)
    assert row["remark"] == "an interval needs 8 prompts and 3 people"


def test_excluded_answers_do_not_count() -> None:
    tasks = study(("amber", "birch"), 12)
    answers = [said(task, "ann", "birch") for task in tasks]
    answers += [said(task, "bob", "amber") | {"exclusion": "too_fast"} for task in tasks]
    row = results(answers, tasks)["amber", "birch"]
    assert (row["prefers_a_count"], row["prefers_b_count"], row["annotator_count"]) == (0, 12, 1)


def test_each_domain_has_its_rows_beside_all_together() -> None:
    tasks = [*study(("amber", "birch"), 12), *study(("amber", "birch"), 9, "sticker")]
    answers = [
        said(task, person, "birch" if place % 3 else "amber") for place, task in enumerate(tasks) for person in PEOPLE
    ]
    rows = preference_results(answers, tasks, resamples=20)
    assert Counter((row["scope"], row["pair_count"]) for row in rows) == {
        ("movie", 12): 1,
        ("sticker", 9): 1,
        ("total", 21): 1,
    }


def test_agreement_is_one_where_people_answer_alike_and_near_zero_where_they_guess() -> None:
    tasks, random = study(("amber", "birch"), 120), np.random.default_rng(4)
    alike = [
        said(task, person, ("amber", "birch", None)[place % 3]) for place, task in enumerate(tasks) for person in PEOPLE
    ]
    guessed = [said(task, person, ("amber", "birch", None)[random.integers(3)]) for task in tasks for person in PEOPLE]
    assert results(alike, tasks, resamples=20)["amber", "birch"]["agreement"] == 1.0
    assert abs(results(guessed, tasks, resamples=20)["amber", "birch"]["agreement"]) < 0.05


def test_without_answers_there_are_no_rows() -> None:
    assert preference_results([], study(("amber", "birch"), 4)) == []
