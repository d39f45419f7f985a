"""What Dagster remembers is bounded, and what is shown of an asset stays."""

import base64
import logging
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.storage.compute_log_manager import ComputeIOType

from emovid_assets.assets.kept_pictures import keeping_pictures, picture_files
from emovid_assets.assets.partitions import domain_partitions
from emovid_assets.building.runner import open_instance
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import HistorySettings
from emovid_assets.orchestration.history import DAY_S, PICTURE_REST_S, forgettable, is_due, tidy

LOG = logging.getLogger("history")
LONG_AGO_S = 1_000_000_000.0
drawn: list[bytes] = []


@dg.asset(partitions_def=domain_partitions)
def table(context: dg.AssetExecutionContext) -> None:
    sys.stdout.write("printed by the step")


@dg.asset_check(asset=table, partitions_def=domain_partitions)
def holds() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@dg.asset
def broken() -> None:
    raise dg.Failure("Nothing works today")


@dg.asset
@keeping_pictures
def pictured() -> dg.MaterializeResult:
    # What does not compress, so that the text of the event would be as long.
    drawn.append(os.urandom(40_000))
    text = base64.b64encode(drawn[-1]).decode()
    return dg.MaterializeResult(
        metadata={"chart": dg.MetadataValue.md(f"![a chart](data:image/svg+xml;base64,{text})")}
    )


@pytest.fixture
def memory() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DAGSTER_HOME", "")
    with open_instance(Home(tmp_path)) as opened:
        yield opened


def run(instance: dg.DagsterInstance, *things: object, domain: str | None = None) -> str:
    done = dg.materialize(things, instance=instance, partition_key=domain, raise_on_error=False)  # type: ignore[arg-type]
    return done.run_id


def tidied(instance: dg.DagsterInstance, *, keep_runs: int = 1, **options: float) -> int:
    return tidy(instance, HistorySettings(keep_runs=keep_runs), LOG, **options).runs


def runs_of(instance: dg.DagsterInstance) -> set[str]:
    return {one.run_id for one in instance.get_runs()}


def selects(path: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        return connection.execute(query).fetchall()


def test_the_latest_of_each_domain_stays_however_old_and_what_is_newer_than_the_limit(memory) -> None:
    old_movie, movie = (run(memory, table, holds, domain="movie") for _ in range(2))
    sticker = run(memory, table, holds, domain="sticker")
    last = [run(memory, table, holds, domain="animation") for _ in range(3)]
    assert is_due(memory, HistorySettings(keep_runs=1))
    assert tidied(memory, keep_runs=2) == 2
    assert runs_of(memory) == {movie, sticker, last[1], last[2]}
    assert old_movie not in runs_of(memory)
    # The records of the assets say what they said.
    latest = memory.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=table.key, asset_partitions=["movie"]), limit=5
    ).records
    assert [record.run_id for record in latest] == [movie]
    assert tidied(memory, keep_runs=2) == 0


def test_a_run_goes_by_its_age_too(memory) -> None:
    first, second = (run(memory, table, domain="movie") for _ in range(2))
    kept = HistorySettings(keep_days=30, keep_runs=100)
    ended_s = memory.get_run_records()[1].end_time
    assert forgettable(memory, kept, ended_s + 29 * DAY_S) == []
    assert forgettable(memory, kept, ended_s + 31 * DAY_S) == [first]
    assert tidied(memory, keep_runs=100, now_s=ended_s + 31 * DAY_S) == 1
    assert runs_of(memory) == {second}


def test_the_latest_failure_of_an_asset_stays_until_there_is_another(memory) -> None:
    earlier, failure = run(memory, broken), run(memory, broken)
    others = [run(memory, table, domain="movie") for _ in range(3)]
    assert tidied(memory) == 3
    assert runs_of(memory) == {failure, others[-1]}
    assert earlier not in runs_of(memory)


def test_the_latest_check_stays_though_its_asset_was_built_later_without_it(memory) -> None:
    checked = run(memory, table, holds, domain="movie")
    built = [run(memory, table, domain="movie") for _ in range(3)]
    assert tidied(memory) == 2
    assert runs_of(memory) == {checked, built[-1]}
    key = dg.AssetCheckKey(table.key, "holds")
    found = memory.event_log_storage.get_latest_asset_check_execution_by_key([key])
    assert found[key].run_id == checked


def test_a_run_that_has_not_ended_stays(memory) -> None:
    job = dg.Definitions([table], jobs=[dg.define_asset_job("later", [table])]).resolve_job_def("later")
    waiting = memory.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED).run_id
    for _ in range(3):
        run(memory, table, domain="movie")
    tidied(memory)
    assert waiting in runs_of(memory)


def test_nothing_of_a_forgotten_run_is_left_in_any_file(instance, tmp_path: Path) -> None:
    gone = run(instance, table, holds, domain="movie")
    # Where Dagster puts what ops hand on.
    Path(instance.storage_directory(), gone).mkdir(parents=True)
    assert [*tmp_path.rglob(f"*{gone}*")], "the run has a file and a folder of what it has printed"
    run(instance, table, holds, domain="movie")
    assert tidied(instance) == 1
    assert [*tmp_path.rglob(f"*{gone}*")] == []
    history = tmp_path / "dagster" / "history"
    for file, tables in {
        history / "runs.db": ("runs", "run_tags"),
        history / "runs" / "index.db": ("event_logs", "asset_check_executions"),
    }.items():
        for one in tables:
            found = selects(file, f"select distinct run_id from {one}")
            assert found, f"{one} holds the run that stays"
            assert (gone,) not in found, one
    tags = "select count(*) from asset_event_tags where event_id not in (select id from event_logs)"
    assert selects(history / "runs" / "index.db", tags) == [(0,)]


def test_what_a_stopped_tidying_has_left_is_taken_by_the_next(instance, tmp_path: Path) -> None:
    gone, _ = (run(instance, table, domain="movie") for _ in range(2))
    # As if it had ended after the run's record was away and before its file was.
    instance.run_storage.delete_run(gone)
    assert [*tmp_path.rglob(f"{gone}.db")]
    assert tidied(instance) == 0
    assert [*tmp_path.rglob(f"{gone}*")] == []


def test_a_picture_is_kept_once_as_a_file_and_goes_with_the_last_run_that_shows_it(instance, tmp_path: Path) -> None:
    first, second = run(instance, pictured), run(instance, pictured)
    (record,) = instance.fetch_materializations(pictured.key, limit=1).records
    text = str(record.asset_materialization.metadata["chart"].value)
    old, new = drawn[-2:]
    files = {path.read_bytes(): path for path in picture_files(instance)}
    assert set(files) == {old, new}
    assert text == f"![a chart](/logs/pictures/{files[new].stem}/svg)"
    in_events = base64.b64encode(new)[:200]
    assert not [path for path in tmp_path.rglob("*.db*") if in_events in path.read_bytes()]
    # A picture that was written just now may not have its event yet.
    assert tidied(instance) == 1
    assert first not in runs_of(instance)
    assert set(files) == {path.read_bytes() for path in picture_files(instance)} | {old}
    for path in files.values():
        os.utime(path, (path.stat().st_mtime - PICTURE_REST_S - 1,) * 2)
    run(instance, pictured)
    assert tidied(instance) == 1
    assert second not in runs_of(instance)
    assert {path.read_bytes() for path in picture_files(instance)} == {drawn[-1]}


def test_a_picture_whose_run_stays_stays_however_old(instance) -> None:
    shown = run(instance, pictured)
    (file,) = picture_files(instance)
    os.utime(file, (LONG_AGO_S, LONG_AGO_S))
    for _ in range(2):
        run(instance, table, domain="movie")
    picture = file.with_name(f"{'0' * 64}.svg")
    picture.write_bytes(b"of a step at work")
    assert tidied(instance) == 1
    assert shown in runs_of(instance)
    assert set(picture_files(instance)) == {file, picture}


def test_outside_of_a_step_and_where_no_webserver_can_hand_it_out_a_picture_stays_in_the_text() -> None:
    @keeping_pictures
    def body() -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"chart": dg.MetadataValue.md("![a](data:image/jpeg;base64,QUJD)")})

    assert body().metadata["chart"].value == "![a](data:image/jpeg;base64,QUJD)"
    with dg.DagsterInstance.ephemeral() as memory:
        run(memory, pictured)
        (record,) = memory.fetch_materializations(pictured.key, limit=1).records
    assert "(data:image/svg+xml;base64," in str(record.asset_materialization.metadata["chart"].value)


def test_the_logs_of_ticks_go_with_the_records_of_the_ticks(instance, tmp_path: Path) -> None:
    origin = RemoteInstigatorOrigin(
        RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("emovid_assets"), "__repository__"), "automation"
    )
    data = SensorInstigatorData()
    instance.add_instigator_state(
        InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.DECLARED_IN_CODE, data)
    )
    (state,) = instance.all_instigator_state()
    folder = tmp_path / "dagster" / "compute_logs" / "__repository__" / "automation"
    ticks = []
    for moment in (time.time() - 2 * DAY_S, time.time()):
        tick = instance.create_tick(
            TickData(
                instigator_origin_id=state.instigator_origin_id,
                instigator_name="automation",
                instigator_type=InstigatorType.SENSOR,
                status=TickStatus.SKIPPED,
                timestamp=moment,
                selector_id=state.selector_id,
            )
        )
        key = ["__repository__", "automation", str(tick.tick_id)]
        instance.update_tick(tick.with_log_key(key))
        with instance.compute_log_manager.open_log_stream(key, ComputeIOType.STDERR) as stream:
            stream.write("nothing was asked for")
        ticks.append(tick.tick_id)
    tidied(instance)
    assert {path.stem for path in folder.iterdir()} == {str(number) for number in ticks}
    instance.purge_ticks(
        state.instigator_origin_id, state.selector_id, time.time() - DAY_S, tick_statuses=[TickStatus.SKIPPED]
    )
    tidied(instance)
    assert {path.stem for path in folder.iterdir()} == {str(ticks[1])}


def test_what_no_run_has_said_goes_by_its_age_where_there_is_newer(instance, tmp_path: Path) -> None:
    for digest in ("first", "second"):
        for group in ("seed", "map_settings"):
            instance.report_runless_asset_event(dg.AssetObservation(group, tags={"dagster/data_version": digest}))
    for passed in (True, False):
        instance.report_runless_asset_event(dg.AssetCheckEvaluation(table.key, "holds", passed, {}))
    index = tmp_path / "dagster" / "history" / "runs" / "index.db"
    count = "select count(*) from event_logs where dagster_event_type = 'ASSET_OBSERVATION'"
    tidied(instance, now_s=time.time() + 29 * DAY_S)
    assert selects(index, count) == [(4,)]
    tidied(instance, now_s=time.time() + 31 * DAY_S)
    assert selects(index, count) == [(2,)]
    for group in ("seed", "map_settings"):
        (record,) = instance.fetch_observations(dg.AssetKey(group), limit=5).records
        assert record.asset_observation.data_version == "second"
    assert selects(index, "select count(*) from asset_check_executions") == [(1,)]
    key = dg.AssetCheckKey(table.key, "holds")
    found = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])
    assert found[key].status.value == "FAILED"


def test_the_file_of_all_runs_gives_back_what_forgotten_runs_have_taken(instance, tmp_path: Path) -> None:
    @dg.asset
    def talkative() -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"text": os.urandom(500_000).hex()})

    for _ in range(4):
        run(instance, talkative)
    found = tidy(instance, HistorySettings(keep_runs=1), LOG)
    # Dagster keeps what it says of the last run twice there: as an event and with the asset.
    assert (tmp_path / "dagster" / "history" / "runs" / "index.db").stat().st_size < 2 * 1_000_000 + 300_000
    assert found.runs == 3
    assert found.freed_bytes > 2 * 1_000_000
    assert "3 runs and 0 pictures forgotten" in found.sentence
