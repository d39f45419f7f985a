"""Queries on the catalogue, and their answers as table, CSV, JSON or Parquet.

Belongs here: running statements and writing their rows, a batch at a time. The views are in `sql/`, the named
queries in `named_queries`, what names there are in `query_help`.
"""

import io
import json
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import duckdb
import pyarrow as pa
import pyarrow.parquet

from emovid_assets.core.placing import put_into_place
from emovid_assets.core.plain_text import for_terminal
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import SettingsError
from emovid_assets.home.shipped_files import shipped_file
from emovid_assets.queries.named import Value
from emovid_assets.queries.side_by_side import print_rows
from emovid_assets.resources.catalogue import open_catalogue
from emovid_assets.resources.sql_files import CatalogueError

FORMATS = ("table", "csv", "json", "parquet")
TABLE_ROWS = 1000
BATCH_ROWS = 10_000
HOME_PARAMETER = "home"
"""`$home` in any query is the home folder, so that a query can name files in it."""
_NUMBER_TYPES = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)


class QueryError(Exception):
    """The query or its output cannot be done; the message says why."""


class Session:
    """An open catalogue. Statements see the tables as they were when it was opened."""

    def __init__(self, home: Home) -> None:
        self.home = home
        try:
            self.connection = open_catalogue(home.root, shipped_file("sql"))
        except (duckdb.Error, CatalogueError, SettingsError) as error:
            raise QueryError(str(error)) from error

    def close(self) -> None:
        self.connection.close()

    def answers(
        self, text: str, values: Mapping[str, Value] | None = None
    ) -> Generator[pa.RecordBatchReader, None, None]:
        """Runs the statements of a text, one after another; gives the rows of those that have any.

        Values are bound to `$name`, each statement taking those that it names. Raises QueryError with DuckDB's
        message, which names near misses, and with what else may help.
        """
        from emovid_assets.queries.help import explained

        given = {HOME_PARAMETER: str(self.home.root), **(values or {})}
        try:
            statements = self.connection.extract_statements(text)
            unused = set(values or ()).difference(*(statement.named_parameters for statement in statements))
            if unused:
                raise QueryError(f"the query has no parameter ${min(unused)}; write it where the value belongs")
            for statement in statements:
                bound = {name: given[name] for name in statement.named_parameters if name in given}
                relation = self.connection.sql(statement, params=bound or None)
                # `SET` and its like answer "Success", which nobody asked for.
                if relation is not None and duckdb.ExpectedResultType.QUERY_RESULT in statement.expected_result_type:
                    _check_names(relation.columns)
                    # An answer left half read would block this process's next query on the catalogue.
                    with relation.to_arrow_reader(BATCH_ROWS) as reader:
                        yield reader
        except duckdb.Error as error:
            raise QueryError(explained(self.connection, str(error))) from error


@contextmanager
def session(home: Home) -> Iterator[Session]:
    opened = Session(home)
    try:
        yield opened
    finally:
        opened.close()


def answer(home: Home, query: str, values: Mapping[str, Value] | None = None) -> pa.Table:
    """All rows of one query. Raises QueryError."""
    with session(home) as opened, closing(opened.answers(query, values)) as readers:
        rows = None
        for reader in readers:
            rows = reader.read_all()
    if rows is None:
        raise QueryError("the statement gives no rows; the catalogue is for reading")
    return rows


def run(home: Home, query: str, form: str, output: Path | None, values: Mapping[str, Value] | None = None) -> int:
    """Writes the answer to `output`, or to the terminal, and returns how many rows there are.

    A text of several statements may give several tables on the terminal; other formats have room for one.
    """
    check_form(form, output)
    with session(home) as opened, closing(opened.answers(query, values)) as readers:
        count, row_count = 0, 0
        for reader in readers:
            count += 1
            if count > 1 and (form != "table" or output is not None):
                raise QueryError("the text holds several queries; a file and --format csv or json have room for one")
            if count > 1:
                sys.stdout.write("\n")
            row_count += write(reader, form, output)
        if count == 0:
            raise QueryError("the statement gives no rows; the catalogue is for reading")
        return row_count


def check_form(form: str, output: Path | None) -> None:
    """Raises QueryError where the format is unknown or cannot go to a terminal."""
    if form not in FORMATS:
        raise QueryError(f"--format '{form}': use one of {', '.join(FORMATS)}")
    if form == "parquet" and output is None:
        raise QueryError("Parquet is not for terminals: add --output FILE.parquet")


def write(reader: pa.RecordBatchReader, form: str, output: Path | None) -> int:
    """Writes rows as they come, and returns how many. A file is there whole or not at all."""
    if output is None:
        return _WRITERS[form](reader, sys.stdout)
    if not output.parent.is_dir():
        raise QueryError(f"{output}: the folder is not there; make it first")
    if output.exists() and not output.is_file():
        # A device or a pipe would be replaced by a file.
        raise QueryError(f"{output} is no regular file; leave --output out and send the answer there with >")
    with put_into_place(output) as temporary:
        if form == "parquet":
            return _write_parquet(reader, temporary)
        with temporary.open("w", encoding="utf-8", newline="") as stream:
            return _WRITERS[form](reader, stream)


def aligned(rows: pa.Table) -> str:
    """Plain columns: numbers to the right with four digits, at most 1,000 rows."""
    buffer = io.StringIO()
    _write_table(rows.to_reader(), buffer)
    return buffer.getvalue()


def _check_names(names: Sequence[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise QueryError(f"two columns of the answer are called '{repeated[0]}': give one another name with AS")


def _write_table(reader: pa.RecordBatchReader, stream: TextIO) -> int:
    from rich.console import Console

    is_number = [any(is_type(field.type) for is_type in _NUMBER_TYPES) for field in reader.schema]
    shown: list[list[str]] = []
    count = 0
    for batch in reader:
        some = batch.slice(0, max(TABLE_ROWS - count, 0)).to_pylist()
        shown += [[_cell(value) for value in row.values()] for row in some]
        count += batch.num_rows
    buffer = io.StringIO()
    is_terminal = Console().is_terminal
    console = Console(file=buffer, width=Console().width if is_terminal else 10_000, highlight=False, markup=False)
    print_rows(console, reader.schema.names, is_number, shown)
    if count > TABLE_ROWS:
        console.print(f"… {count - TABLE_ROWS:,} more rows; use --format csv for all")
    stream.writelines(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())
    return count


def _write_csv(reader: pa.RecordBatchReader, stream: TextIO) -> int:
    import pandas as pd

    pd.DataFrame(columns=reader.schema.names).to_csv(stream, index=False)
    nested = [field.name for field in reader.schema if pa.types.is_nested(field.type)]
    count = 0
    for batch in reader:
        # Whole numbers stay whole where a null stands among them.
        frame = batch.to_pandas(integer_object_nulls=True)
        for name in nested:
            frame[name] = [None if value is None else _json(value) for value in batch.column(name).to_pylist()]
        frame.to_csv(stream, index=False, header=False)
        count += batch.num_rows
    return count


def _write_json(reader: pa.RecordBatchReader, stream: TextIO) -> int:
    count = 0
    stream.write("[")
    for batch in reader:
        for row in batch.to_pylist():
            stream.write(f"{',' if count else ''}\n  {_json(row)}")
            count += 1
    stream.write("\n]\n" if count else "]\n")
    return count


def _write_parquet(reader: pa.RecordBatchReader, path: Path) -> int:
    count = 0
    with pa.parquet.ParquetWriter(path, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
            count += batch.num_rows
    return count


def _json(value: object) -> str:
    return json.dumps(_plain(value), ensure_ascii=False, default=str)


def _plain(value: Any) -> Any:
    """Values that JSON knows: no NaN, no infinity; times in ISO 8601."""
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(item) for item in value]
    return value


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return for_terminal(value)


_WRITERS = {"table": _write_table, "csv": _write_csv, "json": _write_json}
