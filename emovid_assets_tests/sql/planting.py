"""Writes small tables into a warehouse: a test names the values that matter, the registry fills in the rest."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from emovid_assets.core.emotions import EMOTION_BY_NAME
from emovid_assets.tables import FLAG, INTEGER, NUMBER, TABLES, TEXT, TIMESTAMP

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
        path = home / "warehouse" / table / folder / "part-0.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden = path.with_name(".part-0.parquet.tmp")
        pq.write_table(TABLES[table].from_rows(members), hidden)
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
