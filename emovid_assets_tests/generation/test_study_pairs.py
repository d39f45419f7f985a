"""Which pairs people are asked about: what stands beside what, how often, and that nothing tells why."""

import re
from collections import Counter
from itertools import combinations, pairwise

import pytest

from emovid_assets.core.generation.study_pairs import plan_study
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.generation.studies import video, videos

Task = dict[str, object]
GENERATORS = ("amber", "birch", "cobalt", "dune")


def plan(rows: list[Task], pairs: int = 48, checks: int = 6, seed: str = "seed", **given: object) -> list[Task]:
    return plan_study(rows, domain="movie", pair_count=pairs, check_count=checks, seed=seed, **given)  # type: ignore[arg-type]


def counted(tasks: list[Task]) -> list[Task]:
    return [task for task in tasks if task["expected"] is None]


def generators_of(task: Task) -> frozenset[object]:
    return frozenset((task["generator_a"], task["generator_b"]))


def test_both_videos_of_a_pair_are_of_one_prompt_task_and_seed_by_two_generators() -> None:
    rows = [
        *videos(GENERATORS, 24),
        *(video("amber", prompt, seed=1, video_id=f"other-seed-{prompt}") for prompt in range(24)),
        *(video("birch", prompt, task="i2v", video_id=f"other-task-{prompt}") for prompt in range(24)),
    ]
    by_id = {row["video_id"]: row for row in rows}
    tasks = counted(plan(rows))
    assert len(tasks) == 48
    for task in tasks:
        left, right = by_id[task["video_a"]], by_id[task["video_b"]]
        for name in ("clip_id", "task", "seed", "prompt", "asked_emotion"):
            assert left[name] == right[name]
        assert (left["generator"], right["generator"]) == (task["generator_a"], task["generator_b"])
        assert left["generator"] != right["generator"]


def test_each_pair_of_generators_meets_equally_often_spread_over_emotions_and_prompts() -> None:
    tasks = counted(plan(videos(GENERATORS, 48)))
    met = Counter(map(generators_of, tasks))
    assert met == {frozenset(pair): 8 for pair in combinations(GENERATORS, 2)}
    for pair in met:
        assert len({task["asked_emotion"] for task in tasks if generators_of(task) == pair}) == 8
    assert set(Counter(task["asked_emotion"] for task in tasks).values()) == {6}
    assert set(Counter(task["clip_id"] for task in tasks).values()) == {1}


def test_what_cannot_be_shared_out_evenly_differs_by_one() -> None:
    met = Counter(map(generators_of, counted(plan(videos(GENERATORS, 48), pairs=20))))
    assert sorted(met.values()) == [3, 3, 3, 3, 4, 4]


def test_sides_and_order_are_drawn_and_say_nothing_of_generator_or_emotion() -> None:
    tasks = sorted(counted(plan(videos(("amber", "birch"), 400), pairs=400)), key=lambda task: str(task["task_id"]))
    left = sum(task["generator_a"] == "amber" for task in tasks)
    # Fair tosses: 400 of them are within 150 and 250 but once in two million.
    assert 150 < left < 250
    order = sorted(tasks, key=lambda task: task["position"])
    first_half = sum(task["generator_a"] == "amber" for task in order[:200])
    assert 65 < first_half < 135
    runs = sum(one["asked_emotion"] == after["asked_emotion"] for one, after in pairwise(order))
    assert runs < 90


def test_the_same_videos_give_the_same_study_in_any_order_and_another_seed_another_one() -> None:
    rows = videos(GENERATORS, 48)
    assert plan(rows) == plan(rows[::-1])
    assert {task["task_id"] for task in plan(rows)} != {task["task_id"] for task in plan(rows, seed="other")}


def test_an_id_tells_the_domain_and_nothing_else() -> None:
    for task in plan(videos(GENERATORS, 24)):
        assert re.fullmatch("movie-pair-[0-9a-f]{16}", str(task["task_id"]))


def test_a_check_is_a_video_beside_itself_and_the_whole_one_is_on_either_side() -> None:
    checks = [task for task in plan(videos(GENERATORS, 48), checks=40) if task["expected"] is not None]
    assert len(checks) == 40
    assert all(task["video_a"] == task["video_b"] for task in checks)
    assert Counter(task["expected"] for task in checks).keys() == {"a", "b"}
    places = [task["position"] for task in checks]
    assert max(places) - min(places) > 40


def test_what_was_asked_stays_when_a_generator_comes_and_the_new_one_gets_its_share() -> None:
    before = plan(videos(GENERATORS[:2], 48), pairs=12)
    after = plan(videos(GENERATORS[:3], 48), pairs=12, published=before)
    assert {task["task_id"] for task in before} <= {task["task_id"] for task in after}
    met = Counter(map(generators_of, counted(after)))
    assert met == {
        frozenset(("amber", "birch")): 12,
        frozenset(("amber", "cobalt")): 4,
        frozenset(("birch", "cobalt")): 4,
    }


def test_a_video_that_was_made_anew_is_another_question() -> None:
    before = plan(videos(("amber", "birch"), 12), pairs=12, checks=0)
    rows = [
        row | ({"sha256": "new"} if row["video_id"] == "amber-movie-3" else {})
        for row in videos(("amber", "birch"), 12)
    ]
    after = plan(rows, pairs=12, checks=0, published=before)
    assert len({task["task_id"] for task in before} - {task["task_id"] for task in after}) == 1
    assert len(after) == 12


@pytest.mark.parametrize("rows", [[], videos(["amber"], 8), [video("amber", 0), video("birch", 1)]])
def test_without_two_videos_of_one_prompt_there_is_no_study_and_no_check(rows: list[Task]) -> None:
    assert plan(rows) == []


def test_stickers_of_a_character_are_compared_emotion_by_emotion() -> None:
    rows = [
        video(name, number, "sticker", clip_id=None, character="cat.png", video_id=f"{name}-{number}")
        for name in ("amber", "birch")
        for number in range(8)
    ]
    tasks = counted(plan_study(rows, domain="sticker", pair_count=8, check_count=0, seed="seed"))
    assert len({task["asked_emotion"] for task in tasks}) == len(tasks) == 8


def test_both_are_shown_for_as_long_as_the_shorter_one_lasts() -> None:
    rows = [video("amber", 0, duration_s=5.0), video("birch", 0, duration_s=3.0, is_trial=True)]
    (task,) = plan(rows, checks=0)
    assert (task["shown_s"], task["is_trial"]) == (3.0, True)
    TABLES["preference_tasks"].from_rows([task])
