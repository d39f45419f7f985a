from typing import Any

import pytest

from emovid_assets.home.settings import CaptionerSettings, LabellerSettings
from emovid_assets.resources.endpoint_cost import estimate

SERVED: dict[str, Any] = {
    "backend": "endpoint",
    "model": "tiny",
    "base_url": "http://127.0.0.1:8000/v1",
    "prompt_price": 0.5,
    "output_price": 2.0,
}


def test_without_any_finished_clip_the_assumptions_are_told() -> None:
    found = estimate(LabellerSettings(**SERVED, rotations=2), 20_000, [(1280, 720), (720, 1280)])
    # 448 × 252 px are 16 × 9 squares of 28 px.
    assert found.request_count == 40_000
    assert found.prompt_token_count == 40_000 * (8 * 144 + 120)
    assert found.output_token_count == 40_000
    assert found.price == pytest.approx(50.88 * 0.5 + 0.04 * 2.0)
    assert found.hours is None
    assert found.assumptions == ("144 tokens a frame (one per 28 × 28 px), 120 of words",)


def test_frames_that_are_small_already_are_not_made_larger() -> None:
    small = estimate(LabellerSettings(**SERVED, rotations=1, frames=1), 1, [(56, 28)])
    assert small.prompt_token_count == 4 + 120
    assert small.upload_bytes == pytest.approx(56 * 28 * 0.3 * 4 / 3, abs=1)


def test_without_sizes_a_usual_one_is_assumed_and_told() -> None:
    found = estimate(CaptionerSettings(**SERVED), 10)
    assert found.request_count == 10
    assert found.output_token_count == 1120
    assert found.assumptions == (
        "144 tokens a frame (one per 28 × 28 px), 120 of words",
        "captions of 80 words, 112 tokens, each right at the first attempt",
        "clips of 1280 × 720 px",
    )


def test_what_finished_clips_have_cost_replaces_the_assumptions() -> None:
    finished = [
        {"prompt_token_count": 900, "output_token_count": 60, "attempt_count": 1, "model_s": 0.2},
        {"prompt_token_count": 2700, "output_token_count": 200, "attempt_count": 3, "model_s": 0.4},
        {"prompt_token_count": None, "output_token_count": None, "attempt_count": 2, "model_s": None},
    ]
    found = estimate(CaptionerSettings(**SERVED), 1000, [(640, 480)], finished)
    assert (found.request_count, found.prompt_token_count, found.output_token_count) == (2000, 1_800_000, 130_000)
    assert found.price == pytest.approx(1.8 * 0.5 + 0.13 * 2.0)
    assert found.hours == pytest.approx(1000 * 0.3 / 3600)
    assert found.assumptions == ()


def test_a_rate_gives_hours_and_nothing_to_do_costs_nothing() -> None:
    settings = LabellerSettings(**SERVED, rotations=2)
    assert estimate(settings, 18_000, [(640, 480)], requests_per_s=10).hours == pytest.approx(1.0)
    nothing = estimate(settings, 0)
    assert (nothing.request_count, nothing.price, nothing.upload_bytes) == (0, 0.0, 0)


def test_words_are_asked_for_once_whatever_the_rotations() -> None:
    found = estimate(LabellerSettings(**SERVED, rotations=4, answer="choice"), 100)
    assert (found.request_count, found.output_token_count) == (100, 400)
