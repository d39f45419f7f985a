"""Simulated people who annotate the demo library, so that the annotation round trip can be shown.

Belongs here: their answers and the two files they are handed in as. Does not belong here: reading answers.

They answer from the known truth with errors; their ids begin with `simulated-` and the tool is `simulated`,
so that no statistic of theirs can pass for one of real people. An answer depends on the seed, the person, the
clip and the purpose alone: a library that grows keeps the answers it has.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from emovid_assets.core.emotions import EMOTION_BY_NAME, HUMAN_CHOICES, NO_SPECIFIC_EMOTION
from emovid_assets.core.placing import put_text
from emovid_assets.demo.chance import fraction_for
from emovid_assets.demo.truth import Truth

ANNOTATORS: Mapping[str, float] = {"simulated-1": -0.04, "simulated-2": 0.0, "simulated-3": 0.04}
"""The three people and how far each one's error rate lies from the common one."""

VISITOR = "simulated-visitor"
"""Hands in the answers that must not count."""

TOOL = "simulated"
LABEL_STUDIO_FILE = "simulated-label-studio.json"
STICKER_FILE = "simulated-stickers.csv"
STICKER_COLUMNS = ("clip_id", "purpose", "annotator_id", "label", "annotated_at", "tool")

_SAME_POLARITY_WEIGHT, _NO_EMOTION_WEIGHT, _OTHER_POLARITY_WEIGHT = 3.0, 1.5, 1.0
_FIRST_DAY = datetime(2026, 1, 1, 9, tzinfo=UTC)


def error_rate_of(annotator: str, error_rate: float) -> float:
    """Error rate of one person, in [0, 1]. Raises KeyError for a person who is not simulated."""
    return min(max(error_rate + ANNOTATORS[annotator], 0.0), 1.0)


def answer(
    annotator: str,
    clip_id: str,
    purpose: str,
    *,
    truth_emotion: str,
    intended_emotion: str | None,
    error_rate: float,
    seed: int,
) -> str:
    """One person's answer to one task.

    For purpose `verify`: `accept` where the intended emotion is the true one, `reject` otherwise. For every other
    purpose: the true emotion. With the person's error rate the answer is wrong: the opposite verdict, or
    another of the nine choices, an emotion of the same polarity three times as often as one of the other.
    """
    is_wrong = fraction_for(seed, "error", annotator, clip_id, purpose) < error_rate_of(annotator, error_rate)
    if purpose == "verify":
        return "accept" if (truth_emotion == intended_emotion) != is_wrong else "reject"
    if not is_wrong:
        return truth_emotion
    others = [choice for choice in HUMAN_CHOICES if choice != truth_emotion]
    weights = [_weight(choice, truth_emotion) for choice in others]
    left = fraction_for(seed, "choice", annotator, clip_id, purpose) * sum(weights)
    for choice, weight in zip(others, weights, strict=True):
        left -= weight
        if left < 0:
            return choice
    return others[-1]


def _weight(choice: str, truth_emotion: str) -> float:
    if choice == NO_SPECIFIC_EMOTION:
        return _NO_EMOTION_WEIGHT
    is_near = EMOTION_BY_NAME[choice].polarity == EMOTION_BY_NAME[truth_emotion].polarity
    return _SAME_POLARITY_WEIGHT if is_near else _OTHER_POLARITY_WEIGHT


def choose_annotators(clip_id: str, purpose: str, count: int, seed: int) -> list[str]:
    """The `count` people who see a task; who is left out depends on the task.

    Raises ValueError where more people are needed than there are.
    """
    if count > len(ANNOTATORS):
        raise ValueError(f"{count} annotators are needed but {len(ANNOTATORS)} are simulated; ask for fewer.")
    ranked = sorted(ANNOTATORS, key=lambda name: fraction_for(seed, "turn", name, clip_id, purpose))
    return sorted(ranked[:count])


def simulate_annotators(
    home: Path,
    tasks: Sequence[Mapping[str, Any]],
    clips: Sequence[Mapping[str, Any]],
    sources: Sequence[Mapping[str, Any]],
    truth: Truth,
    *,
    error_rate: float = 0.15,
    seed: int = 11,
) -> int:
    """Answer the tasks and hand the answers in below `library/annotations`; return their number.

    `tasks`, `clips`, `sources` are rows of `annotation_tasks`, `clips`, `source_videos`. Tasks on files that
    the demo did not make are left alone. Answers on movies and animations go to a Label Studio export, those
    on stickers to a CSV file. Each file also has a few answers that an import must reject (an unknown
    label, an unknown clip, in the CSV an unknown purpose as well); the returned number leaves them out.

    Raises KeyError where a task names a clip, or a clip a source, that is not given.
    """
    clip_by_id = {clip["clip_id"]: clip for clip in clips}
    path_by_source = {source["source_id"]: str(source["path"]) for source in sources}
    studio: list[dict[str, Any]] = []
    sticker_rows: list[dict[str, str]] = []
    written = 0
    for task in sorted(tasks, key=lambda row: (row["clip_id"], row["purpose"])):
        clip = clip_by_id[task["clip_id"]]
        path = path_by_source[clip["source_id"]].removeprefix("library/")
        if path not in truth.files:
            continue
        answers = _answers(task, truth.emotion_at(path, clip["start_s"], clip["end_s"]), error_rate, seed)
        written += len(answers)
        if task["domain"] == "sticker":
            sticker_rows.extend(answers)
        else:
            studio.append(_studio_task(answers))
    _add_bad_answers(studio, sticker_rows)
    folder = home / "library" / "annotations"
    folder.mkdir(parents=True, exist_ok=True)
    _number(studio)
    put_text(folder / LABEL_STUDIO_FILE, json.dumps(studio, indent=1))
    table = io.StringIO()
    writer = csv.DictWriter(table, STICKER_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(sticker_rows)
    put_text(folder / STICKER_FILE, table.getvalue())
    return written


def _answers(task: Mapping[str, Any], truth_emotion: str, error_rate: float, seed: int) -> list[dict[str, str]]:
    clip_id, purpose = str(task["clip_id"]), str(task["purpose"])
    return [
        _row(
            clip_id,
            purpose,
            annotator,
            answer(
                annotator,
                clip_id,
                purpose,
                truth_emotion=truth_emotion,
                intended_emotion=task["intended_emotion"],
                error_rate=error_rate,
                seed=seed,
            ),
            seed,
        )
        for annotator in choose_annotators(clip_id, purpose, int(task["required_annotators"]), seed)
    ]


def _row(clip_id: str, purpose: str, annotator: str, label: str, seed: int = 0) -> dict[str, str]:
    minutes = int(fraction_for(seed, "time", annotator, clip_id, purpose) * 60 * 24 * 28)
    return {
        "clip_id": clip_id,
        "purpose": purpose,
        "annotator_id": annotator,
        "label": label,
        "annotated_at": (_FIRST_DAY + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "tool": TOOL,
    }


def _studio_task(answers: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """A task as Label Studio exports it; ids are given by `_number`."""
    first = answers[0]
    return {
        "id": 0,
        "data": {
            "clip_id": first["clip_id"],
            "purpose": first["purpose"],
            "video": f"/data/local-files/?d=clips/{first['clip_id']}.mp4",
            "tool": TOOL,
        },
        "annotations": [_studio_annotation(row) for row in answers],
        "predictions": [],
    }


def _studio_annotation(row: Mapping[str, str]) -> dict[str, Any]:
    people = [*ANNOTATORS, VISITOR]
    return {
        "id": 0,
        "completed_by": {"id": people.index(row["annotator_id"]) + 1, "email": row["annotator_id"]},
        "result": [
            {
                "id": "",
                "from_name": "emotion",
                "to_name": "video",
                "type": "choices",
                "value": {"choices": [row["label"]]},
            }
        ],
        "was_cancelled": False,
        "created_at": row["annotated_at"],
        "updated_at": row["annotated_at"],
        "lead_time": round(2 + 18 * fraction_for(0, "lead", row["annotator_id"], row["clip_id"]), 1),
    }


def _number(studio: Sequence[dict[str, Any]]) -> None:
    annotation_id = 0
    for task_id, task in enumerate(studio, start=1):
        task["id"] = task_id
        for annotation in task["annotations"]:
            annotation_id += 1
            annotation["id"] = annotation_id
            for result in annotation["result"]:
                result["id"] = f"r{annotation_id}"


def _add_bad_answers(studio: list[dict[str, Any]], sticker_rows: list[dict[str, str]]) -> None:
    _add_bad(
        [task["data"]["clip_id"] for task in studio], "movie-0000000000000000-00000000-00005000", "label",
        lambda row: studio.append(_studio_task([row])),
    )  # fmt: skip
    _add_bad(
        [row["clip_id"] for row in sticker_rows], "sticker-0000000000000000-00000000-00001000", "verify",
        sticker_rows.append,
    )  # fmt: skip
    if sticker_rows:
        sticker_rows.append(_row(sticker_rows[0]["clip_id"], "guess", VISITOR, "accept"))


def _add_bad(clip_ids: Sequence[str], unknown_clip: str, purpose: str, add: Callable[[dict[str, str]], None]) -> None:
    """A label outside the vocabulary and an answer on a clip that does not exist; nothing where there is no answer."""
    if clip_ids:
        add(_row(clip_ids[0], purpose, VISITOR, "joy"))
        add(_row(unknown_clip, purpose, VISITOR, "accept" if purpose == "verify" else "awe"))
