"""From the demo's benchmark to the report: four families of generators of random weights, in one build."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from emovid_assets.building import runner
from emovid_assets.building.status import asset_states
from emovid_assets.home.folders import Home
from emovid_assets.home.shipped_files import shipped_file
from emovid_assets.resources.catalogue import open_catalogue
from emovid_assets_tests.assets.homes import DEMO_SETTINGS, Demo, all_rows, errors_of
from emovid_assets_tests.generation.homes import generator, write_settings
from emovid_assets_tests.generation.tiny_scorers import tiny_text_clip, tiny_videomae

pytestmark = pytest.mark.integration

FAMILIES = {"wan": "wan_t2v", "cog": "cogvideox_t2v", "hunyuan": "hunyuan_t2v"}
OF_STICKERS = {"domains": ["sticker"]}


@pytest.fixture
def home(demo: Demo, tmp_path: Path, tiny_generator: Any) -> Path:
    home = Path(shutil.copytree(demo.home, tmp_path / "home"))
    tiny_text_clip(home / "models" / "clip")
    tiny_videomae(home / "models" / "videomae")
    scorers = (
        'scorers_are_trial = true\ntext_model = "./models/clip"\nvideo_model = "./models/videomae"\ncommon_s = 0.5'
    )
    models = [generator(name, tiny_generator(folder), **OF_STICKERS) for name, folder in FAMILIES.items()]
    models.append(generator("wan", tiny_generator("wan_i2v"), "i2v", **OF_STICKERS))
    write_settings(home, *models, more=f"{DEMO_SETTINGS}\n[generation]\n{scorers}\n")
    return home


def test_one_build_makes_videos_scores_metrics_tests_and_the_page_and_says_that_they_are_of_random_weights(
    home: Path,
) -> None:
    reports = list(runner.build(Home(home)))
    assert errors_of(reports) == []
    benchmark = {
        row["clip_id"]: row["emotion"]
        for row in all_rows(home, "benchmark_split")
        if row["split"] == "benchmark" and row["domain"] == "sticker"
    }
    videos = all_rows(home, "generated_videos")
    assert Counter((row["generator"], row["task"]) for row in videos) == {
        (name, task): len(benchmark) for name, task in [*((name, "t2v") for name in FAMILIES), ("wan", "i2v")]
    }
    scores = all_rows(home, "generation_scores")
    assert {row["video_id"] for row in scores} == {row["video_id"] for row in videos}
    for row in scores:
        assert row["is_trial"]
        assert -1 <= row["caption_cosine"] <= 1
        assert row["asked_emotion"] == benchmark[row["clip_id"]]

    metrics = {
        (row["generator"], row["task"], row["metric"]): row
        for row in all_rows(home, "generation_metrics")
        if (row["scope"], row["asked_emotion"]) == ("total", "all")
    }
    for name, task in {(row["generator"], row["task"]) for row in videos}:
        own = [row for row in scores if (row["generator"], row["task"]) == (name, task)]
        mean = metrics[name, task, "flicker_native"]
        assert (mean["video_count"], mean["is_trial"]) == (len(benchmark), True)
        assert mean["value"] == pytest.approx(sum(row["flicker_native"] for row in own) / len(own))
        # Too few for a distance, which says so.
        distance = metrics[name, task, "frechet_distance"]
        assert (distance["value"], bool(distance["reason"])) == (None, True)
    pairs = {(row["generator_a"], row["generator_b"], row["task"]) for row in all_rows(home, "generation_tests")}
    assert pairs == {("cog", "hunyuan", "t2v"), ("cog", "wan", "t2v"), ("hunyuan", "wan", "t2v")}

    page = (home / "reports" / "report.html").read_text("utf-8")
    assert all(name in page for name in FAMILIES)
    assert "random weights" in page
    with open_catalogue(home, shipped_file("sql")) as connection:
        listed = connection.execute("SELECT DISTINCT generator, lower(task) FROM generation_leaderboard").fetchall()
    assert {(row["generator"], row["task"]) for row in videos} <= set(listed)
    assert {state.state for state in asset_states(Home(home))} == {"up to date"}
