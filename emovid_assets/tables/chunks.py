"""Rows of any number in chunks: of a bounded number of rows, and of bounded text.

Belongs here: where tables are cut, and what Arrow does for a whole table only (put together, sort, take), done chunk by
chunk. Does not belong here: what the rows mean.

Text and lists have offsets of 32 bits. A column with 2 GiB of text is a normal thing while it stays in chunks, and an
error once something puts it together. Large types would end that and begin another one: they do not join with what is
not large. So tables are cut, always at the same places, however their rows came.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

CHUNK_ROWS = 122_880
"""DuckDB's own row group: one thread reads one."""
CHUNK_BYTES = 2**28
"""Of the text of one column, or items of a list. An eighth of what offsets reach: copies of a chunk are small, too."""


def chunks_of(
    batches: Iterable[pa.RecordBatch], *, most_rows: int = CHUNK_ROWS, most_bytes: int = CHUNK_BYTES
) -> Iterator[pa.Table]:
    """The rows as tables of a single chunk: of `most_rows`, the last one smaller, and of fewer where text is long.

    A single row may have any length.
    """
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        start = 0
        while count + batch.num_rows - start >= most_rows:
            taken = batch.slice(start, most_rows - count)
            yield from _put_together(pa.Table.from_batches([*waiting, taken]), most_bytes)
            start += taken.num_rows
            waiting, count = [], 0
        if start < batch.num_rows:
            waiting.append(batch.slice(start))
            count += batch.num_rows - start
    if waiting:
        yield from _put_together(pa.Table.from_batches(waiting), most_bytes)


def _put_together(rows: pa.Table, most_bytes: int) -> Iterator[pa.Table]:
    if _fits(rows, most_bytes):
        yield rows.combine_chunks()
    else:
        half = rows.num_rows // 2
        yield from _put_together(rows.slice(0, half), most_bytes)
        yield from _put_together(rows.slice(half), most_bytes)


def _fits(rows: pa.Table, most_bytes: int) -> bool:
    """Whether no column is longer. Asks what the values are, never how they lie in memory."""
    # All buffers together are no less than the longest of them; to count is dearer.
    return rows.num_rows < 2 or rows.nbytes <= most_bytes or max(map(_longest, rows.columns)) <= most_bytes


def _longest(values: pa.ChunkedArray) -> int:
    """The greatest number that an offset of these values has to hold."""
    if pa.types.is_list(values.type):
        items = pc.list_flatten(values)
        return max(len(items), _longest(items))
    if pa.types.is_string(values.type) or pa.types.is_binary(values.type):
        return pc.sum(pc.binary_length(values)).as_py() or 0
    return 0


def sorted_by(
    rows: pa.Table, key: Sequence[str], *, most_rows: int = CHUNK_ROWS, most_bytes: int = CHUNK_BYTES
) -> pa.Table:
    """Ascending by the key. Rows that are in order already, as those of the store of items, are not copied."""
    order = pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in key]).to_numpy()
    if np.array_equal(order, np.arange(len(order))):
        return rows
    some = (order[start : start + most_rows] for start in range(0, len(order), most_rows))
    return pa.concat_tables(taken(rows, places, most_bytes=most_bytes) for places in some)


def taken(rows: pa.Table, places: np.ndarray, *, most_bytes: int = CHUNK_BYTES) -> pa.Table:
    """The rows at these places, in the order of the places. Only what is taken is put together."""
    ascending = np.argsort(places, kind="stable")
    gathered = pa.Table.from_batches(_gathered(rows, places[ascending]), rows.schema)
    if not _fits(gathered, most_bytes):
        half = len(places) // 2
        return pa.concat_tables(taken(rows, some, most_bytes=most_bytes) for some in (places[:half], places[half:]))
    back = np.empty_like(ascending)
    back[ascending] = np.arange(len(ascending))
    return gathered.combine_chunks().take(pa.array(back))


def _gathered(rows: pa.Table, ascending: np.ndarray) -> Iterator[pa.RecordBatch]:
    first = 0
    for batch in rows.to_batches():
        begin, end = np.searchsorted(ascending, (first, first + batch.num_rows))
        if begin < end:
            yield batch.take(pa.array(ascending[begin:end] - first))
        first += batch.num_rows
