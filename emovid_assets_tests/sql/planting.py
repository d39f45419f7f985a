"""Writes small tables into a warehouse: a test names the values that matter, the registry fills in the rest."""

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from emovid_assets.core import clip_facts, disputes, phrases
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_BY_NAME
from emovid_assets.resources.catalogue import open_catalogue
from emovid_assets.tables.columns import FLAG, INTEGER, NUMBER, TEXT, TIMESTAMP
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.sql.facts_query import clip_facts_query

SQL_FOLDER = Path(__file__).parents[2] / "sql"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def row(table: str, **values: Any) -> dict[str, Any]:
    """A valid row: null where that is allowed, otherwise the first word or the lowest number that is."""
    filled: dict[str, Any] = {}
    for column in TABLES[table].columns:
        if column.is_nullable:
            filled[column.name] = None
        elif column.type == TEXT:
            filled[column.name] = column.vocabulary[0] if column.vocabulary else f"some {column.name}"
        elif column.type == INTEGER:
            filled[column.name] = int(column.minimum or 0)
        elif column.type == NUMBER:
            filled[column.name] = float(column.minimum or 0)
        elif column.type == FLAG:
            filled[column.name] = False
        elif column.type == TIMESTAMP:
            filled[column.name] = NOON
        elif pa.types.is_list(column.type):
            filled[column.name] = []
    return filled | values


def plant(home: Path, table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Replaces the partitions that the rows name (the whole table where it has none)."""
    partitions: dict[str, list[dict[str, Any]]] = {}
    for values in rows:
        folder = f"domain={values['domain']}" if TABLES[table].is_partitioned else "."
        partitions.setdefault(folder, []).append(row(table, **values))
    for folder, members in partitions.items():
        _put(home, table, folder, TABLES[table].from_rows(members))


def _put(home: Path, table: str, folder: str, rows: pa.Table) -> None:
    """Without a version of its own: a catalogue that was built before the first file sees it, and what follows."""
    path = home / "warehouse" / table / folder / "part-0.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(".part-0.parquet.tmp")
    pq.write_table(rows, hidden)
    os.replace(hidden, path)


def label(clip_id: str, domain: str, emotion: str, label_source: str = "human") -> dict[str, Any]:
    """A row of `emotion_labels` with the polarity and position of its emotion."""
    known = EMOTION_BY_NAME[emotion]
    return row(
        "emotion_labels",
        clip_id=clip_id,
        domain=domain,
        emotion=emotion,
        polarity=known.polarity,
        valence=known.valence,
        arousal=known.arousal,
        label_source=label_source,
        confidence=1.0,
    )


def derive(home: Path, connection: duckdb.DuckDBPyConnection, planted: set[str]) -> None:
    """Writes the derived tables that follow from the planted ones. `connection` is one to the catalogue.

    Where a test names no clips of a domain, every clip that its other tables name is there.
    """
    if planted & set(phrases.TABLES_READ):
        _put(home, "caption_phrase_counts", ".", phrase_counts_of(_rows(connection, phrases.TABLES_READ)))
    for domain in DOMAINS:
        if planted & set(disputes.TABLES_READ):
            tables = _rows(connection, disputes.TABLES_READ, domain)
            if tables["human_annotations"].num_rows:
                found = answer_of(disputes.disputed_clips_query(), tables, "disputed_clips")
                _put(home, "disputed_clips", f"domain={domain}", found)
        if planted & set(clip_facts.TABLES_READ):
            tables = _rows(connection, clip_facts.TABLES_READ, domain)
            if not any(rows.num_rows for rows in tables.values()):
                continue
            if not tables["clips"].num_rows:
                named = {clip for name in _NAMING for clip in tables[name]["clip_id"].to_pylist()}
                rows = [row("clips", clip_id=clip, domain=domain) for clip in named]
                tables["clips"] = TABLES["clips"].from_rows(rows)
            _put(home, "clip_facts", f"domain={domain}", answer_of(clip_facts_query(), tables, "clip_facts"))


def derive_all(home: Path) -> None:
    """The same for whatever was planted in a home."""
    read = {*phrases.TABLES_READ, *disputes.TABLES_READ, *clip_facts.TABLES_READ}
    with open_catalogue(home, SQL_FOLDER) as connection:
        derive(home, connection, read)


_NAMING = ("colour_attributes", "emotion_labels", "captions", "vlm_labels")


def answer_of(query: str, tables: Mapping[str, pa.Table], table: str) -> pa.Table:
    """The rows of a query over tables in memory, in the registry's schema of a table."""
    with duckdb.connect() as connection:
        for name, rows in tables.items():
            connection.register(name, rows)
        return connection.sql(query).to_arrow_table().cast(TABLES[table].schema)


def phrase_counts_of(tables: Mapping[str, pa.Table]) -> pa.Table:
    """`caption_phrase_counts` of captions and labels in memory."""
    if not tables["captions"].num_rows:
        # Counting nothing takes as long as all the rest of a test.
        return TABLES["caption_phrase_counts"].from_rows([])
    with duckdb.connect() as connection:
        for name, rows in tables.items():
            connection.register(name, rows)
        for statement in phrases.counting_statements():
            connection.execute(statement)
        return connection.sql(phrases.kept_phrases()).to_arrow_table().cast(TABLES["caption_phrase_counts"].schema)


def _rows(
    connection: duckdb.DuckDBPyConnection, tables: Iterable[str], domain: str | None = None
) -> dict[str, pa.Table]:
    condition = f" where domain = '{domain}'" if domain else ""
    return {name: connection.sql(f"from {name}{condition}").to_arrow_table() for name in tables}
