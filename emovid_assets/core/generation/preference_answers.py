"""Which answers about pairs of videos count: the vocabulary, one answer a person, and the rules of exclusion.

Belongs here: judging what was read. Does not belong here: the file formats (`preference_files`), what follows from the
answers (`preference_results`).

The rules are laid down before anybody answers (docs/study.md). They look at how a person answers, never at which
generator the answer is for; an answer that they exclude stays in the table, with the rule in `exclusion`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from emovid_assets.core import cells
from emovid_assets.core.answer_cells import shown
from emovid_assets.core.cells import CellError
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.generation.preference_files import (
    NOT_ANSWERED,
    WHOLE_ROW,
    Answer,
    Rejected,
    read_preferences,
)
from emovid_assets.core.generation.study_pairs import CHOICES, QUALITY, TIE
from emovid_assets.core.identity import domain_of
from emovid_assets.core.plain_text import quoted
from emovid_assets.core.pseudonyms import Pseudonyms

Row = dict[str, Any]

REMARKS = frozenset({"bad_timestamp", "bad_lead_time", "unknown_column"})
"""Reasons that exclude no answer: what could not be read stands beside one that counts."""
UNREMARKABLE = frozenset({NOT_ANSWERED, "superseded", "cancelled", "unknown_column"})
"""Reasons that need nothing to be mended: second thoughts and skipped pairs are as they should be."""

ATTENTION_CHECK, FAILED_CHECKS, ONE_SIDE, TOO_FAST = "attention_check", "failed_checks", "one_side", "too_fast"
EXCLUSIONS = (ATTENTION_CHECK, FAILED_CHECKS, ONE_SIDE, TOO_FAST)
"""In the order in which they are asked: the first that holds stands in the table."""
FAILED_SHARE, FAILED_LEAST = 0.25, 2
"""Somebody who fails more than this share of their attention checks, and at least so many, does not count."""
ONE_SIDE_LEAST = 12
"""So many answers to one question that all name the same side: 2 of 4,096 people who toss a coin do that."""


def statements(content: bytes, name: str, people: Pseudonyms | None = None) -> set[tuple[str, str, str, str]]:
    """(pair, question, person, choice) of every answer in a file that could count, were its pair there."""
    answers, _ = read_preferences(content, name, people)
    return {
        (one.task_id, one.question, one.annotator_id, one.choice)
        for one in map(_meant, answers)
        if not any((*_row_faults(one, {one.task_id}), *_choice_faults(one)))
    }


def signatories(content: bytes, name: str, people: Pseudonyms | None = None) -> set[str]:
    """Who has answered in a file, also where nothing of it could count."""
    answers, _ = read_preferences(content, name, people)
    return {one.annotator_id for one in answers if one.annotator_id}


def accept_preferences(
    answers: Iterable[Answer], *, domain: str, tasks: Sequence[Mapping[str, Any]], rejected: Iterable[Rejected] = ()
) -> tuple[list[Row], list[Row]]:
    """Rows of `preferences` and of `rejected_preferences` for one domain; `tasks` are its rows of `preference_tasks`.

    Answers and rejections of all domains may be passed: those of other domains are passed over, and those whose pair
    names no domain (unreadable files too) belong to the first of `DOMAINS`, so that over all domains each is kept
    exactly once. Of several valid answers by one person to one question about one pair the latest counts; equal times
    go by file name, then row, and no time is earlier than any.
    """
    refused = [one for one in rejected if _partition_of(one.task_id) == domain]
    known = {task["task_id"] for task in tasks}
    valid: dict[tuple[str, str, str], list[Answer]] = defaultdict(list)
    of_row: list[Rejected] = []
    for answer in answers:
        if _partition_of(answer.task_id) != domain:
            continue
        answer = _meant(answer)
        if fault := _fault(_row_faults(answer, known)):
            of_row.append(replace(answer, question=WHOLE_ROW, choice="").rejected(*fault))
        elif fault := _fault(_choice_faults(answer)):
            refused.append(answer.rejected(*fault))
        else:
            valid[answer.task_id, answer.question, answer.annotator_id].append(answer)
    # The three answers of a row share its faults: they are told once.
    refused += dict.fromkeys(of_row)
    accepted: list[Row] = []
    for repeats in valid.values():
        *older, latest = sorted(repeats, key=_age_order)
        refused += [one.rejected("superseded", _superseded_message(one, latest)) for one in older]
        accepted.append(
            {
                "task_id": latest.task_id,
                "domain": domain,
                "annotator_id": latest.annotator_id,
                "question": latest.question,
                "choice": latest.choice,
                "answered_at": latest.answered_at,
                "tool": latest.tool,
                "lead_time_s": latest.lead_time_s,
            }
        )
    return with_exclusions(accepted, tasks), [{"domain": domain, **vars(one)} for one in refused]


def with_exclusions(answers: Sequence[Row], tasks: Iterable[Mapping[str, Any]]) -> list[Row]:
    """The answers of one domain, each with the first rule that excludes it, or null.

    - `attention_check`: the pair is a check; its answers are about the person.
    - `failed_checks`: the person failed more than FAILED_SHARE of the checks that they answered, and FAILED_LEAST or
      more. A check is failed where the spoiled video is not the worse one, or is chosen for anything.
    - `one_side`: to one question the person named a side ONE_SIDE_LEAST times or more, and always the same one.
    - `too_fast`: the three answers were given in less time than the two videos last, which play at once.
    """
    by_id = {task["task_id"]: task for task in tasks}
    by_person: dict[str, list[Row]] = defaultdict(list)
    for answer in answers:
        by_person[answer["annotator_id"]].append(answer)
    of_person = {
        person: FAILED_CHECKS if _fails_checks(given, by_id) else ONE_SIDE if _names_one_side(given, by_id) else None
        for person, given in by_person.items()
    }

    def exclusion(answer: Row) -> str | None:
        task = by_id[answer["task_id"]]
        if task["expected"] is not None:
            return ATTENTION_CHECK
        is_fast = answer["lead_time_s"] is not None and answer["lead_time_s"] < task["shown_s"]
        return of_person[answer["annotator_id"]] or (TOO_FAST if is_fast else None)

    return [{**answer, "exclusion": exclusion(answer)} for answer in answers]


def _fails_checks(given: Iterable[Row], tasks: Mapping[str, Mapping[str, Any]]) -> bool:
    passed: dict[str, bool] = {}
    for answer in given:
        expected = tasks[answer["task_id"]]["expected"]
        if expected is not None:
            # A good video may convey no emotion; the spoiled one is never the better of the two.
            is_right = answer["choice"] == expected or (answer["question"] != QUALITY and answer["choice"] == TIE)
            passed[answer["task_id"]] = passed.get(answer["task_id"], True) and is_right
    failed = list(passed.values()).count(False)
    return failed >= FAILED_LEAST and failed > FAILED_SHARE * len(passed)


def _names_one_side(given: Iterable[Row], tasks: Mapping[str, Mapping[str, Any]]) -> bool:
    sides: dict[str, list[str]] = defaultdict(list)
    for answer in given:
        if tasks[answer["task_id"]]["expected"] is None and answer["choice"] != TIE:
            sides[answer["question"]].append(answer["choice"])
    return any(len(named) >= ONE_SIDE_LEAST and len(set(named)) == 1 for named in sides.values())


def _partition_of(task_id: str | None) -> str:
    return domain_of(task_id or "") or DOMAINS[0]


def _meant(answer: Answer) -> Answer:
    """With the choice as it is kept, whatever its case and blanks.

    No other word is taken: 2 is the right side to one person, and the middle key in Label Studio.
    """
    try:
        return replace(answer, choice=cells.word(answer.choice, CHOICES))
    except CellError:
        return answer


def _fault(found: Iterable[tuple[str, str]]) -> tuple[str, str] | None:
    """The first reason why something cannot count, with the sentences of all; None where it can."""
    faults = list(found)
    return (faults[0][0], " ".join(message for _, message in faults)) if faults else None


def _row_faults(answer: Answer, known_task_ids: set[str]) -> Iterator[tuple[str, str]]:
    if answer.task_id not in known_task_ids:
        yield (
            "unknown_task",
            f"No pair has the `task_id` '{quoted(answer.task_id)}': correct the id. A pair that was asked about has "
            "another one after its videos have been made anew.",
        )
    if not answer.annotator_id:
        yield "missing_annotator", "`annotator_id` names nobody: fill it in, always the same for one person."


def _choice_faults(answer: Answer) -> Iterator[tuple[str, str]]:
    if answer.choice not in CHOICES:
        yield (
            "unknown_choice",
            f"`{answer.question}` is '{quoted(answer.choice)}': use a (left), b (right) or tie (no difference).",
        )


def _age_order(answer: Answer) -> tuple[datetime, str, int]:
    return answer.answered_at or datetime.min.replace(tzinfo=UTC), answer.file_path, answer.row_number


def _superseded_message(older: Answer, latest: Answer) -> str:
    place = f"{latest.place or f'row {latest.row_number}'} of {latest.file_path}"
    if (older.choice, older.answered_at) == (latest.choice, latest.answered_at):
        return f"The same answer stands in {place}, which counts: nothing needs to be done."
    return f"{shown(older.annotator_id)} answered again in {place}, which counts: remove that one to restore this."
