"""Answers about pairs of videos: reading the files that people drop in.

Belongs here: the file formats (our CSV; Label Studio's JSON, JSON-MIN and CSV), a row to answers. Does not belong here:
which answers count (`preference_answers`), and where the files lie.

No input raises. What cannot be read becomes a `Rejected` with a stable reason and a sentence that says where it stands
and what to do, as for answers about clips (`core.annotations`). Each row or annotation answers all three questions of
a pair: it yields an answer or a rejection a question, or a single rejection where nothing of it can be used.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from emovid_assets.core.answer_cells import (
    UnreadableError,
    annotator_of,
    by_our_names,
    choices_in,
    hidden,
    seconds_of,
    shown,
    shown_path,
    table_in,
    tasks_in,
    text_of,
    time_of,
    usual_tool,
)
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.filled_tables import Columns
from emovid_assets.core.generation.study_pairs import QUESTIONS
from emovid_assets.core.plain_text import quoted
from emovid_assets.core.pseudonyms import Pseudonyms

WHOLE_ROW = "all"
"""In place of a question, where a rejection is of all of them."""
NOT_ANSWERED = "not_answered"
REQUIRED_COLUMNS = ("task_id", "annotator_id", *QUESTIONS)
COLUMNS = Columns(
    {
        "task_id": (),
        # Behind ours, the names that Label Studio gives its CSV and JSON-MIN.
        "annotator_id": ("annotator", "completed_by"),
        **dict.fromkeys(QUESTIONS, ()),
        "answered_at": ("updated_at", "created_at"),
        "lead_time_s": ("lead_time",),
        "tool": (),
        # For the person who fills in, and Label Studio's own.
        **dict.fromkeys(("left", "right", "left_fps", "right_fps", "text", "asked_emotion"), ()),
        **dict.fromkeys(("id", "annotation_id"), ()),
    },
    key="task_id",
    key_form=re.compile(rf"(?:{'|'.join(DOMAINS)})-pair-[0-9a-f]{{16}}"),
)


@dataclass(frozen=True)
class Answer:
    """One answer to one question as written. Texts are empty where missing; `answered_at` carries a zone.

    `lead_time_s`: how long the person took for the three questions of the pair together; null where that is not known.
    """

    file_path: str
    row_number: int
    task_id: str
    annotator_id: str
    question: str
    choice: str
    answered_at: datetime | None = None
    tool: str = "csv"
    lead_time_s: float | None = None
    place: str = field(default="", compare=False)
    """Where it stands in the file, in words."""

    def rejected(self, reason: str, message: str) -> "Rejected":
        message = f"{self.place}: {message}" if self.place else message
        return Rejected(
            self.file_path,
            self.row_number,
            shown(self.task_id),
            shown(self.annotator_id),
            self.question,
            shown(self.choice),
            reason,
            message,
        )


@dataclass(frozen=True)
class Rejected:
    """An answer that does not count, or a file that cannot be read (row 0). Texts are cut to 200 characters."""

    file_path: str
    row_number: int
    task_id: str | None
    annotator_id: str | None
    question: str
    choice: str | None
    reason: str
    message: str


@dataclass
class _Outcome:
    answers: list[Answer] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


def read_preferences(
    content: bytes, display_path: str, people: Pseudonyms | None = None
) -> tuple[list[Answer], list[Rejected]]:
    """Answers in the bytes of a `.csv` or Label Studio `.json` file; `display_path` is the name that the tables show.

    CSV: header `task_id,annotator_id,emotion,quality,prompt[,answered_at][,lead_time_s][,tool]` in any order, as
    `filled_tables` reads it; the questions' cells hold `a` (left), `b` (right) or `tie`. JSON: Label Studio's "JSON"
    export, whose `data` holds task_id, or its "JSON-MIN". Times are ISO 8601, in UTC where they name no zone. Rows
    count from 1, in CSV from the line below the header. `people`: what stands for the addresses of annotators.
    """
    readers = {".csv": _read_csv, ".json": _read_label_studio}
    reader = readers.get(Path(display_path).suffix.lower())
    display_path = shown_path(display_path, people)
    try:
        if reader is None:
            raise UnreadableError("Only .csv and .json files are read: export the answers in one of these formats.")
        if not content.strip():
            raise UnreadableError("The file is empty: export the answers again, or hand in the file that has them.")
        outcome = reader(content, display_path, people)
    except UnreadableError as error:
        return [], [_of_file(display_path, "unreadable_file", hidden(str(error), people))]
    # Messages quote names of columns and cells that belong into other columns.
    return outcome.answers, [replace(one, message=hidden(one.message, people)) for one in outcome.rejected]


def _of_file(display_path: str, reason: str, message: str) -> Rejected:
    return Rejected(display_path, 0, None, None, WHOLE_ROW, None, reason, message)


def _read_csv(content: bytes, display_path: str, people: Pseudonyms | None) -> _Outcome:
    table = table_in(content, COLUMNS, REQUIRED_COLUMNS, "emovid study export")
    outcome, tool = _Outcome(), usual_tool(table)
    if table.remarks:
        outcome.rejected.append(_of_file(display_path, "unknown_column", f"{'; '.join(table.remarks)}."))
    for row_number, row in enumerate(table.rows, start=1):
        if row.is_blank:
            continue
        whole = _whole(row.cells, display_path, row_number, f"line {row.line}", tool, people)
        if row.fault:
            message = f"The row cannot be read: {row.fault}."
            outcome.rejected.append(replace(whole, place="").rejected("bad_row", message))
        elif row.is_short:
            message = "The row has fewer cells than the header has: are separators missing? Add them, or fill it in."
            outcome.rejected.append(whole.rejected("bad_row", message))
        else:
            _add(outcome, whole, row.cells, people)
    return outcome


def _read_label_studio(content: bytes, display_path: str, people: Pseudonyms | None) -> _Outcome:
    outcome = _Outcome()
    for row_number, (data, annotation) in enumerate(_annotations_of(tasks_in(content)), start=1):
        is_flat = annotation is None and "task_id" in data
        values = by_our_names(data, COLUMNS)
        if isinstance(annotation, dict):
            # What was asked may bear the name of a question.
            values |= {**dict.fromkeys(QUESTIONS), **_choices_of(annotation.get("result"))}
            values["annotator_id"] = annotation.get("completed_by")
            values["answered_at"] = annotation.get("updated_at") or annotation.get("created_at")
            values["lead_time_s"] = annotation.get("lead_time")
        place = f"annotation {row_number}"
        whole = _whole(values, display_path, row_number, place, "label-studio", people)
        if not (is_flat or isinstance(annotation, dict)):
            message = "The task has neither a `data` object with an `annotations` list nor a `task_id` with choices."
            outcome.rejected.append(whole.rejected("bad_row", message))
        elif annotation and annotation.get("was_cancelled"):
            message = "The person skipped this pair: ask again, or let somebody else answer."
            outcome.rejected.append(whole.rejected("cancelled", message))
        else:
            _add(outcome, whole, values, people)
    return outcome


def _annotations_of(tasks: list[Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    """Each annotation with its task's data; a row of JSON-MIN, and what is no task, come as (what is known, None)."""
    for task in tasks:
        data = task.get("data") if isinstance(task, dict) else None
        annotations = task.get("annotations") if isinstance(task, dict) else None
        if isinstance(data, dict) and isinstance(annotations, list):
            # An annotation that is no object comes as an empty one: nothing is answered in it.
            yield from ((data, one if isinstance(one, dict) else {}) for one in annotations)
        else:
            is_row = isinstance(task, dict) and not {"data", "annotations"} & task.keys()
            yield task if is_row else {}, None


def _choices_of(result: Any) -> dict[str, str]:
    """By question what was chosen, with commas between where it is more than one."""
    chosen: dict[str, list[str]] = {}
    for name, choices in choices_in(result):
        if name in QUESTIONS:
            chosen.setdefault(name, []).extend(choices)
    return {name: ", ".join(choices) for name, choices in chosen.items()}


def _whole(
    values: Mapping[str, Any], display_path: str, row_number: int, place: str, tool: str, people: Pseudonyms | None
) -> Answer:
    return Answer(
        display_path,
        row_number,
        task_id=text_of(values.get("task_id"), people),
        annotator_id=annotator_of(values.get("annotator_id"), people),
        question=WHOLE_ROW,
        choice="",
        tool=text_of(values.get("tool"), people) or tool,
        place=place,
    )


def _add(outcome: _Outcome, whole: Answer, values: Mapping[str, Any], people: Pseudonyms | None) -> None:
    """Adds the three answers of a row with their times, and a remark for each time that cannot be read."""
    written = {name: text_of(values.get(name), people) for name in QUESTIONS}
    if not any(written.values()):
        outcome.rejected.append(whole.rejected(NOT_ANSWERED, "Nobody has answered here yet."))
        return
    try:
        whole = replace(whole, answered_at=time_of(values.get("answered_at")))
    except (ValueError, OverflowError):
        form = "no time: write it like 2026-11-20T10:00:00Z. The answers count, as older than those with a time"
        outcome.rejected.append(_remark(whole, values, "answered_at", "bad_timestamp", form))
    try:
        whole = replace(whole, lead_time_s=seconds_of(values.get("lead_time_s")))
    except (ValueError, OverflowError):
        form = "not a number of seconds, 0 or more. The answers count, and how long they took is unknown"
        outcome.rejected.append(_remark(whole, values, "lead_time_s", "bad_lead_time", form))
    for question, choice in written.items():
        answer = replace(whole, question=question, choice=choice)
        if choice:
            outcome.answers.append(answer)
        else:
            message = f"`{question}` is empty beside other answers: fill it in, or leave all three empty."
            outcome.rejected.append(answer.rejected(NOT_ANSWERED, message))


def _remark(whole: Answer, values: Mapping[str, Any], name: str, reason: str, form: str) -> Rejected:
    return whole.rejected(reason, f"`{name}` is '{quoted(text_of(values.get(name)))}', {form}.")
