"""What every file of answers has in common: who answered, when, how long it took, and text that can be stored.

Belongs here: a table, a row and a cell of a CSV file or of Label Studio's JSON, whatever is asked. Does not belong
here: questions about clips (`annotations`) and about pairs of videos (`generation.preference_files`).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from emovid_assets.core import cells, csv_text, filled_tables
from emovid_assets.core.filled_tables import Columns, FilledTable
from emovid_assets.core.plain_text import composed, cut
from emovid_assets.core.pseudonyms import Pseudonyms, signed

_EARLIEST_YEAR, _LATEST_YEAR = 1970, 2261  # pandas counts nanoseconds and ends in 2262
_SHOWN_LENGTH = 200
_FLOAT = re.compile(r"^([0-9]+)\.0+$")


class UnreadableError(Exception):
    """The file as a whole cannot be used; the message says what to do."""


def table_in(content: bytes, columns: Columns, required: Sequence[str], made_by: str) -> FilledTable:
    """The table in a CSV file with these columns in it once each. `made_by`: the command whose files have them. Raises
    UnreadableError."""
    table = filled_tables.read_bytes(content, columns)
    if table.unreadable:
        raise UnreadableError(f"The table cannot be read: {table.unreadable}.")
    if lacking := table.lacking(required):
        raise UnreadableError(
            f"The table cannot be read: {lacking}. Name each of {', '.join(required)} once; a file of "
            f"'{made_by}' does. Read as separated by {filled_tables.SEPARATORS[table.separator]}."
        )
    return table


def usual_tool(table: FilledTable) -> str:
    """What made a table that does not say so."""
    return "label-studio" if "annotation_id" in table.there else "csv"


def by_our_names(task: Mapping[str, Any], columns: Columns) -> dict[str, Any]:
    """The values of a row of JSON-MIN; null where none is there."""
    return {
        ours: next((task[name] for name in (ours, *others) if task.get(name) is not None), None)
        for ours, others in columns.names.items()
    }


def choices_in(result: Any) -> Iterator[tuple[str, list[str]]]:
    """The choices in an annotation's `result`: the name of the control, and what was chosen there."""
    for entry in result if isinstance(result, list) else []:
        if not isinstance(entry, dict) or entry.get("type") != "choices":
            continue
        value = entry.get("value")
        chosen = value.get("choices") if isinstance(value, dict) else None
        if isinstance(chosen, list):
            yield text_of(entry.get("from_name")), [text_of(choice) for choice in chosen]


def tasks_in(content: bytes) -> list[Any]:
    """The tasks of a JSON export of Label Studio. Raises UnreadableError."""
    try:
        text = csv_text.decoded(content)
    except ValueError as error:
        raise UnreadableError(f"The file cannot be read: {error}.") from error
    try:
        tasks = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("The file is not valid JSON: export it from Label Studio again.") from error
    if not isinstance(tasks, list):
        raise UnreadableError("The file is not a list of tasks: export from Label Studio with the format JSON.")
    return tasks


def annotator_of(completed_by: Any, people: Pseudonyms | None) -> str:
    """E-mail address, else numeric id, of the person; empty where neither is there."""
    if isinstance(completed_by, dict):
        completed_by = completed_by.get("email") or completed_by.get("id")
    is_name = isinstance(completed_by, str | int | float) and not isinstance(completed_by, bool)
    # Programs for tables make 7.0 of Label Studio's 7.
    written = _FLOAT.sub(r"\1", signed(text_of(completed_by))) if is_name else ""
    return people.annotator(written) if people else written


def time_of(written: Any) -> datetime | None:
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


def seconds_of(written: Any) -> float | None:
    """A finite number of seconds, 0 or more; None where nothing is written. Raises ValueError or OverflowError."""
    if written is None or written == "":
        return None
    if isinstance(written, bool) or not isinstance(written, str | int | float):
        raise ValueError("not a number")
    return cells.seconds(written if isinstance(written, str) else repr(float(written)))


def text_of(value: Any, people: Pseudonyms | None = None) -> str:
    """A value as text that can be stored: no outer spaces, no lone surrogates, normal form C, and no address where
    there are pseudonyms for them; lists and objects only by kind."""
    if value is None:
        return ""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return hidden(composed(value).strip(), people)


def hidden(text: str, people: Pseudonyms | None) -> str:
    return people.hide(text) if people else text


def shown_path(path: str, people: Pseudonyms | None) -> str:
    return people.hide_in_path(text_of(path)) if people else text_of(path)


def shown(text: str) -> str | None:
    """As written, cut to a length that a table can show; None where nothing is written."""
    return cut(text, _SHOWN_LENGTH) or None
