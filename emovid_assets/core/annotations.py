"""Answers that people drop into the library: reading the files, and deciding which answers count.

Belongs here: the two file formats (our CSV, Label Studio's JSON export), the vocabulary check, one answer a person.
Does not belong here: the vote over the answers (`voting`), and where the files lie.

No input raises. Whatever cannot count becomes a `Rejected` with a stable reason and a sentence that says what to do.
An annotation tool is not trusted: Label Studio's server accepts labels that its configuration does not have, and
several annotations by one person.

A person is the annotator_id, letter for letter. Label Studio names a person by e-mail address or, where the export has
none, by number; nothing here can know that `7` and `ann@example.org` are one person, so their answers count as those of
two. Whoever collects answers keeps to one of the two.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emovid_assets.core import csv_text
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import HUMAN_CHOICES, VERIFY_CHOICES
from emovid_assets.core.identity import domain_of
from emovid_assets.core.voting import REQUIRED_ANSWERS, needed_answers

Row = dict[str, Any]

CHOICES_BY_PURPOSE: dict[str, tuple[str, ...]] = {
    "label": HUMAN_CHOICES,
    "verify": VERIFY_CHOICES,
    "validate": HUMAN_CHOICES,
    "review": HUMAN_CHOICES,
}
DEFAULT_PURPOSE = "label"
TOO_FEW = "too_few_annotators"
"""The reason of answers that are accepted and wait: the only one that does not exclude an answer."""
REQUIRED_COLUMNS = ("clip_id", "annotator_id", "label")
LABEL_STUDIO_CONTROLS = ("emotion", "verification")
"""`from_name` of the result that holds the answer."""

_EARLIEST_YEAR, _LATEST_YEAR = 1970, 2261  # pandas counts nanoseconds and ends in 2262
_SHOWN_LENGTH = 200


@dataclass(frozen=True)
class Answer:
    """One answer as written. Texts are empty where missing; `annotated_at` carries a zone.

    `lead_time_s` is how long the person took, in seconds; null where that is not known. In Label Studio it grows
    with every later change of the answer.
    """

    file_path: str
    row_number: int
    clip_id: str
    purpose: str
    annotator_id: str
    label: str
    annotated_at: datetime | None = None
    tool: str = "csv"
    lead_time_s: float | None = None

    def rejected(self, reason: str, message: str) -> "Rejected":
        return Rejected(
            self.file_path,
            self.row_number,
            _shown(self.clip_id),
            _shown(self.annotator_id),
            _shown(self.purpose),
            _shown(self.label),
            reason,
            message,
        )


@dataclass(frozen=True)
class Rejected:
    """An answer that does not count, or a file that cannot be read (row 0). Texts are cut to 200 characters."""

    file_path: str
    row_number: int
    clip_id: str | None
    annotator_id: str | None
    purpose: str | None
    label: str | None
    reason: str
    message: str


@dataclass
class _Outcome:
    answers: list[Answer] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


class _UnreadableError(Exception):
    """The file as a whole cannot be used; the message says what to do."""


def read_annotation_file(path: Path, display_path: str) -> tuple[list[Answer], list[Rejected]]:
    """Answers of one `.csv` or Label Studio `.json` file; `display_path` is the name that the tables show.

    CSV: header `clip_id,purpose,annotator_id,label[,annotated_at][,tool][,lead_time_s]` in any order, `purpose`
    optional; UTF-8. JSON: Label Studio's "JSON" export; `data` holds clip_id and optionally purpose and tool. Times are
    ISO 8601, in UTC where they name no zone. A lead time that is no number of seconds is unknown: a
    wrong stopwatch says nothing against the answer. Each row or annotation yields exactly one answer or one
    rejection; rows count from 1, in CSV from the line below the header.
    """
    display_path = _text(display_path)
    try:
        outcome = _read(path, display_path)
    except _UnreadableError as error:
        return [], [Rejected(display_path, 0, None, None, None, None, "unreadable_file", str(error))]
    return outcome.answers, outcome.rejected


def accept_answers(
    answers: Iterable[Answer],
    *,
    domain: str,
    known_clip_ids: set[str],
    rejected: Iterable[Rejected] = (),
    tasks: Iterable[Mapping[str, Any]] | None = None,
    label_annotators: int = REQUIRED_ANSWERS,
) -> tuple[list[Row], list[Row]]:
    """Rows of `human_annotations` and of `rejected_annotations` for one domain.

    Answers and rejections of all domains may be passed: those of other domains are passed over, and those whose
    clip id names no domain (unreadable files too) belong to the first of `DOMAINS`, so that over all domains each
    is kept exactly once. Of several valid answers by one person to one clip and purpose the latest counts; equal
    times go by file name, then row, and no time is earlier than any.

    With `tasks` (rows of `annotation_tasks`), an accepted answer that nothing follows from yet, because fewer people
    than needed have answered, has a row among the rejected too, with the reason `too_few_annotators`. It is
    accepted all the same and counts as soon as the others have answered (`voting.needed_answers`).
    """
    refused = [one for one in rejected if _partition_of(one.clip_id) == domain]
    valid: dict[tuple[str, str, str], list[Answer]] = defaultdict(list)
    for answer in answers:
        if _partition_of(answer.clip_id) != domain:
            continue
        fault = _fault(answer, known_clip_ids)
        if fault:
            refused.append(answer.rejected(*fault))
        else:
            valid[answer.clip_id, answer.purpose, answer.annotator_id].append(answer)

    accepted: list[Row] = []
    counted: dict[tuple[str, str], list[Answer]] = defaultdict(list)
    for repeats in valid.values():
        *older, latest = sorted(repeats, key=_age_order)
        counted[latest.clip_id, latest.purpose].append(latest)
        refused += [answer.rejected("superseded", _superseded_message(answer, latest)) for answer in older]
        accepted.append(
            {
                "clip_id": latest.clip_id,
                "domain": domain,
                "purpose": latest.purpose,
                "annotator_id": latest.annotator_id,
                "label": latest.label,
                "annotated_at": latest.annotated_at,
                "tool": latest.tool,
                "lead_time_s": latest.lead_time_s,
            }
        )
    if tasks is not None:
        tasks_by_key = {(task["clip_id"], task["purpose"]): task for task in tasks}
        for key, given in counted.items():
            needed = needed_answers(key[1], tasks_by_key.get(key), label_annotators=label_annotators)
            if len(given) < needed:
                refused += [answer.rejected(TOO_FEW, _too_few_message(len(given), needed)) for answer in given]
    return accepted, [{"domain": domain, **vars(one)} for one in refused]


def _partition_of(clip_id: str | None) -> str:
    return domain_of(clip_id or "") or DOMAINS[0]


def _fault(answer: Answer, known_clip_ids: set[str]) -> tuple[str, str] | None:
    """Reason and message why the answer cannot count; None where it can."""
    if answer.clip_id not in known_clip_ids:
        return "unknown_clip", (
            f"No clip has the id '{_shown(answer.clip_id) or ''}': "
            "correct the id, or build the clips first if the library has changed."
        )
    choices = CHOICES_BY_PURPOSE.get(answer.purpose)
    if choices is None:
        return "unknown_purpose", (
            f"'{_shown(answer.purpose) or ''}' is no purpose: use one of {', '.join(CHOICES_BY_PURPOSE)}."
        )
    if not answer.annotator_id:
        return "missing_annotator", "Nobody is named as the annotator: fill in annotator_id, the same for each person."
    if answer.label not in choices:
        return "unknown_label", (
            f"'{_shown(answer.label) or ''}' is no answer to purpose '{answer.purpose}': "
            f"use one of {', '.join(choices)}."
        )
    return None


def _age_order(answer: Answer) -> tuple[datetime, str, int]:
    return answer.annotated_at or datetime.min.replace(tzinfo=UTC), answer.file_path, answer.row_number


def _too_few_message(given: int, needed: int) -> str:
    missing = needed - given
    return (
        f"{given} of {needed} people have answered: {missing} more {'has' if missing == 1 else 'have'} to. "
        "The answer is kept and counts then; nothing follows from it yet."
    )


def _superseded_message(older: Answer, latest: Answer) -> str:
    place = f"row {latest.row_number} of {latest.file_path}"
    if (older.label, older.annotated_at) == (latest.label, latest.annotated_at):
        return f"The same answer stands in {place}, which counts: nothing needs to be done."
    return f"{_shown(older.annotator_id)} answered again in {place}, which counts: remove that one to restore this."


def _read(path: Path, display_path: str) -> _Outcome:
    readers = {".csv": _read_csv, ".json": _read_label_studio}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise _UnreadableError("Only .csv and .json files are read: export the answers in one of these formats.")
    try:
        return reader(path.read_bytes(), display_path)
    except OSError as error:
        raise _UnreadableError(
            f"The file cannot be opened ({error.strerror}): check that it is a readable file."
        ) from error


def _read_csv(content: bytes, display_path: str) -> _Outcome:
    table = csv_text.read_bytes(content)
    written, broken = dict(table), {fault.line: fault.message for fault in table.faults}
    if broken and not written:
        raise _UnreadableError(f"The CSV cannot be read: {table.faults[0].message}.")
    header = [name.strip().lower() for name in table.header]
    missing = [name for name in REQUIRED_COLUMNS if header.count(name) != 1]
    if missing:
        raise _UnreadableError(
            f"The header must name {', '.join(missing)} exactly once: begin a comma-separated file with "
            "clip_id,purpose,annotator_id,label,annotated_at,tool,lead_time_s."
        )
    outcome = _Outcome()
    for row_number, line in enumerate(sorted({*written, *broken}), start=1):
        cells = written.get(line, [])
        if line not in broken and not any(cell.strip() for cell in cells):
            continue
        values = {name: _text(cell) for name, cell in zip(header, cells, strict=False)}
        answer = Answer(
            display_path,
            row_number,
            clip_id=values.get("clip_id", ""),
            purpose=values.get("purpose") or DEFAULT_PURPOSE,
            annotator_id=values.get("annotator_id", ""),
            label=values.get("label", ""),
            tool=values.get("tool") or "csv",
            lead_time_s=_seconds(values.get("lead_time_s")),
        )
        if line in broken:
            outcome.rejected.append(answer.rejected("bad_row", f"The row cannot be read: {broken[line]}."))
        elif len(cells) != len(header):
            message = f"The row has {len(cells)} fields where the header has {len(header)}: correct the commas."
            outcome.rejected.append(answer.rejected("bad_row", message))
        else:
            _add_with_time(outcome, answer, values.get("annotated_at"))
    return outcome


def _read_label_studio(content: bytes, display_path: str) -> _Outcome:
    try:
        tasks = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _UnreadableError("The file is not UTF-8 text: save it again as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise _UnreadableError("The file is not valid JSON: export it from Label Studio again.") from error
    if not isinstance(tasks, list):
        raise _UnreadableError("The file is not a list of tasks: export from Label Studio with the format JSON.")
    outcome = _Outcome()
    for row_number, (data, annotation) in enumerate(_annotations_of(tasks), start=1):
        _add_label_studio(outcome, data, annotation, display_path, row_number)
    return outcome


def _annotations_of(tasks: list[Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    """Each annotation with its task's data; something that is no task comes as (what is known, None)."""
    for task in tasks:
        data = task.get("data") if isinstance(task, dict) else None
        annotations = task.get("annotations") if isinstance(task, dict) else None
        if isinstance(data, dict) and isinstance(annotations, list):
            yield from ((data, annotation) for annotation in annotations)
        else:
            yield data if isinstance(data, dict) else {}, None


def _add_label_studio(
    outcome: _Outcome, data: dict[str, Any], annotation: Any, display_path: str, row_number: int
) -> None:
    is_whole = isinstance(annotation, dict)
    choices = _choices_of(annotation.get("result")) if is_whole else []
    answer = Answer(
        display_path,
        row_number,
        clip_id=_text(data.get("clip_id")),
        purpose=_text(data.get("purpose")) or DEFAULT_PURPOSE,
        annotator_id=_annotator_of(annotation.get("completed_by")) if is_whole else "",
        label=", ".join(choices),
        tool=_text(data.get("tool")) or "label-studio",
        lead_time_s=_seconds(annotation.get("lead_time")) if is_whole else None,
    )
    if not is_whole:
        message = "The task has no `data` object and `annotations` list: export with the format JSON, not JSON-MIN."
        outcome.rejected.append(answer.rejected("bad_row", message))
    elif annotation.get("was_cancelled"):
        message = "The annotator skipped this clip: ask again, or let another person answer."
        outcome.rejected.append(answer.rejected("cancelled", message))
    elif len(choices) != 1:
        message = (
            f"The annotation has {len(choices)} choices named {' or '.join(LABEL_STUDIO_CONTROLS)} where one is "
            "needed: answer it again in Label Studio."
        )
        outcome.rejected.append(answer.rejected("bad_row", message))
    else:
        _add_with_time(outcome, answer, annotation.get("updated_at") or annotation.get("created_at"))


def _choices_of(result: Any) -> list[str]:
    """All choices of the controls that hold the answer."""
    choices: list[str] = []
    for entry in result if isinstance(result, list) else []:
        if not isinstance(entry, dict) or entry.get("type") != "choices":
            continue
        value = entry.get("value")
        chosen = value.get("choices") if isinstance(value, dict) else None
        if _text(entry.get("from_name")) in LABEL_STUDIO_CONTROLS and isinstance(chosen, list):
            choices += [_text(choice) for choice in chosen]
    return choices


def _annotator_of(completed_by: Any) -> str:
    """E-mail address, else numeric id, of the person; empty where neither is there."""
    if isinstance(completed_by, dict):
        completed_by = completed_by.get("email") or completed_by.get("id")
    is_name = isinstance(completed_by, str | int) and not isinstance(completed_by, bool)
    return _text(completed_by) if is_name else ""


def _add_with_time(outcome: _Outcome, answer: Answer, written_at: Any) -> None:
    """Completes the answer with its time and adds it, or rejects it where the time cannot be read."""
    try:
        annotated_at = _time(written_at)
    except (ValueError, OverflowError):
        message = f"'{_shown(_text(written_at))}' is no time: write it like 2026-11-20T10:00:00Z, or leave it out."
        outcome.rejected.append(answer.rejected("bad_timestamp", message))
        return
    outcome.answers.append(Answer(**{**vars(answer), "annotated_at": annotated_at}))


def _time(written: Any) -> datetime | None:
    """UTC; None where nothing is written. Raises ValueError or OverflowError for what is no usable time."""
    if written is None or written == "":
        return None
    if not isinstance(written, str):
        raise ValueError("not a text")
    time = datetime.fromisoformat(written.strip())
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    if not _EARLIEST_YEAR <= time.year <= _LATEST_YEAR:
        raise ValueError("outside the years that tables can hold")
    return time


def _seconds(written: Any) -> float | None:
    """A finite number of seconds, 0 or more; None for anything else."""
    if isinstance(written, bool) or not isinstance(written, str | int | float):
        return None
    try:
        seconds = float(written)
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _text(value: Any) -> str:
    """A value as text that can be stored: no outer spaces, no lone surrogates; lists and objects only by kind."""
    if value is None:
        return ""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return str(value).encode("utf-8", "replace").decode("utf-8").strip()


def _shown(text: str) -> str | None:
    """As written, cut to a length that a table can show; None where nothing is written."""
    return (text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 1] + "…") or None
