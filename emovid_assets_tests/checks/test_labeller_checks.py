"""Checks that fine-tuning is worth it, and that the labeller has not seen what it is judged by."""

import json
from pathlib import Path
from typing import Any

import pytest

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets_tests.checks.running import evaluate, shown
from emovid_assets_tests.planted_tables import plant, valid_row


def answers(home: Path, right: dict[str, int], count: int = 40) -> None:
    """Rows of labellers (id → how many of the clips they get right), all of whose truths are fear."""
    kinds = {"base": "zero_shot", "base+lora": "fine_tuned", "forest": "embedded"}
    rows: list[dict[str, Any]] = [
        valid_row("labeller_answers", 0, clip_id=f"movie-{number}", rater_id=name, rater_kind=kinds[name])
        | {"label": "fear" if number < correct else "awe", "people_majority": "fear", "others_majority": None}
        | {f"p_{emotion}": 1 / 8 for emotion in EMOTION_NAMES}
        for name, correct in right.items()
        for number in range(count)
    ]
    plant(home, "labeller_answers", rows, None)


@pytest.mark.parametrize(("tuned", "passed"), [(30, True), (20, False), (10, False)])
def test_a_fine_tuned_labeller_that_is_no_better_than_its_base_warns(tmp_path: Path, tuned: int, passed: bool) -> None:
    answers(tmp_path, {"base": 20, "base+lora": tuned})
    found = evaluate(tmp_path, "labeller_comparison", "fine_tuning_is_worth_it", None)
    assert found.passed == passed
    assert found.severity.value == "WARN"
    assert shown(found, "gain") == (tuned - 20) / 40
    assert shown(found, "clips") == 40


@pytest.mark.parametrize("right", [{}, {"base": 20}, {"forest": 20}])
def test_without_both_labellers_there_is_nothing_to_compare(tmp_path: Path, right: dict[str, int]) -> None:
    answers(tmp_path, right)
    found = evaluate(tmp_path, "labeller_comparison", "fine_tuning_is_worth_it", None)
    assert found.passed
    assert "no fine-tuned labeller" in str(shown(found, "missing"))


def labeller(home: Path, **clips: str) -> None:
    folder = home / "models" / "labeller-x"
    folder.mkdir(parents=True)
    record = {name: [{"clip_id": clip_id}] for name, clip_id in clips.items()}
    (folder / "training.json").write_text(json.dumps(record), encoding="utf-8")
    row = valid_row("emotion_labeller", 0, kind="fine_tuned", path="models/labeller-x")
    plant(home, "emotion_labeller", [row], None)


@pytest.mark.parametrize(
    ("blind", "benchmark", "leaked"), [("x", "y", 0), ("a", "y", 1), ("x", "b", 1), ("c", "c", 1), ("a", "c", 2)]
)
def test_a_labeller_that_has_seen_a_test_clip_warns_and_names_it(
    tmp_path: Path, blind: str, benchmark: str, leaked: int
) -> None:
    labeller(tmp_path, training_clips="a", choosing_clips="b", held_out_clips="c")
    plant(tmp_path, "annotation_tasks", [valid_row("annotation_tasks", 0, clip_id=blind, purpose="validate")])
    other = valid_row("benchmark_split", 1, clip_id="a", split="train")
    plant(tmp_path, "benchmark_split", [valid_row("benchmark_split", 0, clip_id=benchmark, split="benchmark"), other])
    found = evaluate(tmp_path, "labeller_comparison", "labeller_saw_no_test_clips", None)
    assert found.passed == (leaked == 0)
    assert (shown(found, "clips_seen"), shown(found, "test_clips_seen")) == (3, leaked)
    if leaked:
        assert set(str(shown(found, "first")).split(", ")) <= {blind, benchmark}


def test_an_embedded_labeller_or_none_has_no_record_to_look_at(tmp_path: Path) -> None:
    plant(tmp_path, "emotion_labeller", [valid_row("emotion_labeller", 0, kind="embedded")], None)
    assert evaluate(tmp_path, "labeller_comparison", "labeller_saw_no_test_clips", None).passed
