import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from emovid_assets.core.emotions import EMOTION_BY_NAME, EMOTION_NAMES, HUMAN_CHOICES
from emovid_assets.demo.annotators import (
    ANNOTATORS,
    LABEL_STUDIO_FILE,
    STICKER_FILE,
    VISITOR,
    answer,
    choose_annotators,
    error_rate_of,
    simulate_annotators,
)
from emovid_assets.demo.truth import Span, Truth

Rows = list[dict[str, Any]]


def _warehouse(count: int) -> tuple[Rows, Rows, Rows, Truth]:
    """`count` movie clips to label, as many stickers to verify, half of them filed under a wrong emotion."""
    tasks, clips, sources = [], [], []
    truth = Truth("full", 7)
    for index in range(count):
        emotion = EMOTION_NAMES[index % 8]
        intended = emotion if index % 2 else EMOTION_NAMES[(index + 3) % 8]
        for domain, purpose, needed in (("movie", "label", 3), ("sticker", "verify", 1)):
            source_id = f"{domain}-{index + 1:016x}"
            path = f"{domain}/{index}.mp4"
            clip_id = f"{source_id}-00000000-00005000"
            truth.files[path] = [Span(0.0, 5.0, emotion)]
            sources.append({"source_id": source_id, "path": f"library/{path}"})
            clips.append({"clip_id": clip_id, "source_id": source_id, "start_s": 0.0, "end_s": 5.0})
            tasks.append(
                {
                    "clip_id": clip_id,
                    "domain": domain,
                    "purpose": purpose,
                    "required_annotators": needed,
                    "intended_emotion": intended if domain == "sticker" else None,
                }
            )
    return tasks, clips, sources, truth


def _studio(home: Path) -> list[dict[str, Any]]:
    return json.loads((home / "library" / "annotations" / LABEL_STUDIO_FILE).read_text(encoding="utf-8"))


def _sticker_rows(home: Path) -> list[dict[str, str]]:
    with (home / "library" / "annotations" / STICKER_FILE).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _studio_answers(home: Path) -> dict[tuple[str, str, str], str]:
    return {
        (
            task["data"]["clip_id"],
            task["data"]["purpose"],
            annotation["completed_by"]["email"],
        ): annotation["result"][0]["value"]["choices"][0]
        for task in _studio(home)
        for annotation in task["annotations"]
    }


def test_each_person_errs_as_often_as_their_rate_says(tmp_path: Path) -> None:
    tasks, clips, sources, truth = _warehouse(2000)
    written = simulate_annotators(tmp_path, tasks, clips, sources, truth)
    assert written == 2000 * 3 + 2000
    wrong: Counter[str] = Counter()
    emotion_of = {clip["clip_id"]: EMOTION_NAMES[index // 2 % 8] for index, clip in enumerate(clips)}
    for (clip_id, _, person), label in _studio_answers(tmp_path).items():
        if person != VISITOR:
            wrong[person] += label != emotion_of[clip_id]
    # Four standard deviations of a binomial share with n = 2000, p = 0.15 are 0.032.
    for person, offset in ANNOTATORS.items():
        assert wrong[person] / 2000 == pytest.approx(0.15 + offset, abs=0.032)


def test_stickers_are_accepted_where_the_intention_is_true_but_for_the_error_rate(tmp_path: Path) -> None:
    tasks, clips, sources, truth = _warehouse(2000)
    simulate_annotators(tmp_path, tasks, clips, sources, truth)
    label_of = {row["clip_id"]: row["label"] for row in _sticker_rows(tmp_path) if row["annotator_id"] != VISITOR}
    right = sum(
        (label_of[task["clip_id"]] == "accept") == (index % 2 == 1)
        for index, task in enumerate(task for task in tasks if task["domain"] == "sticker")
    )
    assert len(label_of) == 2000
    assert right / 2000 == pytest.approx(0.85, abs=0.032)


def test_errors_prefer_the_same_polarity_and_reach_all_nine_choices() -> None:
    answers = [
        answer("simulated-2", f"c{index}", "label", truth_emotion="fear", intended_emotion=None, error_rate=1.0, seed=1)
        for index in range(4000)
    ]
    counts = Counter(answers)
    assert set(counts) == set(HUMAN_CHOICES) - {"fear"}
    near = sum(
        n for name, n in counts.items() if name in EMOTION_NAMES and EMOTION_BY_NAME[name].polarity == "negative"
    )
    # Weights: three of the same polarity at 3, four of the other at 1, none at 1.5.
    assert near / 4000 == pytest.approx(9 / 14.5, abs=0.03)
    assert counts["no_specific_emotion"] / 4000 == pytest.approx(1.5 / 14.5, abs=0.02)


def test_a_growing_library_keeps_its_answers(tmp_path: Path) -> None:
    tasks, clips, sources, truth = _warehouse(40)
    simulate_annotators(tmp_path / "small", tasks[:20], clips, sources, truth)
    simulate_annotators(tmp_path / "large", tasks[::-1], clips[::-1], sources, truth)
    before, after = _studio_answers(tmp_path / "small"), _studio_answers(tmp_path / "large")
    assert len(before) < len(after)
    real = {key: label for key, label in before.items() if key[2] != VISITOR}
    assert real == {key: after[key] for key in real}


def test_the_export_has_the_shape_of_label_studio(tmp_path: Path) -> None:
    simulate_annotators(tmp_path, *_warehouse(3))
    export = _studio(tmp_path)
    task = export[0]
    assert [task["id"] for task in export] == list(range(1, len(export) + 1))
    assert set(task["data"]) == {"clip_id", "purpose", "video", "tool"}
    assert task["data"]["tool"] == "simulated"
    assert [a["completed_by"] for a in task["annotations"]] == [
        {"id": number, "email": f"simulated-{number}"} for number in (1, 2, 3)
    ]
    result = task["annotations"][0]["result"][0]
    assert (result["from_name"], result["to_name"], result["type"]) == ("emotion", "video", "choices")
    assert result["value"]["choices"][0] in HUMAN_CHOICES
    ids = [annotation["id"] for task in export for annotation in task["annotations"]]
    assert ids == list(range(1, len(ids) + 1))


def test_a_few_answers_are_there_to_be_rejected(tmp_path: Path) -> None:
    tasks, clips, sources, truth = _warehouse(5)
    simulate_annotators(tmp_path, tasks, clips, sources, truth)
    known = {clip["clip_id"] for clip in clips}
    bad = {key: label for key, label in _studio_answers(tmp_path).items() if key[2] == VISITOR}
    assert sorted(bad.values()) == ["awe", "joy"]
    assert sum(key[0] not in known for key in bad) == 1
    rows = [row for row in _sticker_rows(tmp_path) if row["annotator_id"] == VISITOR]
    assert [(row["clip_id"] in known, row["purpose"], row["label"]) for row in rows] == [
        (True, "verify", "joy"),
        (False, "verify", "accept"),
        (True, "guess", "accept"),
    ]


def test_without_tasks_the_files_are_empty_but_there(tmp_path: Path) -> None:
    assert simulate_annotators(tmp_path, [], [], [], Truth("small", 7)) == 0
    assert _studio(tmp_path) == []
    assert _sticker_rows(tmp_path) == []


def test_files_that_the_demo_did_not_make_are_left_alone(tmp_path: Path) -> None:
    tasks, clips, sources, _ = _warehouse(3)
    assert simulate_annotators(tmp_path, tasks, clips, sources, Truth("small", 7)) == 0


def test_single_tasks_are_shared_among_the_people_and_more_than_three_is_refused() -> None:
    turns = Counter(choose_annotators(f"clip-{index}", "verify", 1, 11)[0] for index in range(900))
    assert set(turns) == set(ANNOTATORS)
    assert min(turns.values()) > 240
    with pytest.raises(ValueError, match="ask for fewer"):
        choose_annotators("clip-1", "label", 4, 11)


def test_error_rates_stay_within_zero_and_one() -> None:
    assert error_rate_of("simulated-1", 0.0) == 0.0
    assert error_rate_of("simulated-3", 1.0) == 1.0
