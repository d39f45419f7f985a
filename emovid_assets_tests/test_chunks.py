"""Tables in chunks: always cut at the same places, and never put together where 32 bits do not reach."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.resources.warehouse import content_hash
from emovid_assets.tables.chunks import chunks_of, sorted_by, taken
from emovid_assets.tables.registry import TABLES

SCHEMA = pa.schema({"key": pa.string(), "texts": pa.list_(pa.string()), "number": pa.int64()})
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "key": st.text("abc", max_size=6),
            "texts": st.none() | st.lists(st.none() | st.text("xyz", max_size=9), max_size=4),
            "number": st.integers(0, 9),
        }
    ),
    max_size=24,
)
MOST_BYTES = 20


def in_batches(rows, size):
    return pa.Table.from_pylist(rows, schema=SCHEMA).to_batches(max_chunksize=size)


def longest(rows):
    texts = [text for row in rows for text in row["texts"] or ()]
    return max(sum(len(row["key"]) for row in rows), sum(len(text or "") for text in texts), len(texts))


@given(ROWS, st.integers(1, 7), st.integers(1, 7))
def test_where_rows_are_cut_is_up_to_the_rows_alone(rows, size, other_size):
    one, other = (
        list(chunks_of(in_batches(rows, batch), most_rows=5, most_bytes=MOST_BYTES)) for batch in (size, other_size)
    )
    assert [chunk.to_pylist() for chunk in one] == [chunk.to_pylist() for chunk in other]
    assert [row for chunk in one for row in chunk.to_pylist()] == rows
    for chunk in one:
        assert all(column.num_chunks == 1 for column in chunk.columns)
        assert 1 <= chunk.num_rows <= 5
        assert chunk.num_rows == 1 or longest(chunk.to_pylist()) <= MOST_BYTES


@given(ROWS, st.integers(1, 7), st.data())
def test_rows_are_taken_in_the_order_of_their_places(rows, size, data):
    table = pa.Table.from_batches(in_batches(rows, size), SCHEMA)
    places = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=12)) if rows else []
    found = taken(table, np.array(places, np.int64), most_bytes=MOST_BYTES)
    assert found.to_pylist() == [rows[place] for place in places]


@given(ROWS, st.integers(1, 7))
def test_rows_of_many_chunks_are_sorted_as_those_of_one(rows, size):
    table = pa.Table.from_batches(in_batches(rows, size), SCHEMA)
    found = sorted_by(table, ("key", "number"), most_rows=5, most_bytes=MOST_BYTES)
    assert found.to_pylist() == sorted(rows, key=lambda row: (row["key"], row["number"]))


def test_rows_that_are_in_order_are_not_copied():
    rows = pa.table({"key": pa.chunked_array([["a", "b"], ["c"]])})
    assert sorted_by(rows, ("key",)) is rows


@pytest.fixture
def long_captions():
    """2.2 GiB of text in one column, in a few MB of memory: all chunks of it are the same one."""
    table = TABLES["captions"]
    rows = [
        {
            column.name: None if column.is_nullable else {"string": "", "int64": 0}.get(str(column.type))
            for column in table.columns
        }
        | {"clip_id": f"movie-{number:03d}", "domain": "movie", "caption": "x" * 2**18, "frame_pts_s": []}
        for number in range(64)
    ]
    chunk = pa.Table.from_pylist(rows, schema=table.schema)
    return pa.concat_tables([chunk] * 141)


@pytest.mark.integration
def test_a_column_with_more_text_than_32_bits_count_has_a_hash(long_captions):
    with pytest.raises(pa.ArrowInvalid, match="offset overflow"):
        long_captions.take([0])
    assert len(content_hash(long_captions)) == 16


def test_lists_with_more_text_than_32_bits_count_are_put_in_order():
    texts = pa.array([["x" * 2**18]] * 64)
    rows = pa.table(
        {
            "key": pa.chunked_array(
                [[f"{number:05d}" for number in range(n, n - 64, -1)] for n in range(9000, 64, -64)]
            ),
            "texts": pa.chunked_array([texts] * 140),
        }
    )
    with pytest.raises(pa.ArrowInvalid, match="offset overflow"):
        rows.sort_by("key")
    assert taken(rows, np.array([8000, 5]))["key"].to_pylist() == ["01000", "08995"]
