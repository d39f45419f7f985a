"""Each planted fault of a table is found by its check, and good rows pass."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from emovid_assets.tables.columns import Table
from emovid_assets.tables.registry import TABLES
from emovid_assets.tables.rules import key_fault, schema_fault, value_fault
from emovid_assets_tests.checks.running import evaluate, shown
from emovid_assets_tests.planted_tables import as_written, plant, valid_row, valid_rows

table_by_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


def faults(table: Table, rows: list[dict[str, Any]], domain: str | None = "movie") -> list[str]:
    written = as_written(table.name, rows)
    found = (schema_fault(table, written), key_fault(table, written))
    return [fault for fault in (*found, value_fault(table, written, _domain(table, domain))) if fault]


def _domain(table: Table, domain: str | None) -> str | None:
    return domain if table.is_partitioned else None


@table_by_table
def test_good_rows_pass_and_so_do_none(table: Table) -> None:
    assert faults(table, valid_rows(table.name, 5)) == []
    assert faults(table, []) == []


@table_by_table
def test_a_key_that_occurs_twice_is_found_and_named(table: Table) -> None:
    row = valid_row(table.name, 7)
    (fault,) = faults(table, [*valid_rows(table.name, 3), row, row])
    assert fault.startswith("1 keys occur more than once")
    assert str(row[table.key[-1]]) in fault


@table_by_table
def test_nulls_pass_where_they_may_stand_and_are_found_elsewhere(table: Table) -> None:
    nullable = {column.name: None for column in table.columns if column.is_nullable}
    assert faults(table, [valid_row(table.name, 0) | nullable]) == []
    for column in table.columns:
        if not column.is_nullable and column.name != "domain":
            assert f"null in {column.name}" in faults(table, [valid_row(table.name, 0) | {column.name: None}])


@table_by_table
def test_a_value_outside_the_vocabulary_or_the_limits_is_found_by_name(table: Table) -> None:
    for column in table.columns:
        wrong: list[Any] = ["joy"] if column.vocabulary is not None and column.name != "domain" else []
        wrong += [] if column.minimum is None else [column.minimum - 1]
        wrong += [] if column.maximum is None else [column.maximum + 1]
        for value in wrong:
            if isinstance(value, float) and column.type == pa.int64():
                value = int(value)
            (fault,) = faults(table, [valid_row(table.name, 0), valid_row(table.name, 1) | {column.name: value}])
            assert fault.startswith(f"{column.name}: ")


@table_by_table
def test_a_limit_itself_is_allowed(table: Table) -> None:
    at_least = {column.name: column.minimum for column in table.columns if column.minimum is not None}
    at_most = {column.name: column.maximum for column in table.columns if column.maximum is not None}
    for values in (at_least, at_most):
        assert faults(table, [valid_row(table.name, 0) | values]) == []


@table_by_table
@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_found(table: Table, number: float) -> None:
    for column in table.columns:
        if column.type == pa.float64():
            (fault,) = faults(table, [valid_row(table.name, 0) | {column.name: number}])
            assert fault == f"{column.name}: not a finite number"


def test_a_row_of_another_domain_is_found() -> None:
    rows = [valid_row("clips", 0, "movie"), valid_row("clips", 1, "sticker")]
    assert faults(TABLES["clips"], rows) == ["rows of another domain than movie"]


def test_a_schema_that_is_not_the_registrys_is_found() -> None:
    table = TABLES["captions"]
    written = as_written("captions", valid_rows("captions", 1))
    fewer, other = written.drop_columns(["caption"]), written.cast(pa.schema(
        [field.with_type(pa.large_string()) if field.name == "caption" else field for field in table.schema]
    ))  # fmt: skip
    assert "the registry says" in str(schema_fault(table, fewer))
    assert "the registry says" in str(schema_fault(table, other))


def test_two_faults_are_both_told() -> None:
    row = valid_row("emotion_labels", 0, valence=0.0, emotion="joy")
    (fault,) = faults(TABLES["emotion_labels"], [row])
    assert fault == "emotion: ['joy'] not in the vocabulary; valence: 0.0 is below 1"


def test_the_checks_in_dagster_find_what_the_functions_find(tmp_path: Path) -> None:
    row = valid_row("captions", 0)
    plant(tmp_path, "captions", [row, row, valid_row("captions", 1, "animation")])
    assert evaluate(tmp_path, "captions", "schema_matches").passed
    keys = evaluate(tmp_path, "captions", "keys_are_unique")
    assert not keys.passed
    assert shown(keys, "rows") == 3
    assert "clip_id-0" in str(shown(keys, "fault"))
    assert shown(evaluate(tmp_path, "captions", "values_are_valid"), "fault") == "rows of another domain than movie"


def test_a_partition_is_checked_by_itself_while_the_others_are_missing_or_faulty(tmp_path: Path) -> None:
    row = valid_row("clips", 0, "movie")
    plant(tmp_path, "clips", [row, row], "movie")
    plant(tmp_path, "clips", valid_rows("clips", 2, "animation"), "animation")
    assert not evaluate(tmp_path, "clips", "keys_are_unique", "movie").passed
    animation = evaluate(tmp_path, "clips", "keys_are_unique", "animation")
    assert (animation.passed, animation.partition, shown(animation, "rows")) == (True, "animation", 2)
    sticker = evaluate(tmp_path, "clips", "keys_are_unique", "sticker")
    assert (sticker.passed, shown(sticker, "rows")) == (True, 0)


def test_an_unpartitioned_table_is_checked_as_a_whole(tmp_path: Path) -> None:
    assert evaluate(tmp_path, "emotion_labeller", "values_are_valid", None).passed
    plant(tmp_path, "emotion_labeller", [valid_row("emotion_labeller", 0, validation_accuracy=1.2)], None)
    fault = shown(evaluate(tmp_path, "emotion_labeller", "values_are_valid", None), "fault")
    assert fault == "validation_accuracy: 1.2 is above 1"
