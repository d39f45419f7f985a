"""Answers that people drop into the library: reading the files, and deciding which answers count.

Belongs here: the file formats (our CSV; Label Studio's JSON, JSON-MIN and CSV), the vocabulary check, one answer a
person. Does not belong here: the vote over the answers (`voting`), and where the files lie.

No input raises. Whatever cannot count becomes a `Rejected` with a stable reason and a sentence that says where it
stands and what to do. A cell that is wrong beside an answer that is clear costs the cell alone (`REMARKS`).
An annotation tool is not trusted: Label Studio's server accepts labels that its configuration does not have, and
several annotations by one person.

A person is the annotator_id, letter for letter in normal form C; e-mail addresses in any case are known by a pseudonym
(`pseudonyms`). Label Studio names a person by e-mail address or, where the export has
none, by number; nothing here can know that `7` and `ann@example.org` are one person, so their answers count as those of
two. Whoever collects answers keeps to one of the two.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emovid_assets.core import cells, filled_tables
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
from emovid_assets.core.cells import CellError
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import HUMAN_CHOICES, VERIFY_CHOICES
from emovid_assets.core.filled_tables import Columns
from emovid_assets.core.identity import domain_of
from emovid_assets.core.plain_text import quoted
from emovid_assets.core.pseudonyms import ENDINGS, Pseudonyms
from emovid_assets.core.voting import REQUIRED_ANSWERS, needed_answers

Row = dict[str, Any]

CHOICES_BY_PURPOSE: dict[str, tuple[str, ...]] = {
    "label": HUMAN_CHOICES,
    "verify": VERIFY_CHOICES,
    "validate": HUMAN_CHOICES,
    "review": HUMAN_CHOICES,
}
DEFAULT_PURPOSE = "label"
_WORDS_OF_VERIFICATION = {
    **dict.fromkeys((*cells.YES, "accepted"), "accept"),
    **dict.fromkeys((*cells.NO, "rejected"), "reject"),
}
"""The screen asks whether, and shows yes and no."""
TOO_FEW = "too_few_annotators"
"""The reason of answers that are accepted and wait."""
REMARKS = frozenset({"bad_timestamp", "bad_lead_time", "unknown_column"})
"""Reasons that exclude no answer: what could not be read stands beside one that counts."""
NOT_ANSWERED = "not_answered"
"""The reason of rows in which nobody has filled in a label yet."""
REQUIRED_COLUMNS = ("clip_id", "annotator_id", "label")
COLUMNS = Columns(
    {
        "clip_id": (),
        "purpose": (),
        # Behind ours, the names that Label Studio gives its CSV and JSON-MIN.
        "annotator_id": ("annotator", "completed_by"),
        "label": ("emotion", "verification"),
        "annotated_at": ("updated_at", "created_at"),
        "tool": (),
        "lead_time_s": ("lead_time",),
        # For the person who fills in, and Label Studio's own.
        **dict.fromkeys(("domain", "media_path", "intended_emotion", "answered_by"), ()),
        **dict.fromkeys(("video", "id", "annotation_id"), ()),
    },
    key="clip_id",
    key_form=re.compile(rf"(?:{'|'.join(DOMAINS)})-[0-9a-f]{{16}}-[0-9]{{8,}}-[0-9]{{8,}}"),
)
LABEL_STUDIO_CONTROLS = ("emotion", "verification")
"""`from_name` of the result that holds the answer."""
SUFFIXES = ENDINGS


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
    place: str = field(default="", compare=False)
    """Where it stands in the file, in words."""

    def rejected(self, reason: str, message: str) -> "Rejected":
        message = f"{self.place}: {message}" if self.place else message
        return Rejected(
            self.file_path,
            self.row_number,
            shown(self.clip_id),
            shown(self.annotator_id),
            shown(self.purpose),
            shown(self.label),
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


def read_annotation_file(
    path: Path, display_path: str, people: Pseudonyms | None = None
) -> tuple[list[Answer], list[Rejected]]:
    """Answers of one file; as `read_annotations`. What cannot be opened is a rejection too."""
    try:
        content = path.read_bytes() if path.suffix.lower() in SUFFIXES else b""
    except OSError as error:
        message = f"The file cannot be opened ({error.strerror}): check that it is a readable file."
        return [], [_of_file(shown_path(display_path, people), "unreadable_file", message)]
    return read_annotations(content, display_path, people)


def read_annotations(
    content: bytes, display_path: str, people: Pseudonyms | None = None
) -> tuple[list[Answer], list[Rejected]]:
    """Answers in the bytes of a `.csv` or Label Studio `.json` file; `display_path` is the name that the tables show.

    CSV: header `clip_id,purpose,annotator_id,label[,annotated_at][,tool][,lead_time_s]` in any order, `purpose`
    optional, as `filled_tables` reads it. JSON: Label Studio's "JSON" export, whose `data` holds clip_id and optionally
    purpose and tool, or its "JSON-MIN". Times are ISO 8601, in UTC where they name no zone. A time that cannot be read
    is unknown: a wrong stopwatch says nothing against the answer. Each row or annotation yields exactly one answer or
    one rejection, and a remark for each cell beside an answer that cannot be read; rows count from 1, in CSV from the
    line below the header. `people`: what stands for the addresses of annotators.
    """
    readers = {".csv": _read_csv, ".json": _read_label_studio}
    reader = readers.get(Path(display_path).suffix.lower())
    display_path = shown_path(display_path, people)
    try:
        if reader is None:
            raise UnreadableError("Only .csv and .json files are read: export the answers in one of these formats.")
        outcome = reader(content, display_path, people)
    except UnreadableError as error:
        return [], [_of_file(display_path, "unreadable_file", hidden(str(error), people))]
    # Messages quote names of columns and cells that belong into other columns.
    return outcome.answers, [replace(one, message=hidden(one.message, people)) for one in outcome.rejected]


def statements(content: bytes, name: str, people: Pseudonyms | None = None) -> set[tuple[str, str, str, str]]:
    """(clip, purpose, annotator, label) of every answer in a file that could count, were its clip there."""
    answers, _ = read_annotations(content, name, people)
    return {
        (one.clip_id, one.purpose, one.annotator_id, one.label)
        for one in map(_meant, answers)
        if _fault(one, {one.clip_id}) is None
    }


def signatories(content: bytes, name: str, people: Pseudonyms | None = None) -> set[str]:
    """Who has answered in a file, also where nothing of it could count."""
    answers, _ = read_annotations(content, name, people)
    return {one.annotator_id for one in answers if one.annotator_id}


def _of_file(display_path: str, reason: str, message: str) -> Rejected:
    return Rejected(display_path, 0, None, None, None, None, reason, message)


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
        answer = _meant(answer)
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


def _meant(answer: Answer) -> Answer:
    """With purpose and label in our words, where they are clear."""
    try:
        purpose = cells.word(answer.purpose, CHOICES_BY_PURPOSE)
        return replace(answer, purpose=purpose, label=_label(answer.label, purpose))
    except CellError:
        return answer


def _label(written: str, purpose: str) -> str:
    try:
        also = _WORDS_OF_VERIFICATION if purpose == "verify" else None
        return cells.word(written, CHOICES_BY_PURPOSE[purpose], also)
    except CellError:
        return written


def _fault(answer: Answer, known_clip_ids: set[str]) -> tuple[str, str] | None:
    """The first reason why the answer cannot count, and a sentence for each; None where it can."""
    faults = list(_faults(answer, known_clip_ids))
    return (faults[0][0], " ".join(message for _, message in faults)) if faults else None


def _faults(answer: Answer, known_clip_ids: set[str]) -> Iterator[tuple[str, str]]:
    if answer.clip_id not in known_clip_ids:
        yield (
            "unknown_clip",
            f"No clip has the `clip_id` '{quoted(answer.clip_id)}': correct the id, or build the clips first if the "
            "library has changed.",
        )
    if not answer.annotator_id:
        yield "missing_annotator", "`annotator_id` names nobody: fill it in, always the same for one person."
    choices = CHOICES_BY_PURPOSE.get(answer.purpose)
    if choices is None:
        yield (
            "unknown_purpose",
            f"`purpose` is '{quoted(answer.purpose)}': use one of {', '.join(CHOICES_BY_PURPOSE)}.",
        )
    elif answer.label not in choices:
        allowed = (*choices, "yes", "no") if answer.purpose == "verify" else choices
        yield (
            "unknown_label",
            f"`label` is '{quoted(answer.label)}', no answer to purpose '{answer.purpose}': "
            f"use one of {', '.join(allowed)}.",
        )


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
    return f"{shown(older.annotator_id)} answered again in {place}, which counts: remove that one to restore this."


def _read_csv(content: bytes, display_path: str, people: Pseudonyms | None) -> _Outcome:
    table = table_in(content, COLUMNS, REQUIRED_COLUMNS, "emovid annotate export")
    outcome, tool = _Outcome(), usual_tool(table)
    if table.remarks:
        outcome.rejected.append(_of_file(display_path, "unknown_column", f"{'; '.join(table.remarks)}."))
    for row_number, row in enumerate(table.rows, start=1):
        if not row.is_blank:
            answer = _from_cells(row.cells, display_path, row_number, f"line {row.line}", tool, people)
            _add_row(outcome, answer, row)
    return outcome


def _add_row(outcome: _Outcome, answer: Answer, row: filled_tables.FilledRow) -> None:
    if row.fault:
        message = f"The row cannot be read: {row.fault}."
        outcome.rejected.append(replace(answer, place="").rejected("bad_row", message))
    elif row.is_short:
        message = "The row has fewer cells than the header has: are separators missing? Add them, or fill in the row."
        outcome.rejected.append(answer.rejected("bad_row", message))
    elif not answer.label:
        message = "`label` is empty: nobody has answered here yet."
        outcome.rejected.append(answer.rejected(NOT_ANSWERED, message))
    else:
        _add(outcome, answer, row.cells.get("annotated_at"), row.cells.get("lead_time_s"))


def _from_cells(
    values: Mapping[str, Any],
    display_path: str,
    row_number: int,
    place: str,
    usual_tool: str,
    people: Pseudonyms | None,
) -> Answer:
    clip_id, label = text_of(values.get("clip_id"), people), text_of(values.get("label"), people)
    # People who say yes or no to a sticker have been asked whether it conveys its emotion.
    is_verified = domain_of(clip_id) == "sticker" and _label(label, "verify") in VERIFY_CHOICES
    return Answer(
        display_path,
        row_number,
        clip_id=clip_id,
        purpose=text_of(values.get("purpose"), people) or ("verify" if is_verified else DEFAULT_PURPOSE),
        annotator_id=annotator_of(values.get("annotator_id"), people),
        label=label,
        tool=text_of(values.get("tool"), people) or usual_tool,
        place=place,
    )


def _read_label_studio(content: bytes, display_path: str, people: Pseudonyms | None) -> _Outcome:
    tasks = tasks_in(content)
    outcome = _Outcome()
    flat = [_by_our_names(task) for task in tasks if _is_flat(task)]
    if flat and len(flat) == len(tasks) and not any(annotator_of(one.get("annotator_id"), None) for one in flat):
        raise UnreadableError("No answer names its annotator: export from Label Studio with the format JSON.")
    for row_number, (data, annotation) in enumerate(_annotations_of(tasks), start=1):
        place = f"annotation {row_number}"
        if _is_flat(data) and annotation is None:
            values = _by_our_names(data)
            answer = _from_cells(values, display_path, row_number, place, "label-studio", people)
            if answer.label:
                _add(outcome, answer, values.get("annotated_at"), values.get("lead_time_s"))
            else:
                outcome.rejected.append(answer.rejected(NOT_ANSWERED, "Nobody has answered here yet."))
        else:
            _add_label_studio(outcome, data, annotation, display_path, row_number, people)
    return outcome


def _is_flat(task: Any) -> bool:
    """Whether it is an answer as JSON-MIN has it: the task's data and the choice beside each other."""
    return (
        isinstance(task, dict)
        and "clip_id" in task
        and not {"data", "annotations"} & task.keys()
        and any(name in task for name in ("label", *COLUMNS.names["label"]))
    )


def _by_our_names(task: Mapping[str, Any]) -> dict[str, Any]:
    values = by_our_names(task, COLUMNS)
    chosen = values["label"]
    chosen = chosen.get("choices") if isinstance(chosen, dict) else chosen
    return {**values, "label": ", ".join(map(text_of, chosen)) if isinstance(chosen, list) else chosen}


def _annotations_of(tasks: list[Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    """Each annotation with its task's data; something that is no task comes as (what is known, None)."""
    for task in tasks:
        data = task.get("data") if isinstance(task, dict) else None
        annotations = task.get("annotations") if isinstance(task, dict) else None
        if _is_flat(task):
            yield task, None
        elif isinstance(data, dict) and isinstance(annotations, list):
            yield from ((data, annotation) for annotation in annotations)
        else:
            yield data if isinstance(data, dict) else {}, None


def _add_label_studio(
    outcome: _Outcome,
    data: dict[str, Any],
    annotation: Any,
    display_path: str,
    row_number: int,
    people: Pseudonyms | None,
) -> None:
    is_whole = isinstance(annotation, dict)
    answered = choices_in(annotation.get("result")) if is_whole else ()
    choices = [choice for name, chosen in answered if name in LABEL_STUDIO_CONTROLS for choice in chosen]
    values = {
        **data,
        "annotator_id": annotation.get("completed_by") if is_whole else None,
        "label": ", ".join(choices),
    }
    place = f"annotation {row_number}"
    answer = _from_cells(values, display_path, row_number, place, "label-studio", people)
    if not is_whole:
        message = "The task has neither a `data` object with an `annotations` list nor a `clip_id` with a choice."
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
        written_at = annotation.get("updated_at") or annotation.get("created_at")
        _add(outcome, answer, written_at, annotation.get("lead_time"))


def _add(outcome: _Outcome, answer: Answer, written_at: Any, took: Any) -> None:
    """Adds the answer with its times, and a remark for each that cannot be read."""
    annotated_at = lead_time_s = None
    try:
        annotated_at = time_of(written_at)
    except (ValueError, OverflowError):
        message = (
            f"`annotated_at` is '{quoted(text_of(written_at))}', no time: write it like 2026-11-20T10:00:00Z. "
            "The answer counts, as older than those with a time."
        )
        outcome.rejected.append(answer.rejected("bad_timestamp", message))
    try:
        lead_time_s = seconds_of(took)
    except (ValueError, OverflowError):
        message = (
            f"`lead_time_s` is '{quoted(text_of(took))}', not a number of seconds, 0 or more. "
            "The answer counts, and how long it took is unknown."
        )
        outcome.rejected.append(answer.rejected("bad_lead_time", message))
    outcome.answers.append(replace(answer, annotated_at=annotated_at, lead_time_s=lead_time_s))
