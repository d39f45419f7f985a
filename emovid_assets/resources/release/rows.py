"""What a release could say of every clip: the join of the tables, before anybody has decided what it may say.

Belongs here: the query, and the files that the clips have in the home. Does not belong here: columns and their meanings
(`tables.release`), what may be given away (`core.release.gate`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emovid_assets.tables.release import RELEASE_FACTS

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MEDIA_PATH, FIRST_FRAME_PATH = "media_path", "home_first_frame_path"
"""Columns with files of the home, which no release shows."""
_KEYS = {"source_videos": "source_id"}
_NEEDED = ("clips", "emotion_labels", "benchmark_split", "segments", "scanned_segments", "source_videos")
"""Of these every row has one; of the others those that a build has reached."""


def released_rows(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """A row per clip with a final label and a split, sorted by clip id, out of an open catalogue: the columns of
    `RELEASE_FACTS`, and `MEDIA_PATH`, `FIRST_FRAME_PATH` (null where there is none)."""
    return connection.sql(_query()).to_arrow_table()


def published(connection: duckdb.DuckDBPyConnection, table: str) -> pa.Table:
    """The rows of a table that is released beside the clips, as the home has them, in the order of its key."""
    return connection.sql(f"from {table} order by all").to_arrow_table()


def _query() -> str:
    columns = [
        f"{table}.{column} as {name}" for table, names in RELEASE_FACTS.items() for column, name in names.items()
    ]
    columns += [f"clip_media.media_path as {MEDIA_PATH}", f"benchmark_split.first_frame_path as {FIRST_FRAME_PATH}"]
    joins = []
    for table in (name for name in RELEASE_FACTS if name != "clips"):
        key = _KEYS.get(table, "clip_id")
        kind = "inner" if table in _NEEDED else "left"
        joins.append(f"{kind} join {table} on clips.{key} = {table}.{key}")
    return f"select {', '.join(columns)} from clips {' '.join(joins)} order by clips.clip_id"
