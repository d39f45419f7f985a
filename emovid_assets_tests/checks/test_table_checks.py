"""Each planted fault of a table is found by its check, and good rows pass."""

from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from emovid_assets.assets.table_asset import Rows, result, table_asset
from emovid_assets.freshness.runs import first_error
from emovid_assets.orchestration.io_managers import ParquetIOManager
from emovid_assets.orchestration.run_lock import RunLock
from emovid_assets.resources.project import Project
from emovid_assets.resources.warehouse import Warehouse
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
    row = valid_row("disputed_clips", 0)
    plant(tmp_path, "disputed_clips", [row, row, valid_row("disputed_clips", 1, "animation")])
    assert evaluate(tmp_path, "disputed_clips", "schema_matches").passed
    keys = evaluate(tmp_path, "disputed_clips", "keys_are_unique")
    assert not keys.passed
    assert shown(keys, "rows") == 3
    assert "clip_id-0" in str(shown(keys, "fault"))
    values = evaluate(tmp_path, "disputed_clips", "values_are_valid")
    assert shown(values, "fault") == "rows of another domain than movie"


def test_a_partition_is_checked_by_itself_while_the_others_are_missing_or_faulty(tmp_path: Path) -> None:
    row = valid_row("clip_facts", 0, "movie")
    plant(tmp_path, "clip_facts", [row, row], "movie")
    plant(tmp_path, "clip_facts", valid_rows("clip_facts", 2, "animation"), "animation")
    assert not evaluate(tmp_path, "clip_facts", "keys_are_unique", "movie").passed
    animation = evaluate(tmp_path, "clip_facts", "keys_are_unique", "animation")
    assert (animation.passed, animation.partition, shown(animation, "rows")) == (True, "animation", 2)
    sticker = evaluate(tmp_path, "clip_facts", "keys_are_unique", "sticker")
    assert (sticker.passed, shown(sticker, "rows")) == (True, 0)


def test_an_unpartitioned_table_is_checked_as_a_whole(tmp_path: Path) -> None:
    assert evaluate(tmp_path, "caption_phrase_counts", "values_are_valid", None).passed
    plant(tmp_path, "caption_phrase_counts", [valid_row("caption_phrase_counts", 0, word_count=9)], None)
    fault = shown(evaluate(tmp_path, "caption_phrase_counts", "values_are_valid", None), "fault")
    assert fault == "word_count: 9 is above 4"


class Built:
    """A table asset of this test in a home, built again with other rows each time."""

    def __init__(self, home: Path, name: str) -> None:
        self.home, self.name = home, name
        self.rows: list[dict[str, Any]] = []

        def body(project: Project) -> Rows:
            return result(name, TABLES[name].from_rows(self.rows))

        body.__name__ = name
        self._asset = table_asset(group="test", code_version="1")(body)

    def build(self, rows: list[dict[str, Any]]) -> dg.ExecuteInProcessResult:
        self.rows = rows
        project = Project(home_folder=str(self.home))
        return dg.materialize(
            [self._asset],
            partition_key="movie" if TABLES[self.name].is_partitioned else None,
            resources={
                "project": project,
                "io_manager": ParquetIOManager(project=project, run_lock=RunLock(project=project)),
            },
            raise_on_error=False,
        )

    def there(self) -> list[dict[str, Any]]:
        return Warehouse(self.home / "warehouse").read(self.name).to_pylist()


@pytest.mark.parametrize("name", ["captions", "emotion_labels", "emotion_labeller"])
def test_a_bad_table_fails_with_its_fault_and_leaves_the_good_one_in_place(tmp_path: Path, name: str) -> None:
    """An Arrow table, one that passes as a data frame, and one of all domains."""
    table, good = Built(tmp_path, name), valid_rows(name, 2)
    done = table.build(good)
    assert done.success, [event.message for event in done.all_events if event.is_failure]
    before = table.there()
    assert len(before) == 2
    checks = done.get_asset_check_evaluations()
    domain = "movie" if TABLES[name].is_partitioned else None
    assert {(one.check_name, one.passed, one.partition) for one in checks} == {
        (rule, True, domain) for rule in ("schema_matches", "keys_are_unique", "values_are_valid")
    }

    failed = table.build([*good, good[0]])

    assert not failed.success
    assert table.there() == before
    assert not failed.get_asset_materialization_events()
    told = {one.check_name: one.passed for one in failed.get_asset_check_evaluations()}
    assert told == {"schema_matches": True, "keys_are_unique": False, "values_are_valid": True}
    (event,) = [event for event in failed.all_events if event.is_step_failure]
    assert "1 keys occur more than once" in first_error(event)


def test_a_file_says_which_version_of_the_data_it_holds(tmp_path: Path) -> None:
    for name in ("captions", "emotion_labels"):
        done = Built(tmp_path, name).build(valid_rows(name, 2))
        (made,) = done.asset_materializations_for_node(name)
        footer = Warehouse(tmp_path / "warehouse").footer(name, "movie")
        assert footer is not None
        assert (footer.row_count, footer.data_version) == (2, (made.tags or {})["dagster/data_version"])
