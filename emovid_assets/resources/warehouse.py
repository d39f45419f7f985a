"""The Parquet files: one per table and domain, replaced in one step.

Belongs here: paths, atomic writes, reads of what may not be there yet. Does not belong here: SQL (`catalogue`).
"""

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from emovid_assets.core.domains import DOMAINS
from emovid_assets.tables import TABLES


class Warehouse:
    """Tables below a folder. A reader sees the old file or the new one, never half of either."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, table: str, domain: str | None) -> Path:
        folder = self._folder / table
        if TABLES[table].is_partitioned:
            if domain not in DOMAINS:
                raise ValueError(
                    f"table {table} is partitioned by domain; '{domain}' is not one of {', '.join(DOMAINS)}"
                )
            folder = folder / f"domain={domain}"
        return folder / "part-0.parquet"

    def write(self, table: str, domain: str | None, rows: pa.Table) -> Path:
        """Replaces the file of a table and domain. Raises ValueError where the schema is not the registry's."""
        if rows.schema.remove_metadata() != TABLES[table].schema:
            raise ValueError(f"table {table}: the schema differs from the registry's:\n{rows.schema}")
        path = self.path(table, domain)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Hidden, so that no `*.parquet` glob of a reader sees it; in the same folder, so that replacing is atomic.
        temporary = path.with_name(f".part-0.{os.getpid()}.tmp")
        try:
            pq.write_table(rows, temporary, compression="zstd")
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        return path

    def exists(self, table: str, domain: str | None = None) -> bool:
        return self.path(table, domain).exists()

    def row_count(self, table: str, domain: str | None = None) -> int | None:
        """Rows of one file, from its footer; null where nothing was written."""
        return pq.read_metadata(self.path(table, domain)).num_rows if self.exists(table, domain) else None

    def read(self, table: str, domain: str | None = None) -> pa.Table:
        """Rows of a table: of one domain, or of all where none is named; no rows where nothing was written."""
        domains = [domain] if domain or not TABLES[table].is_partitioned else list(DOMAINS)
        paths = [path for name in domains if (path := self.path(table, name)).exists()]
        parts = [_in_schema(table, _read_file(path)) for path in paths]
        return pa.concat_tables(parts) if parts else TABLES[table].empty()


def _in_schema(table: str, rows: pa.Table) -> pa.Table:
    """The rows in the registry's columns. A nullable column that the file is too old to have is null.

    Raises ValueError where a column is missing that may not be null, or has another type.
    """
    schema = TABLES[table].schema
    for field in schema:
        if field.name not in rows.schema.names and field.nullable:
            rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
    missing = [name for name in schema.names if name not in rows.schema.names]
    if missing:
        raise ValueError(f"table {table} was written by another version and lacks {', '.join(missing)}: build it again")
    return rows.select(schema.names).cast(schema)


def _read_file(path: Path) -> pa.Table:
    # `pq.read_table` opens the path twice, for the footer and for the pages: a replacement in between would mix files.
    with path.open("rb") as file:
        return pq.ParquetFile(file).read()


def content_hash(rows: pa.Table) -> str:
    """16 hex digits of the rows in their order: equal content, equal data version."""
    digest = hashlib.sha256()
    with pa.ipc.new_stream(pa.PythonFile(_Digesting(digest), mode="w"), rows.schema) as writer:
        # Taken anew as one batch: neither chunks nor what a slice leaves in its buffers count as content.
        for batch in rows.combine_chunks().take(pa.array(range(rows.num_rows), pa.int64())).to_batches():
            writer.write_batch(batch)
    return digest.hexdigest()[:16]


class _Digesting(io.RawIOBase):
    """A file that is only hashed: the stream of a large table takes twice its space."""

    def __init__(self, digest: "hashlib._Hash") -> None:
        self._digest = digest

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._digest.update(data)
        return len(data)
