"""The Parquet files: one per table and domain, replaced in one step.

`part-0.parquet` is the table as it is now. DuckDB opens a file by its name several times per query, so a name whose
content changes in between gives an error, or worse. So every content also has a name of its own that never holds
anything else, `.part-<SHA-256 of the file>.version`: the same file under a second name (a hard link), which the
catalogue reads. Its ending keeps it out of `*.parquet`, so that nobody reads two versions at once.

Belongs here: paths, atomic writes, old versions, reads of what may not be there yet. Does not belong here: SQL
(`catalogue`).
"""

import hashlib
import io
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.identity import file_sha256
from emovid_assets.core.placing import make_folder, move_into_place, put_into_place, temporary_beside
from emovid_assets.tables.chunks import CHUNK_ROWS, chunks_of
from emovid_assets.tables.registry import TABLES

VERSIONS = ".part-*.version"
RETIRED_FOR_S = 3600.0
"""A version that is no longer the table's stays that long, and until the one after it is replaced too: whoever opened
the catalogue before still reads it."""
PAGE_BYTES = 65_536
"""Of large tables: a reader of twenty rows unpacks a page of each column."""
SAMPLED_ROWS = 8_192
_COMPRESSION = "zstd"


VERSION_KEY = "emovid.data_version"
"""Of the metadata of a Parquet file: which version of the data it holds, by the record of the build that wrote it. A
record and a file that disagree are of two builds, one of which a crash has undone."""


DOMAIN_KEY = "emovid.domain"
"""Of the metadata of a file that was written in batches, before its version was known: whose table it is. One that was
copied over that of another domain keeps the name of the version that it has overwritten."""


class OtherVersionError(ValueError):
    """A table was written before a column was added that may not be null; a build makes it anew."""


class DamagedTableError(OtherVersionError):
    """The file of a table is none that can be read, such as one that a power cut has emptied; a build makes it anew."""


class Footer(NamedTuple):
    """`data_version` is null in files of earlier versions, and of tables that Dagster hears of only afterwards.
    `domain` is null in all others, in those over all domains, and in files of earlier versions."""

    row_count: int
    columns: tuple[str, ...]
    data_version: str | None
    domain: str | None = None


def stamped(rows: pa.Table, data_version: str) -> pa.Table:
    """The rows, which say in their file which version they are."""
    return rows.replace_schema_metadata({VERSION_KEY: data_version})


def of_domain(schema: pa.Schema, domain: str | None) -> pa.Schema:
    """The schema of batches, which say in their file whose they are."""
    return schema.with_metadata({DOMAIN_KEY: domain}) if domain else schema


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

    def version(self, table: str, domain: str | None = None) -> Path | None:
        """The name that will never hold anything but the table's present rows; null where the file is absent or was
        not written by this class."""
        return _twin(self.path(table, domain))

    def state(self, table: str, domain: str | None = None) -> str:
        """A text that is another one whenever the table is."""
        version = self.version(table, domain)
        if version is not None:
            return version.name.removeprefix(".part-").removesuffix(".version")
        if not self.exists(table, domain):
            return "absent"
        status = self.path(table, domain).stat()
        return f"{status.st_size} bytes of {status.st_mtime_ns}"

    def is_whole(self, table: str, domain: str | None, state: str) -> bool:
        """Whether the table is in this state and has every byte that was written. Reads the file."""
        version = self.version(table, domain)
        return version is not None and self.state(table, domain) == state and holds_its_name(version)

    def write(self, table: str, domain: str | None, rows: pa.Table) -> Path:
        """Replaces the file of a table and domain; equal rows leave everything as it is.

        Raises ValueError where the schema is not the registry's.
        """
        with self._replacing(table, domain, rows.schema) as temporary:
            _write_chunks(temporary, rows.schema, chunks_of(rows.to_batches()) if rows.num_rows else iter([rows]))
        return self.path(table, domain)

    def write_batches(self, table: str, domain: str | None, batches: pa.RecordBatchReader) -> Path:
        """The same for rows that come one batch after another: a chunk of them is in memory at a time."""
        schema, said = TABLES[table].schema, batches.schema.metadata
        # What the batches say of themselves goes into the file, as it does with rows.
        written = schema.with_metadata(said) if said else schema
        with self._replacing(table, domain, batches.schema) as temporary:
            _write_chunks(temporary, written, (chunk.cast(schema) for chunk in chunks_of(batches)))
        return self.path(table, domain)

    @contextmanager
    def _replacing(self, table: str, domain: str | None, schema: pa.Schema) -> Iterator[Path]:
        """A file to write to, which is the table's once the block has ended without an error."""
        if schema.remove_metadata() != TABLES[table].schema:
            raise ValueError(f"table {table}: the schema differs from the registry's:\n{schema}")
        path = self.path(table, domain)
        make_folder(path.parent)
        # No `*.parquet` glob of a reader sees it.
        with temporary_beside(path) as temporary:
            yield temporary
            _make_current(temporary, path)

    def exists(self, table: str, domain: str | None = None) -> bool:
        return self.path(table, domain).exists()

    def footer(self, table: str, domain: str | None = None) -> Footer | None:
        """What a file says of itself; null where there is none that can be read."""
        try:
            found = pq.read_metadata(self.path(table, domain))
        except (OSError, pa.ArrowInvalid):
            return None
        said = found.metadata or {}
        version, whose = (said.get(key.encode(), b"").decode() for key in (VERSION_KEY, DOMAIN_KEY))
        names = tuple(found.schema.to_arrow_schema().names)
        return Footer(found.num_rows, names, version or None, whose or None)

    def row_count(self, table: str, domain: str | None = None) -> int | None:
        """Rows of one file, from its footer; null where nothing was written, or nothing can be read."""
        footer = self.footer(table, domain)
        return footer.row_count if footer else None

    def read(self, table: str, domain: str | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """Rows of a table: of one domain, or of all where none is named; no rows where nothing was written.

        `columns`: in this order, and no others. Raises OtherVersionError.
        """
        schema = TABLES[table].schema
        wanted = schema if columns is None else pa.schema([schema.field(name) for name in columns])
        parts = list(self.parts(table, domain, wanted.names))
        # `empty_table` loads pandas.
        return pa.concat_tables(parts) if parts else pa.Table.from_batches([], wanted)

    def parts(
        self, table: str, domain: str | None = None, columns: Sequence[str] | None = None, rows: int = CHUNK_ROWS
    ) -> Iterator[pa.Table]:
        """The same in parts of at most so many rows, for who needs no more of them in memory. Raises as `read`."""
        schema = TABLES[table].schema
        wanted = schema if columns is None else pa.schema([schema.field(name) for name in columns])
        for name in [domain] if domain or not TABLES[table].is_partitioned else DOMAINS:
            path = self.path(table, name)
            if path.exists():
                yield from (_in_schema(table, wanted, part) for part in _read_file(table, path, wanted.names, rows))


def _in_schema(table: str, schema: pa.Schema, rows: pa.Table) -> pa.Table:
    """The rows in these of the registry's columns. A nullable column that the file is too old to have is null.

    Raises OtherVersionError where a column is missing that may not be null, ValueError where one has another type.
    """
    for field in schema:
        if field.name not in rows.schema.names and field.nullable:
            rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
    missing = [name for name in schema.names if name not in rows.schema.names]
    if missing:
        raise OtherVersionError(
            f"table {table} was written by another version and lacks {', '.join(missing)}: build it again"
        )
    return rows.select(schema.names).cast(schema)


def _read_file(table: str, path: Path, columns: Sequence[str], rows: int) -> Iterator[pa.Table]:
    # `pq.read_table` opens the path twice, for the footer and for the pages: a replacement in between would mix files.
    try:
        with path.open("rb") as file:
            stored = pq.ParquetFile(file)
            there = [name for name in columns if name in stored.schema_arrow.names]
            schema = pa.schema([stored.schema_arrow.field(name) for name in there])
            # First none: a file without rows has its columns, too.
            yield pa.Table.from_batches([], schema)
            # In batches: nothing reads a column of lists whose text has offsets beyond 32 bits as a whole.
            for batch in stored.iter_batches(rows, columns=there):
                yield pa.Table.from_batches([batch], schema)
    except (pa.ArrowInvalid, IsADirectoryError) as error:
        raise DamagedTableError(f"table {table} cannot be read from {path} ({error}): build it again") from error


def is_version(path: Path) -> bool:
    """Whether a file has the name of a version: it never holds anything else."""
    return path.match(VERSIONS)


def holds_its_name(version: Path) -> bool:
    """Whether a version has the bytes that its name says. Reads them all."""
    return version.name == _version_name(file_sha256(version))


def _version_name(sha256: str) -> str:
    return f".part-{sha256[:16]}.version"


def _make_current(temporary: Path, path: Path) -> None:
    """The file becomes a version, and `path` another name of it."""
    before = _twin(path)
    version = path.with_name(_version_name(file_sha256(temporary)))
    # Equal bytes are there already, unless something has damaged them.
    if not (version.exists() and holds_its_name(version)):
        move_into_place(temporary, version)
    if _twin(path) == version:
        return
    os.utime(version)
    with put_into_place(path) as second_name:
        try:
            os.link(version, second_name)
        except OSError:
            # A file system without hard links.
            shutil.copy2(version, second_name)
    if before not in (None, version):
        # From now on it is of the past: its time says since when.
        os.utime(before)
    _remove_retired(path.parent, version)


def _twin(path: Path) -> Path | None:
    """The version that is the same file as `path`, or a copy of it where the file system has no hard links."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    for version, found in _versions(path.parent):
        is_copy = (found.st_size, found.st_mtime_ns) == (status.st_size, status.st_mtime_ns)
        if is_copy or os.path.samestat(found, status):
            return version
    return None


def _versions(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for version in folder.glob(VERSIONS):
        # Another build may just have removed it.
        with suppress(FileNotFoundError):
            yield version, version.stat()


def _remove_retired(folder: Path, current: Path) -> None:
    """Removes all former versions but the latest, once they are `RETIRED_FOR_S` old. The current one has just been
    stamped, by the clock that has stamped the others."""
    now_s = current.stat().st_mtime
    retired = {version: found.st_mtime for version, found in _versions(folder) if version != current}
    for version in sorted(retired, key=retired.__getitem__)[:-1]:
        if now_s - retired[version] > RETIRED_FOR_S:
            version.unlink(missing_ok=True)


def _write_chunks(path: Path, schema: pa.Schema, chunks: Iterator[pa.Table]) -> None:
    """A row group a chunk."""
    first = next(chunks, None)
    options = {} if first is None else _options(first)
    with pq.ParquetWriter(path, schema, compression=_COMPRESSION, **options) as writer:
        for chunk in chain([] if first is None else [first], chunks):
            writer.write_table(chunk)


def _options(first: pa.Table) -> dict[str, Any]:
    """How a table is laid out, by its first row group; small ones as Arrow does by itself.

    A column most of whose values occur once has no dictionary: to make one takes time, and who reads a single row would
    unpack all of it.
    """
    if first.num_rows < CHUNK_ROWS:
        return {}
    sample = first.slice(0, SAMPLED_ROWS)
    return {
        "data_page_size": PAGE_BYTES,
        "use_dictionary": [
            leaf for name in first.column_names if not _is_key(sample[name]) for leaf in _leaves(first.field(name))
        ],
    }


def _is_key(values: pa.ChunkedArray) -> bool:
    return not pa.types.is_nested(values.type) and 2 * pc.count_distinct(values).as_py() > len(values)


def _leaves(field: pa.Field, above: str = "") -> list[str]:
    """Names of a column, or of what it is nested of, as Parquet has them."""
    name = f"{above}{field.name}"
    if pa.types.is_list(field.type):
        return _leaves(field.type.value_field.with_name("element"), f"{name}.list.")
    if pa.types.is_struct(field.type):
        return [leaf for part in field.type for leaf in _leaves(part, f"{name}.")]
    return [name]


def content_hash(rows: pa.Table) -> str:
    """16 hex digits of the rows in their order: equal content, equal data version."""
    digest = hashlib.sha256()
    with pa.ipc.new_stream(pa.PythonFile(_Digesting(digest), mode="w"), rows.schema) as writer:
        # Taken anew, cut at places of our own: neither chunks nor what a slice leaves in its buffers count as content.
        for chunk in chunks_of(rows.to_batches()):
            for batch in chunk.take(pa.array(np.arange(chunk.num_rows))).to_batches():
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
