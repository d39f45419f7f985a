"""Queries on the catalogue, and their answers as table, CSV, JSON or Parquet.

Belongs here: running one query and writing its answer. The views are in `sql/`.
"""

import io
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet

from emovid_assets.layout import Home
from emovid_assets.project_files import project_file
from emovid_assets.resources.catalogue import CatalogueError, open_catalogue

FORMATS = ("table", "csv", "json", "parquet")
LIST_VIEWS = "SELECT view_name AS name, comment AS gives FROM duckdb_views() WHERE NOT internal ORDER BY view_name"
TABLE_ROWS = 1000
_NUMBER_TYPES = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)


class QueryError(Exception):
    """The query or its output cannot be done; the message says why."""


def answer(home: Home, query: str) -> pa.Table:
    """Rows of the query. Raises QueryError with DuckDB's message, which names near misses."""
    try:
        with open_catalogue(home.root, project_file("sql")) as connection:
            relation = connection.sql(query)
            if relation is None:
                raise QueryError("the statement gives no rows; the catalogue is for reading")
            rows = relation.to_arrow_table()
    except (duckdb.Error, CatalogueError) as error:
        raise QueryError(str(error)) from error
    repeated = sorted({name for name in rows.column_names if rows.column_names.count(name) > 1})
    if repeated:
        raise QueryError(f"two columns of the answer are called '{repeated[0]}': give one another name with AS")
    return rows


def run(home: Home, query: str, form: str, output: Path | None) -> str | None:
    """Text for the terminal, or null where the answer was written to `output`."""
    if form not in FORMATS:
        raise QueryError(f"--format '{form}': use one of {', '.join(FORMATS)}")
    if form == "parquet" and output is None:
        raise QueryError("Parquet is not for terminals: add --output FILE.parquet")
    rows = answer(home, query)
    if form == "parquet" and output is not None:
        pa.parquet.write_table(rows, output)
        return None
    text = as_text(rows, form)
    if output is None:
        return text
    output.write_text(text, encoding="utf-8")
    return None


def as_text(rows: pa.Table, form: str) -> str:
    """The rows as an aligned table, CSV, or one JSON list of objects."""
    if form == "table":
        return aligned(rows)
    # Whole numbers stay whole where a null stands among them.
    frame = rows.to_pandas(integer_object_nulls=True)
    if form == "csv":
        return frame.to_csv(index=False)
    return frame.to_json(orient="records", indent=2, date_format="iso", force_ascii=False) + "\n"


def aligned(rows: pa.Table) -> str:
    """Plain columns: numbers to the right with four digits, at most 1,000 rows."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for field in rows.schema:
        is_number = any(is_type(field.type) for is_type in _NUMBER_TYPES)
        table.add_column(field.name, justify="right" if is_number else "left", overflow="fold")
    for row in rows.slice(0, TABLE_ROWS).to_pylist():
        table.add_row(*(_cell(value) for value in row.values()))
    buffer = io.StringIO()
    is_terminal = Console().is_terminal
    console = Console(file=buffer, width=Console().width if is_terminal else 10_000, highlight=False, markup=False)
    console.print(table)
    if rows.num_rows > TABLE_ROWS:
        console.print(f"… {rows.num_rows - TABLE_ROWS:,} more rows; use --format csv for all")
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
