"""The tables of a study in a home: what is asked stays, what is answered arrives, and what is new is noticed."""

import os
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from emovid_assets.core.generation.study_pairs import QUESTIONS
from emovid_assets.freshness.news import preference_versions
from emovid_assets.home.folders import Home
from emovid_assets.orchestration.sensors import study_files
from emovid_assets.resources.project import Project
from emovid_assets.resources.warehouse import Warehouse, content_hash
from emovid_assets_tests.assets.homes import rows
from emovid_assets_tests.generation.studies import ANSWERS, TASKS, materialise, side_of, videos
from emovid_assets_tests.planted_tables import plant


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "emovid.toml").write_text("[generation]\nstudy_pairs = 24\nstudy_checks = 4\n", encoding="utf-8")
    plant(tmp_path, "generated_videos", videos(("amber", "birch"), 24), "movie")
    plant(tmp_path, "generated_videos", videos(("amber", "cobalt"), 8, "sticker"), "sticker")
    for domain in ("movie", "sticker"):
        materialise(Home(tmp_path), TASKS, domain)
    return Home(tmp_path)


def answer_all(home: Home, name: str, preferred: str) -> None:
    """A file in which three people prefer one generator in two thirds of the pairs and pass every check."""
    lines = [",".join(("task_id", "annotator_id", *QUESTIONS))]
    for domain in ("movie", "sticker"):
        for place, row in enumerate(rows(home.root, "preference_tasks", domain)):
            side = side_of(row, preferred)
            other = "b" if side == "a" else "a"
            choice = row["expected"] or (side if place % 3 else other)
            lines += [",".join((row["task_id"], person, *[choice] * 3)) for person in ("ann", "bob", "cem")]
    home.preferences.mkdir(parents=True, exist_ok=True)
    (home.preferences / name).write_text("\n".join(lines), encoding="utf-8")


def build_answers(home: Home) -> None:
    for domain in ("movie", "sticker"):
        materialise(home, ANSWERS, domain)
    materialise(home, ["preference_results"], None)


def result_of(home: Home, scope: str, question: str = "quality") -> dict[str, Any]:
    (row,) = [
        row
        for row in rows(home.root, "preference_results")
        if (row["scope"], row["question"], row["generator_a"]) == (scope, question, "amber")
        and (scope != "total" or row["generator_b"] == "birch")
    ]
    return row


def test_each_domain_is_asked_about_its_own_videos(home: Home) -> None:
    movie, sticker = (rows(home.root, "preference_tasks", domain) for domain in ("movie", "sticker"))
    assert (len(movie), len(sticker)) == (28, 12)
    assert {row["generator_b"] for row in sticker} | {row["generator_a"] for row in sticker} == {"amber", "cobalt"}
    assert {row["position"] for row in movie} == set(range(28))


def test_pairs_that_were_asked_about_stay_when_a_generator_comes(home: Home) -> None:
    before = {row["task_id"] for row in rows(home.root, "preference_tasks", "movie")}
    plant(home.root, "generated_videos", videos(("amber", "birch", "dune"), 24), "movie")
    materialise(home, TASKS)
    after = rows(home.root, "preference_tasks", "movie")
    assert before < {row["task_id"] for row in after}
    assert sum("dune" in (row["generator_a"], row["generator_b"]) and not row["expected"] for row in after) == 16


def test_answers_in_files_become_results_of_each_domain_and_of_all(home: Home) -> None:
    answer_all(home, "all.csv", "amber")
    build_answers(home)
    assert len(rows(home.root, "preferences", "movie")) == 28 * 3 * 3
    assert rows(home.root, "rejected_preferences", "movie") == []
    for scope in ("movie", "total"):
        assert result_of(home, scope)["pair_count"] == 24
    assert result_of(home, "sticker")["generator_b"] == "cobalt"
    movie = result_of(home, "movie")
    assert movie["prefers_a_count"] == 3 * sum(
        row["expected"] is None and place % 3 > 0
        for place, row in enumerate(rows(home.root, "preference_tasks", "movie"))
    )
    assert movie["strength_low"] < movie["strength"] < 0
    assert movie["agreement"] == 1.0


def test_files_that_say_something_else_are_news_and_the_same_files_are_not(home: Home) -> None:
    answer_all(home, "all.csv", "amber")
    build_answers(home)

    def built() -> dict[str, str]:
        warehouse = Warehouse(home.warehouse)
        tables = {name: warehouse.read(name, "movie") for name in ANSWERS}
        return {name: content_hash(table) for name, table in tables.items()}

    assert preference_versions(home, "movie") == built()
    (home.preferences / "more.csv").write_text("task_id,annotator_id,emotion,quality,prompt\nx,dan,a,a,a\n")
    now = preference_versions(home, "movie")
    assert now["preferences"] == built()["preferences"]
    assert now["rejected_preferences"] != built()["rejected_preferences"]


def test_new_files_of_answers_ask_for_the_tables_of_their_domain(home: Home) -> None:
    instance = dg.DagsterInstance.ephemeral()
    for domain in ("movie", "sticker"):
        materialise(home, ANSWERS, domain, instance)
    cursor: str | None = None

    def tick() -> dg.SensorResult:
        nonlocal cursor
        context = dg.build_sensor_context(cursor=cursor, instance=instance)
        answer = study_files(context, Project(home_folder=str(home.root)))
        cursor = answer.cursor
        return answer

    tick()
    assert tick().skip_reason is not None
    (row, *_) = rows(home.root, "preference_tasks", "sticker")
    path = home.preferences / "new.csv"
    path.parent.mkdir(parents=True)
    path.write_text(f"task_id,annotator_id,emotion,quality,prompt\n{row['task_id']},ann,a,b,tie\n", encoding="utf-8")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    tick()
    (request,) = tick().run_requests or []
    assert request.partition_key == "sticker"
    assert set(request.asset_selection or ()) == {dg.AssetKey(name) for name in ANSWERS}
    assert not tick().run_requests


def test_answers_that_are_all_excluded_give_a_result_that_says_by_which_rule(home: Home) -> None:
    lines = [",".join(("task_id", "annotator_id", *QUESTIONS))]
    for row in rows(home.root, "preference_tasks", "movie"):
        wrong = {"a": "b", "b": "a"}.get(row["expected"] or "", "tie")
        lines.append(",".join((row["task_id"], "ann", *[wrong] * 3)))
    home.preferences.mkdir(parents=True)
    (home.preferences / "ann.csv").write_text("\n".join(lines), encoding="utf-8")
    materialise(home, ANSWERS)
    instance = dg.DagsterInstance.ephemeral()
    materialise(home, ["preference_results"], None, instance)
    event = instance.get_latest_materialization_event(dg.AssetKey("preference_results"))
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["missing"].value == (
        "no answer counts: all 84 are excluded (attention_check of 1 person, failed_checks of 1 person; "
        "docs/study.md says by which rules)"
    )


def test_without_generated_videos_all_tables_are_empty(tmp_path: Path) -> None:
    plant(tmp_path, "generated_videos", [], "movie")
    home = Home(tmp_path)
    materialise(home, TASKS)
    materialise(home, ANSWERS)
    materialise(home, ["preference_results"], None)
    for table in (*TASKS, *ANSWERS, "preference_results"):
        assert rows(home.root, table) == []
