"""The labeller as an asset: fine-tuned, used as it is, and held against people on the same blind clips."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emovid_assets.building.runner import AssetReport
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.freshness.amounts import labeller_amount
from emovid_assets.home.folders import Home
from emovid_assets_tests.assets.homes import build, errors_of, report_of, rows
from emovid_assets_tests.checks.running import evaluate, shown
from emovid_assets_tests.planted_tables import plant
from emovid_assets_tests.vlm.conftest import Trained
from emovid_assets_tests.vlm.learnable import BLIND_PER_EMOTION, PEOPLE, clip_id, make_home

pytestmark = pytest.mark.integration

ASSETS = (
    "clip_groups",
    "emotion_labeller",
    "vlm_labels",
    "emotion_labels",
    "validation_ratings",
    "benchmark_split",
    "labeller_answers",
    "labeller_comparison",
)
SELECTION = " or ".join(f"key:{name}" for name in ASSETS)
BLIND = {clip_id(number) for number in range(8 * BLIND_PER_EMOTION)}


def built(home: Path, selection: str = SELECTION) -> Callable[[str, str | None], AssetReport]:
    reports = build(home, domains=["movie"], selection=selection)
    assert errors_of(reports) == []
    return lambda asset, domain: report_of(reports, asset, domain)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory, trained: Trained) -> Path:
    """A home with a fine-tuned labeller, which the asset finds, and everything that follows from it."""
    home = shutil.copytree(trained("qwen25_vl")[0], tmp_path_factory.mktemp("tuned") / "home")
    built(home)
    return home


def of(home: Path, scope: str, truth: str) -> dict[str, dict[str, Any]]:
    found = (row for row in rows(home, "labeller_comparison") if (row["scope"], row["truth"]) == (scope, truth))
    return {row["rater_kind"] if row["rater_kind"] != "person" else row["rater_id"]: row for row in found}


def test_the_fine_tuned_labeller_says_what_it_is_and_labels_every_clip(tuned: Path) -> None:
    (labeller,) = rows(tuned, "emotion_labeller")
    assert (labeller["kind"], labeller["model_id"]) == ("fine_tuned", "qwen25_vl+lora")
    assert labeller["validation_accuracy"] > 0.9 > 0.3 > labeller["baseline_accuracy"]
    assert 0 < labeller["held_out_clip_count"] < labeller["training_clip_count"] < 80 - 16
    assert (tuned / labeller["path"] / "adapter_model.safetensors").is_file()
    labels = {row["clip_id"]: row for row in rows(tuned, "vlm_labels", "movie")}
    assert len(labels) == 80
    right = [labels[clip_id(number)]["emotion"] == EMOTION_NAMES[number % 8] for number in range(80)]
    assert sum(right) > 72
    assert {row["model_revision"] for row in labels.values()} == {labeller["revision"]}


def test_all_labellers_and_people_are_held_against_the_same_blind_clips(tuned: Path) -> None:
    answers = rows(tuned, "labeller_answers")
    assert {row["clip_id"] for row in answers} == BLIND
    assert {row["rater_kind"] for row in answers} == {"fine_tuned", "zero_shot", "embedded", "person"}
    by_majority = of(tuned, "total", "majority")
    assert by_majority.keys() == {"fine_tuned", "zero_shot", "embedded"}
    assert {row["clip_count"] for row in by_majority.values()} == {16}
    assert by_majority["fine_tuned"]["accuracy"] > 0.8
    assert by_majority["zero_shot"]["accuracy"] < 0.4
    assert by_majority["fine_tuned"]["nll"] < by_majority["zero_shot"]["nll"]
    for kind in ("fine_tuned", "zero_shot"):
        assert by_majority[kind]["model_s_per_clip"] > 0
        assert by_majority[kind]["prompt_tokens_per_clip"] > 10
    by_others = of(tuned, "total", "others")
    assert by_others.keys() == {"fine_tuned", "zero_shot", "embedded", "people", *PEOPLE}
    # Cy takes one clip for another emotion; the two others agree on all of them.
    assert by_others["cy"]["accuracy"] == 15 / 16
    assert (by_others["ada"]["accuracy"], by_others["ada"]["clip_count"]) == (1, 15)
    assert by_others["people"]["accuracy"] == 45 / 46


def test_fine_tuning_is_seen_to_be_worth_it_and_to_have_kept_away_from_test_clips(tuned: Path) -> None:
    worth = evaluate(tuned, "labeller_comparison", "fine_tuning_is_worth_it", None)
    assert worth.passed
    assert float(str(shown(worth, "gain"))) > 0.4
    clean = evaluate(tuned, "labeller_comparison", "labeller_saw_no_test_clips", None)
    assert clean.passed
    (labeller,) = rows(tuned, "emotion_labeller")
    record = json.loads((tuned / labeller["path"] / "training.json").read_text(encoding="utf-8"))
    chosen_by = len(record["choosing_clips"])
    assert chosen_by > 0
    counts = ("training_clip_count", "held_out_clip_count")
    assert shown(clean, "clips_seen") == chosen_by + sum(labeller[name] for name in counts)
    benchmark = {row["clip_id"] for row in rows(tuned, "benchmark_split", "movie") if row["split"] == "benchmark"}
    assert len(benchmark) == 8


def test_a_second_build_computes_nothing(tuned: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in tuned.joinpath("models").rglob("*")}
    report = built(tuned, "key:emotion_labeller or key:vlm_labels or key:labeller_answers")
    assert report("vlm_labels", "movie").computed == 0
    assert {path: path.stat().st_mtime_ns for path in tuned.joinpath("models").rglob("*")} == before


def test_the_plan_counts_the_blind_clips_that_the_model_without_its_adapter_is_asked_about(
    tuned: Path, trained: Trained, tmp_path: Path
) -> None:
    def planned(home: Path) -> tuple[str, int | None, bool]:
        amount = labeller_amount(Home(home), is_open=False)
        assert amount is not None
        return amount.step, amount.items, amount.is_estimate

    fresh = Path(shutil.copytree(trained("qwen25_vl")[0], tmp_path / "home"))
    assert planned(fresh) == ("label_zero_shot", len(BLIND), False)
    assert planned(tuned) == ("label_zero_shot", 0, False)
    settings = fresh / "emovid.toml"
    settings.write_text(settings.read_text("utf-8").replace("max_epochs = 9", "max_epochs = 8"), encoding="utf-8")
    assert planned(fresh) == ("fine_tune", None, True), "nobody knows how long a training takes"


def test_with_too_few_labels_the_model_is_used_as_it_is_and_calibrated(
    tmp_path: Path, tiny_chat_model: Callable[[str], Path]
) -> None:
    home = make_home(tmp_path / "home", tiny_chat_model("llava_onevision"), min_clips=1000)
    selection = "key:emotion_labeller"
    report = built(home, selection)
    (labeller,) = rows(home, "emotion_labeller")
    assert (labeller["kind"], labeller["model_id"], labeller["path"]) == ("zero_shot", "llava_onevision", None)
    assert labeller["training_clip_count"] == 0
    used = labeller["held_out_clip_count"]
    assert 80 - 16 - 8 <= used < 80 - 16
    assert report("emotion_labeller", None).computed == used
    assert 0 <= labeller["validation_accuracy"] <= 0.4
    # A model of random weights is surer than it may be.
    assert labeller["temperature"] > 1
    assert built(home, selection)("emotion_labeller", None).computed == 0


def test_a_model_as_it_is_needs_no_human_label(tmp_path: Path, tiny_chat_model: Callable[[str], Path]) -> None:
    home = make_home(tmp_path / "home", tiny_chat_model("llava_onevision"), fine_tune=False)
    plant(home, "human_labels", [])
    built(home, "key:emotion_labeller")
    (labeller,) = rows(home, "emotion_labeller")
    assert (labeller["kind"], labeller["held_out_clip_count"], labeller["temperature"]) == ("zero_shot", 0, 1.0)
    assert labeller["validation_accuracy"] is labeller["baseline_accuracy"] is labeller["validation_macro_f1"] is None
    assert evaluate(home, "emotion_labeller", "beats_the_baseline", None).passed
