"""Questions to the catalogue and their answers.

Belongs here: running a query and saying what is wrong where it cannot run. A section that gets no answer says what
is missing; it does not end the report.
"""

# As text: annotations that keep a type of DuckDB to the end make a process with torch and Dagster print it as leaked
# (findings/duckdb_types_in_annotations_are_reported.sh).
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import duckdb

Row = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """Rows of a query. `problem` is null where it ran, otherwise DuckDB's first line."""

    sql: str
    rows: tuple[Row, ...]
    problem: str | None = None

    @property
    def first(self) -> Row:
        """The first row, empty where there is none."""
        return self.rows[0] if self.rows else {}

    def has(self, *columns: str) -> bool:
        """Whether the answer has rows with these columns."""
        return bool(self.rows) and set(columns) <= self.rows[0].keys()


class Answers:
    """Asks one connection; the same question is run once."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._known: dict[str, Answer] = {}

    def ask(self, sql: str) -> Answer:
        if sql not in self._known:
            self._known[sql] = self._run(sql)
        return self._known[sql]

    def _run(self, sql: str) -> Answer:
        try:
            result = self._connection.execute(sql)
            names = [column[0] for column in result.description]
            found = result.fetchall()
        except duckdb.Error as error:
            return Answer(sql, (), _sentence(error))
        return Answer(sql, tuple(dict(zip(names, map(_steady, row), strict=True)) for row in found))


def _sentence(error: duckdb.Error) -> str:
    """DuckDB's first line without the name of the class and the exclamation mark."""
    first = str(error).splitlines()[0]
    return first.split(" Error: ", 1)[-1].rstrip("!.")


def _steady(value: Any) -> Any:
    """Floats to 12 digits: the last bits of a sum depend on which thread came first. Not-a-number is null."""
    if not isinstance(value, float):
        return value
    return float(f"{value:.12g}") if math.isfinite(value) else None
