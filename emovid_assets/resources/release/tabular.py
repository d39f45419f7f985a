"""Rows of a release as files: Parquet for programs, CSV for people. Equal rows give equal bytes.

Belongs here: how they are written. Does not belong here: which rows (`content`).
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP = 5_000


def write_parquet(rows: pa.Table, path: Path) -> None:
    """Row groups of 5,000: `datasets` streams one at a time."""
    plain = rows.replace_schema_metadata().combine_chunks()
    pq.write_table(plain, path, compression="zstd", row_group_size=ROW_GROUP)


def write_csv(rows: pa.Table, path: Path) -> None:
    """With a header, UTF-8; a list is JSON, a null an empty cell, an empty text is quoted."""
    import duckdb

    columns = [
        f'to_json("{field.name}")::varchar as "{field.name}"' if pa.types.is_nested(field.type) else f'"{field.name}"'
        for field in rows.schema
    ]
    with duckdb.connect() as connection:
        connection.register("rows_to_write", rows)
        target = str(path).replace("'", "''")
        connection.execute(f"copy (select {', '.join(columns)} from rows_to_write) to '{target}' (format csv, header)")
