"""The registry is consistent in itself, and refuses rows that it does not know."""

import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.resources.warehouse import content_hash
from emovid_assets.tables.columns import rows_of
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.planted_tables import valid_row, valid_rows

table_by_table = pytest.mark.parametrize("name", sorted(TABLES))


@table_by_table
def test_a_table_has_unique_columns_and_its_key_among_them(name: str) -> None:
    table = TABLES[name]
    assert table.name == name
    assert len(set(table.column_names)) == len(table.columns)
    assert table.key
    assert set(table.key) <= set(table.column_names)
    assert not [column.name for column in table.columns if column.name in table.key and column.is_nullable]


@table_by_table
def test_a_partitioned_table_carries_its_domain_and_another_only_where_its_rows_are_clips(name: str) -> None:
    is_of_clips = "clip_id" in TABLES[name].column_names
    assert ("domain" in TABLES[name].column_names) == (TABLES[name].is_partitioned or is_of_clips)


@table_by_table
def test_every_column_says_what_it_means_and_has_sensible_limits(name: str) -> None:
    for column in TABLES[name].columns:
        assert len(column.meaning) >= 3
        if column.vocabulary is not None:
            assert column.type == pa.string()
            assert len(set(column.vocabulary)) == len(column.vocabulary) > 0
        if column.minimum is not None and column.maximum is not None:
            assert column.minimum < column.maximum
        if column.minimum is not None or column.maximum is not None:
            assert pa.types.is_integer(column.type) or pa.types.is_floating(column.type)


@pytest.mark.parametrize(
    ("suffix", "unit"), [("_s", "s"), ("_px", "px"), ("_deg", "deg"), ("_hz", "hz"), ("_bytes", "bytes"), ("_db", "db")]
)
def test_a_suffix_of_a_name_is_the_unit_of_the_column(suffix: str, unit: str) -> None:
    columns = [column for table in TABLES.values() for column in table.columns if column.name.endswith(suffix)]
    assert columns
    assert {column.unit for column in columns} == {unit}


def test_the_columns_of_the_label_tables_are_those_of_the_contract() -> None:
    assert TABLES["human_labels"].column_names == (
        *("clip_id", "domain", "emotion", "agree_count", "annotator_count", "outcome"),
    )
    assert TABLES["vlm_labels"].column_names == (
        *("clip_id", "domain", "emotion", "confidence"),
        *(f"p_{name}" for name in EMOTION_NAMES),
        *("model_id", "model_revision", "prompt_sha256", "frame_pts_s", "parse_status"),
        *("mass", "temperature", "prompt_token_count"),
    )
    assert TABLES["benchmark_split"].column_names == (
        *("clip_id", "domain", "split", "emotion", "label_source", "group_id", "prompt", "first_frame_path"),
        "first_frame_index",
    )


@table_by_table
def test_rows_come_back_as_they_went_in(name: str) -> None:
    rows = valid_rows(name, 3)
    table = TABLES[name].from_rows(rows)
    assert table.schema == TABLES[name].schema
    assert rows_of(table) == rows
    assert rows_of(table, TABLES[name].key) == [{key: row[key] for key in TABLES[name].key} for row in rows]


@table_by_table
def test_a_row_with_a_column_too_few_or_too_many_is_refused_by_name(name: str) -> None:
    row = valid_row(name, 0)
    missing = TABLES[name].column_names[-1]
    with pytest.raises(KeyError, match=f"{name}: row misses .*{missing}"):
        TABLES[name].from_rows([{column: value for column, value in row.items() if column != missing}])
    with pytest.raises(KeyError, match=r"unknown \['mood'\]"):
        TABLES[name].from_rows([row | {"mood": "fine"}])


@table_by_table
def test_the_order_of_the_rows_does_not_matter(name: str) -> None:
    rows = valid_rows(name, 20)
    shuffled = random.Random(4).sample(rows, len(rows))
    one, other = TABLES[name].from_rows(rows), TABLES[name].from_rows(shuffled)
    assert content_hash(one) == content_hash(other)
    buffers = []
    for table in (one, other):
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        buffers.append(sink.getvalue().to_pybytes())
    assert buffers[0] == buffers[1]


@table_by_table
def test_a_changed_value_changes_the_hash_and_the_chunking_does_not(name: str) -> None:
    table = TABLES[name].from_rows(valid_rows(name, 4))
    in_chunks = pa.concat_tables([table.slice(0, 1), table.slice(1)])
    fewer = TABLES[name].from_rows(valid_rows(name, 3))
    assert content_hash(in_chunks) == content_hash(table) != content_hash(fewer)


@table_by_table
def test_no_rows_are_a_table_too(name: str) -> None:
    assert TABLES[name].from_rows([]).equals(TABLES[name].empty())
