"""What people said changes the next plan: reviews of the benchmark, disagreements, and answers that wait for others."""

from pathlib import Path
from typing import Any

import pytest

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets_tests.assets.homes import Demo, build, copy_of, errors_of, rows
from emovid_assets_tests.planted_tables import plant, valid_row

pytestmark = pytest.mark.integration

CLIPS = [f"movie-00000000000000aa-{start:08d}-{start + 5000:08d}" for start in (0, 5000, 10000)]
PLAN = "key:annotation_tasks"
ANSWERS = "key:human_annotations or key:rejected_annotations or key:human_labels"


def built(home: Path, selection: str) -> None:
    assert errors_of(build(home, domains=["movie"], selection=selection)) == []


def answer_file(home: Path, name: str, answers: list[tuple[str, str, str, str]]) -> None:
    """Rows of (clip id, purpose, annotator, label)."""
    folder = home / "library" / "annotations"
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["clip_id,purpose,annotator_id,label", *(",".join(answer) for answer in answers)]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def planned(home: Path, purpose: str) -> dict[str, int]:
    return {
        row["clip_id"]: row["required_annotators"]
        for row in rows(home, "annotation_tasks", "movie")
        if row["purpose"] == purpose
    }


def labels(home: Path) -> dict[str, tuple[Any, ...]]:
    return {
        row["clip_id"]: (row["outcome"], row["emotion"], row["annotator_count"])
        for row in rows(home, "human_labels", "movie")
    }


def reasons(home: Path) -> dict[tuple[str, str], str]:
    return {(row["clip_id"], row["annotator_id"]): row["reason"] for row in rows(home, "rejected_annotations", "movie")}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Three movie clips, all of which three people label, and a fourth person where they disagree."""
    plant(tmp_path, "source_videos", [valid_row("source_videos", 0, source_id="movie-00000000000000aa")])
    plant(
        tmp_path,
        "clips",
        [valid_row("clips", 0, clip_id=name, source_id="movie-00000000000000aa") for name in CLIPS],
    )
    settings = (
        "[annotation]\nhuman_fraction = 1.0\nvalidation_minimum = 0\nvalidation_fraction = 0\nadjudicate = true\n"
    )
    (tmp_path / "emovid.toml").write_text(settings, encoding="utf-8")
    return tmp_path


def test_a_disagreement_goes_to_a_fourth_person_and_is_no_majority_until_then(home: Path) -> None:
    built(home, f"{PLAN} or {ANSWERS}")
    assert planned(home, "label") == dict.fromkeys(CLIPS, 3)
    votes = {CLIPS[0]: ("fear", "awe", "anger"), CLIPS[1]: ("fear", "fear", "awe"), CLIPS[2]: ("fear", "awe")}
    answer_file(
        home,
        "first.csv",
        [(clip, "label", who, said) for clip, given in votes.items() for who, said in zip("abc", given, strict=False)],
    )
    before = {CLIPS[0]: ("no_majority", None, 3), CLIPS[1]: ("agreed", "fear", 3)}
    built(home, f"{PLAN} or {ANSWERS}")
    assert labels(home) == before
    assert reasons(home) == {(CLIPS[2], "a"): "too_few_annotators", (CLIPS[2], "b"): "too_few_annotators"}
    assert len(rows(home, "human_annotations", "movie")) == 8
    # The plan came before the labels: the queue is that of the next build.
    assert planned(home, "label") == dict.fromkeys(CLIPS, 3)
    built(home, f"{PLAN} or {ANSWERS}")
    assert planned(home, "label") == {CLIPS[0]: 4, CLIPS[1]: 3, CLIPS[2]: 3}
    assert labels(home) == before
    assert len(reasons(home)) == 2

    answer_file(home, "second.csv", [(CLIPS[0], "label", "d", "awe"), (CLIPS[2], "label", "c", "fear")])
    for _ in range(2):
        built(home, f"{PLAN} or {ANSWERS}")
        assert labels(home) == {**before, CLIPS[0]: ("agreed", "awe", 4), CLIPS[2]: ("agreed", "fear", 3)}
        assert planned(home, "label") == {CLIPS[0]: 4, CLIPS[1]: 3, CLIPS[2]: 3}
        assert reasons(home) == {}


def test_a_disagreement_that_nobody_adjudicates_stays_no_majority(home: Path) -> None:
    (home / "emovid.toml").write_text("[annotation]\nhuman_fraction = 1.0\n", encoding="utf-8")
    built(home, PLAN)
    answer_file(
        home, "a.csv", [(CLIPS[0], "label", who, said) for who, said in zip("abc", EMOTION_NAMES, strict=False)]
    )
    for _ in range(2):
        built(home, f"{PLAN} or {ANSWERS}")
    assert labels(home) == {CLIPS[0]: ("no_majority", None, 3)}
    assert planned(home, "label")[CLIPS[0]] == 3


def test_the_benchmark_is_reviewed_and_a_clip_that_the_review_contradicts_leaves_it(demo: Demo, tmp_path: Path) -> None:
    home = copy_of(demo.home, tmp_path / "home")

    def benchmark() -> dict[str, str]:
        split = rows(home, "benchmark_split", "movie")
        return {row["clip_id"]: row["emotion"] for row in split if row["split"] == "benchmark"}

    before = benchmark()
    assert len(before) >= 4
    assert planned(home, "review") == {}
    built(home, PLAN)
    assert planned(home, "review") == dict.fromkeys(before, 1)

    contradicted, *confirmed = sorted(before)
    other = next(name for name in EMOTION_NAMES if name != before[contradicted])
    answer_file(
        home,
        "reviews.csv",
        [(contradicted, "review", "zoe", other), *((name, "review", "zoe", before[name]) for name in confirmed)],
    )
    built(home, f"{ANSWERS} or key:benchmark_split")
    after = benchmark()
    assert {name: after.get(name) for name in before} == {**before, contradicted: None}
    split = {row["clip_id"]: row["split"] for row in rows(home, "benchmark_split", "movie")}
    assert split[contradicted] == "unused"
    assert sorted(split) == sorted(row["clip_id"] for row in rows(home, "emotion_labels", "movie"))

    # What took its place is reviewed next; the review that is out stays.
    built(home, PLAN)
    assert planned(home, "review") == dict.fromkeys({*before, *after}, 1)
