"""`generation_metrics`, `generation_tests` and `generation_filmstrips` as a build makes them."""

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.generation.filmstrip import FRAMES, chosen_videos, side_by_side
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.assets.homes import all_rows, build, errors_of, report_of, rows
from emovid_assets_tests.generation.planted import Row, features_of, real_features, recognising, videos_of
from emovid_assets_tests.generation.planted_videos import film, write_generated
from emovid_assets_tests.sql.planting import plant, row

pytestmark = pytest.mark.integration
SELECTION = "key:generation_metrics or key:generation_tests or key:generation_filmstrips"


def built(home: Path, **options: Any) -> dict[str, Any]:
    reports = build(home, selection=SELECTION, **options)
    assert errors_of(reports) == []
    return {
        "metrics": report_of(reports, "generation_metrics", None),
        "tests": report_of(reports, "generation_tests", None),
        "strips": report_of(reports, "generation_filmstrips", "movie"),
    }


def without_videos(home: Path) -> None:
    for domain in DOMAINS:
        for table in ("generated_videos", "generation_scores", "generation_features"):
            plant(home, table, [row(table, domain=domain)])
            file = home / "warehouse" / table / f"domain={domain}" / "part-0.parquet"
            file.write_bytes(_empty(table))


def _empty(table: str) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(TABLES[table].empty(), buffer)
    return buffer.getvalue()


def with_films(home: Path) -> list[Row]:
    """Two generators on the 24 cells; those of movies with a film on the disk."""
    made: list[Row] = []
    scores: list[Row] = []
    for name, right in (("a", 3), ("b", 8)):
        own, found = videos_of(name, recognising(lambda number, right=right: number % 10 < right), per_cell=2)
        made, scores = made + own, scores + found
    for number, video in enumerate(made):
        if video["domain"] == "movie":
            written = write_generated(home, film(number % 5), generator=video["generator"], seed=number)
            video |= {name: written[name] for name in ("video_path", "sha256", "duration_s", "frame_count", "fps")}
        else:
            video |= {"video_path": "nowhere.mp4", "sha256": str(number), "duration_s": 1.0}
    plant(home, "generated_videos", made)
    plant(home, "generation_scores", scores)
    plant(home, "generation_features", [*real_features(2), *features_of(made, 0.0, seed=1)])
    return made


def test_without_generated_videos_the_tables_are_empty_and_say_why(tmp_path: Path) -> None:
    without_videos(tmp_path)
    found = built(tmp_path)
    assert (found["metrics"].rows, found["metrics"].missing) == (0, "there are no generated videos")
    assert (found["tests"].rows, found["tests"].missing) == (0, "there are no generated videos")
    assert all_rows(tmp_path, "generation_filmstrips") == []


def test_metrics_and_tests_are_those_of_the_videos_of_all_domains(tmp_path: Path) -> None:
    with_films(tmp_path)
    built(tmp_path, domains=["movie"])
    metrics = {
        (one["generator"], one["scope"], one["asked_emotion"], one["metric"]): one
        for one in rows(tmp_path, "generation_metrics")
    }
    assert metrics["a", "total", "all", "ea8"]["right_count"] == sum(number % 10 < 3 for number in range(48))
    assert metrics["b", "total", "all", "frechet_distance"]["video_count"] == 48
    (test,) = [
        one
        for one in rows(tmp_path, "generation_tests")
        if (one["scope"], one["asked_emotion"], one["metric"]) == ("total", "all", "ea8")
    ]
    assert (test["only_a_count"], test["only_b_count"]) == (0, sum(3 <= number % 10 < 8 for number in range(48)))


def test_strips_show_six_frames_of_the_same_prompts_and_are_made_once(tmp_path: Path) -> None:
    made = with_films(tmp_path)
    first = built(tmp_path, domains=["movie"])["strips"]
    strips = rows(tmp_path, "generation_filmstrips", "movie")
    assert (first.rows, first.computed) == (4, 4)
    prompts = {name: sorted(one["clip_id"] for one in strips if one["generator"] == name) for name in "ab"}
    assert prompts["a"] == prompts["b"]
    assert sorted({one["position"] for one in strips}) == [0, 1]
    one = strips[0]
    picture = cv2.imread(str(tmp_path / one["filmstrip_path"]))
    assert picture.shape == (48, FRAMES * 64 + (FRAMES - 1) * 2, 3)
    scene = next(number for number, video in enumerate(made) if video["video_id"] == one["video_id"]) % 5
    expected = side_by_side([film(scene)[place] for place in (0, 6, 11, 16, 22, 28)])[:, :, ::-1]
    assert np.abs(picture.astype(int) - expected).mean() < 8
    plant(tmp_path, "generated_videos", [{**one, "prompt": "another word for it"} for one in made])
    assert built(tmp_path, domains=["movie"])["strips"].computed == 0
    assert {one["prompt"] for one in rows(tmp_path, "generation_filmstrips", "movie")} == {"another word for it"}


def video(generator: str, clip_id: str, seed: int = 0, task: str = "t2v", domain: str = "movie") -> Row:
    names = {"generator": generator, "clip_id": clip_id, "seed": seed, "task": task, "domain": domain}
    return {**names, "video_id": f"{generator}{clip_id}{seed}{task}", "asked_emotion": "awe", "character": None}


def test_prompts_that_all_generators_have_are_shown_first_and_of_seeds_the_lowest() -> None:
    rare = [video("a", f"rare-{number}") for number in range(20)]
    both = [video(name, "both", seed) for name in "ab" for seed in (3, 1, 2)]
    chosen = chosen_videos([*rare, *both], seed="x")
    assert [(position, one["generator"], one["clip_id"], one["seed"]) for position, one in chosen[:2]] == [
        (0, "a", "both", 1),
        (0, "b", "both", 1),
    ]
    assert len(chosen) == 3
    assert chosen == chosen_videos([*reversed(both), *reversed(rare)], seed="x")
    others = {chosen_videos(rare, seed=str(number))[0][1]["clip_id"] for number in range(20)}
    assert len(others) > 5


def test_tasks_and_domains_have_prompts_of_their_own() -> None:
    videos = [video("a", f"{domain}-{task}", task=task, domain=domain) for domain in DOMAINS for task in ("t2v", "i2v")]
    assert [position for position, _ in chosen_videos(videos, seed="x")] == [0] * 6
