"""Views on generated videos, judged by counting the planted rows in Python."""

from collections import Counter
from typing import Any

import pytest

from emovid_assets.core.emotions import EMOTION_BY_NAME, EMOTION_NAMES
from emovid_assets_tests.generation.planted import recognising, videos_of
from emovid_assets_tests.sql.conftest import Library
from emovid_assets_tests.sql.test_named_queries import ask


def metric(generator: str, name: str, value: float | None, **more: Any) -> dict[str, Any]:
    place = {"generator": generator, "task": "t2v", "scope": "total", "asked_emotion": "all", "metric": name}
    return {**place, "value": value, "video_count": 240, **more}


def difference(a: str, b: str, name: str, by: float, p_adjusted: float, **more: Any) -> dict[str, Any]:
    place = {"generator_a": a, "generator_b": b, "task": "t2v", "scope": "total", "asked_emotion": "all"}
    rest = {"p": p_adjusted / 2, "pair_count": 240, "prompt_count": 240, "family_count": 2}
    return {**place, "metric": name, "difference": by, "p_adjusted": p_adjusted, **rest, **more}


@pytest.fixture
def measured(library: Library) -> Library:
    library.plant(
        "generation_metrics",
        [
            metric("good", "ea8", 0.5, right_count=120, low=0.44, high=0.56),
            metric("poor", "ea8", 0.25, right_count=60, low=0.2, high=0.31),
            metric("poor", "ea2", 0.8, right_count=192, low=0.74, high=0.85),
            metric("good", "frechet_distance", 12.5, floor=10.0, half_value=14.0, scorer="some/encoder@1"),
            metric("poor", "frechet_distance", 40.0, floor=10.0, half_value=41.0, scorer="some/encoder@1"),
            metric("good", "kernel_distance", -0.01, scorer="some/encoder@1"),
            metric("poor", "flicker_common", None, reason="too short"),
            metric("good", "caption_cosine", 0.3, low=0.29, high=0.31),
            metric("good", "flicker_native", 0.03) | {"asked_emotion": "fear"},
            metric("good", "flicker_common", 0.02, is_trial=True),
            metric("good", "ea8", 0.9, right_count=72) | {"scope": "movie"},
            metric("other", "frechet_distance", 7.0, scorer="embedded/measured@1") | {"task": "i2v"},
            metric("few", "frechet_distance", None, scorer="embedded/measured@1", reason="9 videos") | {"task": "i2v"},
        ],
    )
    return library


def test_our_generators_stand_below_the_paper_and_are_ranked_among_themselves(measured: Library) -> None:
    rows = measured.query("from generation_leaderboard")
    assert [row["is_computed"] for row in rows] == [False] * 10 + [True] * 4
    assert [(row["task"], row["generator"]) for row in rows[10:]] == [
        ("T2V", "good"),
        ("T2V", "poor"),
        ("I2V", "few"),
        ("I2V", "other"),
    ]
    good, poor, few, other = rows[10:]
    assert (good["ea_8"], good["ea_8_hit_count"], good["ea_8_low"], good["ea_8_rank"]) == (50.0, 120, 44.0, 1)
    assert (poor["ea_8"], poor["ea_8_rank"], poor["ea_2"], poor["ea_2_rank"]) == (25.0, 2, 80.0, 1)
    assert (good["ea_2"], good["ea_2_rank"], good["ea_8_check"]) == (None, None, None)
    assert (good["fvd"], good["distance_floor"], good["distance_of_halves"], good["fvd_rank"]) == (12.5, 10.0, 14.0, 1)
    assert (good["kernel_distance"], good["clip_score"], good["clip_score_low"]) == (-0.01, 0.3, 0.29)
    assert good["flicker"] is None, "that of one emotion is not that of all"
    assert (good["flicker_common"], good["is_trial"], poor["is_trial"]) == (0.02, True, False)
    assert (poor["flicker_common"], poor["flicker_note"], good["flicker_note"]) == (None, "too short", None)
    assert (other["fvd"], other["measured_distance"], other["distance_scorer"]) == (None, 7.0, "embedded/measured@1")
    assert (few["measured_distance"], few["distance_note"]) == (None, "9 videos")


def test_the_papers_ranks_do_not_depend_on_ours(measured: Library) -> None:
    ranks = "select * exclude (is_trial) from generation_leaderboard where not is_computed"
    beside = measured.query(ranks)
    measured.clear()
    assert beside == measured.query(ranks)


def test_the_matrix_counts_what_is_recognised_of_what_is_asked(library: Library) -> None:
    _, scores = videos_of("a", recognising(lambda number: number % 3 > 0), per_cell=3)
    scores[5] |= {"emotion": None, "is_emotion_right": None, "is_polarity_right": None}
    scores[9]["is_trial"] = True
    library.plant("generation_scores", scores)
    rows = library.query("from generation_matrix")
    assert len(rows) == 4 * 64
    for scope in ("movie", "total"):
        members = [one for one in scores if one["emotion"] and scope in ("total", one["domain"])]
        counts = Counter((one["asked_emotion"], one["emotion"]) for one in members)
        asked = Counter(one["asked_emotion"] for one in members)
        of_scope = [row for row in rows if row["domain"] == scope]
        assert [(row["asked_emotion"], row["recognised_emotion"]) for row in of_scope] == [
            (one, other) for one in EMOTION_NAMES for other in EMOTION_NAMES
        ]
        for row in of_scope:
            pair = (row["asked_emotion"], row["recognised_emotion"])
            assert row["video_count"] == counts[pair]
            assert row["share"] == counts[pair] / asked[pair[0]]
            assert row["is_right"] == (pair[0] == pair[1])
            assert row["is_polarity_right"] == (EMOTION_BY_NAME[pair[0]].polarity == EMOTION_BY_NAME[pair[1]].polarity)
    trial = {row["domain"]: row["is_trial"] for row in rows}
    assert trial == {one: one in ("total", scores[9]["domain"]) for one in trial}


def test_an_emotion_that_nothing_was_asked_for_has_no_share(library: Library) -> None:
    _, scores = videos_of("a", recognising(lambda number: True), per_cell=1)
    library.plant("generation_scores", [score for score in scores if score["asked_emotion"] == "awe"])
    rows = library.query("from generation_matrix where domain = 'total' and asked_emotion = 'fear'")
    assert {(row["video_count"], row["asked_count"], row["share"]) for row in rows} == {(0, 0, None)}
    assert len(rows) == 8


DIFFERENCES = [
    difference("a", "b", "ea8", 0.1, 0.01, only_a_count=6, only_b_count=30, low=0.04, high=0.16),
    difference("a", "c", "ea8", -0.1, 0.2, only_a_count=30, only_b_count=6, low=-0.2, high=0.01),
    difference("a", "b", "flicker_common", 0.02, 0.01, low=0.01, high=0.03),
    difference("a", "c", "flicker_common", -0.02, 0.01, low=-0.03, high=-0.01),
    difference("a", "b", "caption_cosine", 0.0, 1.0),
    difference("a", "b", "frechet_distance", -3.0, 0.04, is_trial=True),
]


def test_a_difference_is_told_from_the_side_of_the_better_one(library: Library) -> None:
    library.plant("generation_tests", DIFFERENCES)
    rows = {
        (row["metric"], row["generator_a"], row["generator_b"]): row
        for row in library.query("from generation_differences")
    }
    names = ("better", "advantage", "advantage_low", "advantage_high", "only_better_count", "verdict")
    found = {key: tuple(row[name] for name in names) for key, row in rows.items()}
    assert found == {
        ("ea8", "a", "b"): ("b", 0.1, 0.04, 0.16, 30, "distinguishable"),
        ("ea8", "a", "c"): ("a", 0.1, -0.01, 0.2, 30, "indistinguishable"),
        ("flicker_common", "a", "b"): ("a", 0.02, 0.01, 0.03, None, "distinguishable"),
        ("flicker_common", "a", "c"): ("c", 0.02, 0.01, 0.03, None, "distinguishable"),
        ("caption_cosine", "a", "b"): (None, 0.0, None, None, None, "equal"),
        ("frechet_distance", "a", "b"): ("b", 3.0, None, None, None, "distinguishable"),
    }


def test_the_cookbook_names_what_differs_and_what_an_adapter_changed(library: Library) -> None:
    library.plant("generation_tests", DIFFERENCES)
    adapter = [{"name": "lora", "weight": 1.0, "sha256": "0"}]
    library.plant(
        "generated_videos",
        [
            {
                "domain": "movie",
                "video_id": "1",
                "generator": "a",
                "task": "t2v",
                "model_id": "wan",
                "adapters": adapter,
            },
            {"domain": "movie", "video_id": "2", "generator": "b", "task": "t2v", "model_id": "wan", "adapters": []},
            {"domain": "movie", "video_id": "3", "generator": "c", "task": "t2v", "model_id": "other", "adapters": []},
        ],
    )
    told = [row[:4] for row in ask(library, "generator_differences")]
    assert told == [
        ("t2v", "ea8", "b", "a"),
        ("t2v", "flicker_common", "a", "b"),
        ("t2v", "flicker_common", "c", "a"),
        ("t2v", "frechet_distance", "b", "a"),
    ]
    changes = {row[4]: row[2:4] + row[5:] for row in ask(library, "before_and_after")}
    # b is the model as it was, a the one with an adapter: what b alone had right is lost.
    told = ("distinguishable", False)
    assert changes["ea8"] == ("b", "a", -0.1, -0.16, -0.04, False, 6, 30, 240, 0.005, 0.01, *told)
    assert changes["frechet_distance"][:6] == ("b", "a", 3.0, None, None, False)
    assert changes["frechet_distance"][-2:] == ("distinguishable", True)
    assert changes["flicker_common"][2:6] == (-0.02, -0.03, -0.01, True)
    assert changes["caption_cosine"][2:8] == (0.0, None, None, None, None, None)
    # Not -0.0, which is equal to it.
    assert str(changes["caption_cosine"][2]) == "0.0"
    assert list(changes) == ["ea8", "frechet_distance", "flicker_common", "caption_cosine"]


def test_only_one_model_without_adapters_and_with_some_is_a_before_and_an_after(library: Library) -> None:
    library.plant("generation_tests", DIFFERENCES)
    lora = [{"name": "lora", "weight": 1.0, "sha256": "0"}]

    def video(name: str, model: str | None, adapters: list[Any], task: str = "t2v") -> dict[str, Any]:
        place = {"domain": "movie", "video_id": f"{name} {task}", "generator": name, "task": task}
        return {**place, "model_id": model, "adapters": adapters}

    def pairs(*videos: dict[str, Any]) -> set[tuple[str, str]]:
        library.plant("generated_videos", videos)
        rows = library.query("from generation_before_after")
        return {(row["before"], row["after"]) for row in rows}

    assert pairs(video("a", "wan", lora), video("b", "wan", []), video("c", "wan", [])) == {("b", "a"), ("c", "a")}
    assert pairs(video("a", "wan", lora), video("b", "wan", lora), video("c", "other", [])) == set()
    assert pairs(video("a", "wan", lora, "i2v"), video("b", "wan", [], "i2v")) == set()
    assert pairs(video("a", None, []), video("b", None, [])) == set()


def test_the_cookbook_names_what_is_recognised_instead(library: Library) -> None:
    _, scores = videos_of("a", recognising(lambda number: number < 60), per_cell=3)
    library.plant("generation_scores", scores)
    expected = Counter((one["asked_emotion"], one["emotion"]) for one in scores if not one["is_emotion_right"])
    assert {row[2:4]: row[4] for row in ask(library, "generated_emotions")} == dict(expected)
