"""Runs the queries that make the derived tables, in bounded memory: rows come in batches and go into the file.

What they are made of is known by the versions of the files that are read, so that a build that finds the same files
derives nothing. `clip_facts` is put together for some sources after the other: whole tables of millions of clips take
many gigabytes.

Belongs here: which files are read, how much at once, where DuckDB may spill. Does not belong here: the queries
(`core.clip_facts`, `core.disputes`, `core.phrases`).
"""

# As text: annotations that keep a type of DuckDB to the end make a process with torch and Dagster print it as leaked
# (findings/duckdb_types_in_annotations_are_reported.sh).
from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import duckdb
import pyarrow as pa

from emovid_assets.core import clip_facts, disputes, phrases
from emovid_assets.core.domains import DOMAINS
from emovid_assets.home.file_lock import locked
from emovid_assets.resources.catalogue_statements import table_view_sql
from emovid_assets.resources.warehouse import of_domain
from emovid_assets.resources.workplace import Workplace
from emovid_assets.tables.registry import TABLES

MEMORY_LIMIT = "2GB"
"""Of DuckDB; what does not fit is spilled to a temporary folder below the home folder."""
SPILL_PREFIX, SPILL_LOCK = ".deriving-", ".deriving.lock"
CLIPS_AT_ONCE = 250_000
BATCH_ROWS = 65_536
VERSION = "3"
"""To be raised where a query gives other rows than before."""


def derive_clip_facts(project: Workplace, domain: str) -> bool:
    """Makes the table of a domain where it is not there already; returns whether it had to be made."""

    def batches(connection: duckdb.DuckDBPyConnection) -> Iterator[pa.RecordBatch]:
        for low, high in _source_ranges(connection, domain):
            for name in clip_facts.TABLES_READ:
                # A clip's id begins with that of its source, and ids of a domain are of one length.
                column = "source_id" if name in clip_facts.SOURCE_TABLES else "clip_id"
                limits = [f"{column} >= '{low}'"] if low else []
                limits += [f"{column} < '{high}'"] if high else []
                _narrow(connection, name, domain, limits)
            tables = {name: connection.sql(clip_facts.wanted(name)).to_arrow_table() for name in clip_facts.TABLES_READ}
            yield from clip_facts.joined(tables).to_batches(BATCH_ROWS)

    return _derive(project, "clip_facts", domain, clip_facts.TABLES_READ, batches)


def derive_disputed_clips(project: Workplace, domain: str) -> bool:
    """Makes the table of a domain where it is not there already; returns whether it had to be made."""

    def batches(connection: duckdb.DuckDBPyConnection) -> Iterator[pa.RecordBatch]:
        for name in disputes.TABLES_READ:
            _narrow(connection, name, domain, [])
        yield from _batches(connection, disputes.disputed_clips_query())

    return _derive(project, "disputed_clips", domain, disputes.TABLES_READ, batches)


def derive_caption_phrase_counts(project: Workplace) -> bool:
    """Makes the table where it is not there already; returns whether it had to be made."""

    def batches(connection: duckdb.DuckDBPyConnection) -> Iterator[pa.RecordBatch]:
        for name in phrases.TABLES_READ:
            connection.execute(f"create or replace view {name} as from whole.{name}")
        for statement in phrases.counting_statements():
            connection.execute(statement)
        yield from _batches(connection, phrases.kept_phrases())

    return _derive(project, "caption_phrase_counts", None, phrases.TABLES_READ, batches)


def _derive(
    project: Workplace,
    table: str,
    domain: str | None,
    tables_read: Sequence[str],
    batches: Callable[[duckdb.DuckDBPyConnection], Iterator[pa.RecordBatch]],
) -> bool:
    warehouse = project.warehouse
    domains = [domain] if domain else DOMAINS
    states = [warehouse.state(name, part) for name in sorted(tables_read) for part in domains]
    key = "|".join((VERSION, *states))

    def make() -> dict[str, str]:
        schema = TABLES[table].schema
        with _reading(project.home.root, tables_read) as connection:
            cast = (
                part
                for batch in batches(connection)
                for part in pa.Table.from_batches([batch]).cast(schema).to_batches()
            )
            project.write(table, domain, pa.RecordBatchReader.from_batches(of_domain(schema, domain), cast))
        return {"state": warehouse.state(table, domain)}

    name = f"{table}/{domain}" if domain else table
    made, is_new = project.remembered(name, key, make)
    if is_new or warehouse.is_whole(table, domain, made["state"]):
        return is_new
    # Somebody else has changed or removed the file.
    make()
    return True


@contextmanager
def _reading(home: Path, tables: Sequence[str]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB with the tables as views of the schema `whole`."""
    with _spill_folder(home) as folder:
        settings = {"memory_limit": MEMORY_LIMIT, "temp_directory": folder}
        with duckdb.connect(str(Path(folder) / "temporary.duckdb"), config=settings) as connection:
            connection.execute("create schema whole")
            connection.execute("use whole")
            for name in tables:
                connection.execute(table_view_sql(TABLES[name], home))
            connection.execute("use main")
            yield connection


@contextmanager
def _spill_folder(home: Path) -> Iterator[str]:
    """A temporary folder below the home folder; those of processes that were killed are removed.

    A file in the folder is locked by the process that uses it, and the lock ends with the process. Nobody looks at
    folders while one is made that is not locked yet.
    """
    with ExitStack() as held:
        with locked(home / SPILL_LOCK):
            for left in home.glob(f"{SPILL_PREFIX}*"):
                with suppress(OSError, _InUseError), locked(left / SPILL_LOCK, _in_use):
                    shutil.rmtree(left, ignore_errors=True)
            folder = tempfile.mkdtemp(prefix=SPILL_PREFIX, dir=home)
            held.callback(shutil.rmtree, folder, ignore_errors=True)
            held.enter_context(locked(Path(folder) / SPILL_LOCK))
        yield folder


class _InUseError(Exception):
    """A folder of another process that is at work."""


def _in_use() -> None:
    raise _InUseError


def _narrow(connection: duckdb.DuckDBPyConnection, table: str, domain: str, limits: Sequence[str]) -> None:
    condition = " and ".join([f"domain = '{domain}'", *limits])
    connection.execute(f"create or replace view {table} as from whole.{table} where {condition}")


def _source_ranges(connection: duckdb.DuckDBPyConnection, domain: str) -> Iterator[tuple[str | None, str | None]]:
    """Ranges of source ids, first included and last not, that hold about `CLIPS_AT_ONCE` clips each."""
    bounds = connection.execute(
        "select min(source_id) from ("
        "  select source_id, (sum(count(*)) over (order by source_id) - count(*)) // ? as part"
        "  from whole.clips where domain = ? group by source_id"
        ") where part > 0 group by part order by part",
        [CLIPS_AT_ONCE, domain],
    ).fetchall()
    ends = [None, *(bound for (bound,) in bounds), None]
    yield from pairwise(ends)


def _batches(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[pa.RecordBatch]:
    with connection.sql(query).to_arrow_reader(BATCH_ROWS) as reader:
        yield from reader
