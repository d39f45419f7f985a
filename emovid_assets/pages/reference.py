"""Writes docs/reference.md from the table registry and the headers of `sql/`, docs/cookbook.md from `sql/queries`,
and docs/settings.md.

Run `python -m emovid_assets.pages.reference` after a change of any; `--check` only says whether the files are
up to date. Belongs here: how the pages look. Does not belong here: any fact about a table, a view or a query.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from emovid_assets.pages.settings_page import render_settings
from emovid_assets.queries.named import REQUIRED, TOPICS, NamedQuery, read_named_queries
from emovid_assets.resources.catalogue_statements import duckdb_type
from emovid_assets.resources.sql_files import FunctionFile, ViewFile, read_function_files, read_view_files
from emovid_assets.tables.columns import Table, limits
from emovid_assets.tables.registry import TABLES

PROJECT = Path(__file__).resolve().parents[2]
SQL_FOLDER = PROJECT / "sql"
REFERENCE_PATH = PROJECT / "docs" / "reference.md"
COOKBOOK_PATH = PROJECT / "docs" / "cookbook.md"
SETTINGS_PATH = PROJECT / "docs" / "settings.md"

_INTRODUCTION = """\
# Reference

Every table and every view, with each column, and every function. This page is made from `emovid_assets/tables/` and
the headers of `sql/`; change those, then run `python -m emovid_assets.pages.reference`.

Tables are Parquet files: `warehouse/<table>/domain=<domain>/part-0.parquet` below the home folder, or
`warehouse/<table>/part-0.parquet` for a table that is not partitioned. `catalogue.duckdb` has a view of each table
under its own name, the views and functions below, `library_settings` (key, value: what results depend on),
`catalogue_info`, and `catalogue_files`: the files that it reads. They are hidden second names of these, so that a
build that replaces a table disturbs no reader. The texts on this page are there as comments too (`select view_name,
comment from duckdb_views()`, `select column_name, comment from duckdb_columns()`, `select function_name, comment from
duckdb_functions() where not internal`).
"""

_COOKBOOK_INTRODUCTION = """\
# Cookbook

Questions that people ask, and their queries. Each is a file in `sql/queries` and runs by its name:

```
emovid sql --list                                           # names of views, tables and queries
emovid sql --name brightest_clips --set emotion=awe         # --set gives a parameter another value
emovid sql --name training_balance --format csv -o balance.csv
emovid sql "FROM clips WHERE domain = $d" --set d=movie     # parameters of your own are bound too
emovid sql                                                  # a prompt: .tables, .describe NAME, .run NAME
```

Any DuckDB that opens `catalogue.duckdb` read-only runs them too, with values in the place of `$name`; `$home` is the
home folder. This page is made by `python -m emovid_assets.pages.reference`, and every query on it runs in the tests.
What the columns mean: [reference](reference.md).
"""


def render_cookbook(queries: Iterable[NamedQuery]) -> str:
    """The cookbook as Markdown: a chapter per topic, a section per query."""
    chapters: dict[str, list[NamedQuery]] = {topic: [] for topic in TOPICS}
    for query in queries:
        chapters[query.topic].append(query)
    parts = [_COOKBOOK_INTRODUCTION]
    for topic, members in chapters.items():
        parts += [f"## {topic.capitalize()}\n", *(_render_query(query) for query in members)]
    return "\n".join(parts)


def _render_query(query: NamedQuery) -> str:
    command = f"emovid sql --name {query.name}"
    command += "".join(f" --set {p.name}=…" for p in query.parameters if p.default == REQUIRED)
    parameters = "".join(f"- `{p.name}` ({p.type}, {p.default}): {p.meaning}\n" for p in query.parameters)
    return (
        f"### {query.question}\n\n{query.answer}\n\n`{command}`\n\n"
        f"{f'{parameters}{chr(10)}' if parameters else ''}```sql\n{query.sql};\n```\n"
    )


def render_reference(sql_folder: Path) -> str:
    """The whole page as Markdown: tables in the registry's order, then views and functions by name."""
    views = sorted(read_view_files(sql_folder), key=lambda file: file.name)
    functions = sorted(read_function_files(sql_folder), key=lambda file: file.name)
    parts = [
        _INTRODUCTION,
        "## Contents\n",
        f"Tables: {', '.join(f'[`{name}`](#{name})' for name in TABLES)}\n",
        f"Views: {', '.join(f'[`{file.name}`](#{file.name})' for file in views)}\n",
        f"Functions: {', '.join(f'[`{file.name}`](#{file.name})' for file in functions)}\n",
        "## Tables\n",
        *(_render_table(table) for table in TABLES.values()),
        "## Views\n",
        *(_render_view(file) for file in views),
        "## Functions\n",
        "DuckDB has no such functions of its own; these are macros in the catalogue, for any query on it.\n",
        *(_render_function(file) for file in functions),
    ]
    return "\n".join(parts)


def _render_table(table: Table) -> str:
    place = "one file per domain" if table.is_partitioned else "a single file"
    key = ", ".join(f"`{name}`" for name in table.key)
    rows = [
        (f"`{column.name}`", duckdb_type(column.type), column.unit or "", column.meaning, limits(column))
        for column in table.columns
    ]
    return (
        f"### {table.name}\n\n{table.meaning}\n\n"
        f"One row per {table.grain}; key {key}; {place}.\n\n"
        f"{_markdown_table(('column', 'type', 'unit', 'meaning', 'limits'), rows)}"
    )


def _render_view(file: ViewFile) -> str:
    depends_on = ", ".join(f"[`{name}`](#{name})" for name in file.depends_on) or "nothing"
    note = f"{file.note}\n\n" if file.note else ""
    rows = [(f"`{column.name}`", column.type, column.unit or "", column.meaning) for column in file.columns]
    return (
        f"### {file.name}\n\n{file.meaning}\n\n"
        f"One row per {file.grain}. Source: {file.source.rstrip('.')}. Reads {depends_on}.\n\n{note}"
        f"{_markdown_table(('column', 'type', 'unit', 'meaning'), rows)}"
    )


def _render_function(file: FunctionFile) -> str:
    note = f"{file.note}\n\n" if file.note else ""
    rows = [(f"`{argument.name}`", argument.type, argument.meaning) for argument in file.arguments]
    columns = [(f"`{column.name}`", column.type, column.unit or "", column.meaning) for column in file.columns]
    table = f"\n{_markdown_table(('column', 'type', 'unit', 'meaning'), columns)}" if columns else ""
    returns = f"Stands behind `from`; returns {file.result}." if columns else f"Returns {file.returns}: {file.result}."
    return (
        f"### {file.name}\n\n`{file.signature}`: {file.meaning}\n\n"
        f"{returns} Source: {file.source.rstrip('.')}.\n\n{note}"
        f"{_markdown_table(('argument', 'type', 'meaning'), rows)}{table}"
    )


def _markdown_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |\n" for line in lines)


def main(arguments: list[str] | None = None) -> int:
    """Writes the pages, or with `--check` compares them. Returns the exit status: 1 where one is out of date."""
    parser = argparse.ArgumentParser(prog="python -m emovid_assets.pages.reference", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a page is out of date")
    is_check = parser.parse_args(arguments).check
    queries = read_named_queries(SQL_FOLDER / "queries").values()
    status = 0
    pages = {
        REFERENCE_PATH: render_reference(SQL_FOLDER),
        COOKBOOK_PATH: render_cookbook(queries),
        SETTINGS_PATH: render_settings(),
    }
    for path, page in pages.items():
        if not is_check:
            path.write_text(page, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != page:
            sys.stderr.write(f"docs/{path.name} is out of date; run `python -m emovid_assets.pages.reference`.\n")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
