"""What a table and a column are, and the columns that several tables share.

Belongs here: types, limits, vocabularies, columns of more than one stage, rows in and out of Arrow. Does not belong
here: any table (a file per stage beside this one), and how a value is computed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.tables.chunks import chunks_of, sorted_by, taken

TEXT, INTEGER, NUMBER, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
TIMESTAMP = pa.timestamp("us", tz="UTC")
NUMBERS, TEXTS = pa.list_(pa.float64()), pa.list_(pa.string())

ROWS_AT_ONCE = 512

PURPOSES = ("label", "verify", "validate", "review")
LABELLER_KINDS = ("embedded", "zero_shot", "fine_tuned")
OUTCOMES = ("agreed", "no_majority", "no_specific_emotion", "rejected")


@dataclass(frozen=True)
class Column:
    """One column. Limits are inclusive; `vocabulary` and limits do not apply to nulls."""

    name: str
    type: pa.DataType
    meaning: str
    unit: str | None = None
    is_nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    vocabulary: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Table:
    """One table: one Parquet file per domain, or a single file where `is_partitioned` is false."""

    name: str
    grain: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    is_partitioned: bool = True
    uses_pandas_type: bool = False

    @cached_property
    def schema(self) -> pa.Schema:
        return pa.schema([pa.field(c.name, c.type, nullable=c.is_nullable) for c in self.columns])

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.column_names)

    def empty(self) -> pa.Table:
        return self.schema.empty_table()

    def from_rows(self, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
        """Arrow table sorted by the key, so that equal content has equal bytes.

        Rows may come from a generator: a few hundred at a time are held as Python objects, which take some ten
        times the space of columns.

        Raises KeyError where a row misses a column or has one too many: a silent null is a bug.
        """
        return sorted_by(pa.concat_tables([self.empty(), *chunks_of(self._batches(rows))]), self.key)

    def _batches(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[pa.RecordBatch]:
        waiting = iter(rows)
        while some := [self._checked(row) for row in islice(waiting, ROWS_AT_ONCE)]:
            yield pa.RecordBatch.from_pylist(some, schema=self.schema)

    def taken_from(self, rows: pa.Table) -> pa.Table:
        """The columns of this table out of one that has more of them, in the same order of rows."""
        return rows.select(list(self.column_names)).cast(self.schema)

    def _checked(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        # Of as many names, of which none is unknown, none is missing.
        if len(row) != len(self._names) or not self._names.issuperset(row):
            missing, extra = sorted(self._names - row.keys()), sorted(row.keys() - self._names)
            raise KeyError(f"table {self.name}: row misses {missing} and has unknown {extra}")
        return row


def identifier(name: str, meaning: str, *, is_nullable: bool = False) -> Column:
    return Column(name, TEXT, meaning, is_nullable=is_nullable)


def share(name: str, meaning: str, *, is_nullable: bool = False) -> Column:
    return Column(name, NUMBER, meaning, is_nullable=is_nullable, minimum=0, maximum=1)


LOW_END = "lower end of the 95 % interval, drawn by source video; null with too few of them"
HIGH_END = "upper end of the 95 % interval"


def coefficient(name: str, meaning: str) -> Column:
    return Column(name, NUMBER, meaning, is_nullable=True, minimum=-1, maximum=1)


def count(name: str, meaning: str, minimum: int = 0) -> Column:
    return Column(name, INTEGER, meaning, minimum=minimum)


def emotion(name: str = "emotion", meaning: str = "one of the eight", *, is_nullable: bool = False) -> Column:
    return Column(name, TEXT, meaning, is_nullable=is_nullable, vocabulary=EMOTION_NAMES)


DOMAIN = Column("domain", TEXT, "movie, animation or sticker; the partition", vocabulary=DOMAINS)
DOMAIN_OF_ROW = Column("domain", TEXT, "movie, animation or sticker", vocabulary=DOMAINS)
"""In a table of all domains."""
SOURCE_ID = identifier("source_id", "`<domain>-<first 16 hex digits of the SHA-256 of the file>`")
CLIP_ID = identifier("clip_id", "`<source_id>-<start_ms>-<end_ms>`, both zero-padded to 8 digits")
INTENDED_EMOTION = emotion(
    "intended_emotion", "emotion under which the sticker was collected; null where unknown", is_nullable=True
)
DURATION_S = Column("duration_s", NUMBER, "length by presentation stamps", "s", minimum=0)
SHA256 = Column("sha256", TEXT, "SHA-256 of the file, hex")
HAS_AUDIO = Column("has_audio", FLAG, "whether an audio stream exists")
MODEL_ID = Column("model_id", TEXT, "the model that answered; `embedded/...` are this project's own small models")
MODEL_REVISION = Column("model_revision", TEXT, "content hash or revision of that model")
PROMPT_SHA256 = Column(
    "prompt_sha256", TEXT, "SHA-256 of the prompt; null where the model takes none", is_nullable=True
)
FRAME_PTS_S = Column("frame_pts_s", NUMBERS, "frames that the model saw, from the clip's first frame", "s")
PURPOSE = Column("purpose", TEXT, "why the clip was shown", vocabulary=PURPOSES)


def rows_of(table: pa.Table, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Rows as dictionaries, optionally of some columns only."""
    return (table.select(list(columns)) if columns else table).to_pylist()


def each_row(table: pa.Table, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """The same, a few hundred at a time: for tables of clips and sources, which grow with the library."""
    chosen = table.select(list(columns)) if columns else table
    for batch in chosen.to_batches(max_chunksize=ROWS_AT_ONCE):
        yield from batch.to_pylist()


def rows_together(table: pa.Table, *others: pa.Table, key: str = "clip_id") -> Iterator[tuple[dict[str, Any], ...]]:
    """Each row of the table with the row of the same key of each other one, in the order of the first; a row that one
    of the others lacks is left out. A few hundred at a time are Python objects."""
    places = [pc.index_in(table[key], value_set=other[key]).to_numpy() for other in others]
    known = np.flatnonzero(np.all([~np.isnan(found) for found in places], axis=0))
    for start in range(0, len(known), ROWS_AT_ONCE):
        here = known[start : start + ROWS_AT_ONCE]
        beside = (taken(other, found[here].astype(np.int64)) for other, found in zip(others, places, strict=True))
        yield from zip(taken(table, here).to_pylist(), *(rows.to_pylist() for rows in beside), strict=True)


def limits(column: Column) -> str:
    """What a value may be, in words: range or vocabulary, and whether it may be null."""
    parts = []
    if column.vocabulary is not None:
        parts.append(", ".join(f"`{word}`" for word in column.vocabulary))
    if column.minimum is not None and column.maximum is not None:
        parts.append(f"{column.minimum:g} to {column.maximum:g}")
    elif column.minimum is not None:
        parts.append(f"≥ {column.minimum:g}")
    elif column.maximum is not None:
        parts.append(f"≤ {column.maximum:g}")
    if column.is_nullable:
        parts.append("may be null")
    return "; ".join(parts)
