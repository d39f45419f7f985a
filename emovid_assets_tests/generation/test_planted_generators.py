"""Generators whose videos are real clips with one fault each: the right metric sees each fault, and no other does."""

from pathlib import Path

import pytest

from benchmarks.planted_generators import FAULTS, REFERENCE, planted, verdicts
from emovid_assets.core.generation.videos import LOWER_IS_BETTER

pytestmark = [pytest.mark.corpus, pytest.mark.integration]


@pytest.fixture(scope="module")
def found(corpus: Path, tmp_path_factory: pytest.TempPathFactory):
    return planted(tmp_path_factory.mktemp("videos"), prompts=32, taught=6)


def ranked(found, metric):
    """Faults from the best to the worst by a metric."""
    rows = [
        row for row in found[0] if row["metric"] == metric and (row["scope"], row["asked_emotion"]) == ("total", "all")
    ]
    sign = 1 if metric in LOWER_IS_BETTER else -1
    return [row["generator"] for row in sorted(rows, key=lambda row: sign * row["value"])]


def test_a_wrong_emotion_is_last_by_accuracy_and_nothing_else_is_told_by_it(found) -> None:
    told = verdicts(found[1])
    assert ranked(found, "ea8")[-1] == ranked(found, "ea2")[-1] == "wrong emotion"
    assert {fault: told[fault, "ea8"] for fault in FAULTS if fault != REFERENCE} == {
        "noise": "blind",
        "blur": "blind",
        "wrong emotion": "sees it",
        "wrong speed": "blind",
        "shuffled frames": "blind",
    }


def test_shuffled_frames_are_last_by_flicker_and_by_distance_and_noise_and_speed_are_worse_than_the_clip(found) -> None:
    told = verdicts(found[1])
    assert ranked(found, "flicker_common")[-1] == ranked(found, "frechet_distance")[-1] == "shuffled frames"
    assert ranked(found, "kernel_distance")[-1] == "shuffled frames"
    for fault in ("noise", "wrong speed", "shuffled frames"):
        assert told[fault, "flicker_common"] == "sees it"


def test_flicker_prefers_a_blur_and_so_says_nothing_alone(found) -> None:
    told = verdicts(found[1])
    assert ranked(found, "flicker_common")[0] == "blur"
    assert told["blur", "flicker_common"] == "prefers it"
    assert told["blur", "frechet_distance"] == "sees it"


def test_a_wrong_speed_is_last_by_first_frame_consistency(found) -> None:
    assert ranked(found, "first_frame_consistency")[-1] == "wrong speed"


def test_every_fault_is_farther_from_the_real_clips_than_the_clip_as_it_is(found) -> None:
    assert ranked(found, "frechet_distance")[0] == REFERENCE


def test_videos_of_the_same_films_lie_below_the_floor_and_their_halves_at_it(found) -> None:
    """A video is like the clip whose prompt it is of: only where none meets its own, a floor means anything."""
    row = next(
        one
        for one in found[0]
        if (one["generator"], one["scope"], one["metric"]) == (REFERENCE, "total", "frechet_distance")
    )
    assert row["value"] < 0.5 * row["floor"]
    assert row["half_value"] == pytest.approx(row["floor"], rel=0.15)
