"""All three domains as a backfill that the daemon launches, as it happens from the UI."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemotePartitionSetOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.utils import make_new_backfill_id

from emovid_assets.core.domains import DOMAINS
from emovid_assets.freshness.runs import planned_places
from emovid_assets.freshness.staleness import Place
from emovid_assets.home.folders import Home
from emovid_assets.orchestration.instance import prepare_instance_folder
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.assets.homes import ROOT, build, draw_gif, errors_of, rows

pytestmark = pytest.mark.integration

TIMEOUT_S = 240
WORKSPACE = str(ROOT / "workspace.yaml")
PROGRAMS = Path(sys.executable).parent
BUILD_DATASET = RemotePartitionSetOrigin(
    repository_origin=RemoteRepositoryOrigin(
        code_location_origin=ManagedGrpcPythonEnvCodeLocationOrigin(
            loadable_target_origin=LoadableTargetOrigin(module_name="emovid_assets.definitions"),
            location_name="emovid_assets",
        ),
        repository_name="__repository__",
    ),
    partition_set_name="build_dataset_partition_set",
)
"""How the UI names the partitions of the job to the daemon."""


@contextmanager
def daemon(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon with its code server and run workers; all of them are gone afterwards."""
    command = [str(PROGRAMS / "dagster-daemon"), "run", "-w", WORKSPACE]
    with log.open("ab") as stream:
        process = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=stream, stderr=stream, start_new_session=True
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(process.pid, signal.SIGINT)
                process.wait(2)
            # Whatever is left of its group: threads of the daemon may be asleep for long.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def draw_library(home: Path) -> None:
    library = home / "library"
    draw_gif(library / "movie" / "film.gif", (10, 90, 200), frame_count=6, delay_ms=1000)
    draw_gif(library / "animation" / "short.gif", (10, 200, 90))
    draw_gif(library / "sticker" / "awe" / "sticker.gif")


def launch_backfill(instance: dg.DagsterInstance, domains: Sequence[str]) -> str:
    """Asks for a backfill as the UI does: the daemon sees it when it starts, and every 30 s after."""
    backfill_id = make_new_backfill_id()
    asked = PartitionBackfill(
        backfill_id=backfill_id,
        status=BulkActionStatus.REQUESTED,
        from_failure=False,
        tags={},
        backfill_timestamp=time.time(),
        partition_set_origin=BUILD_DATASET,
        partition_names=domains,
    )
    instance.add_backfill(asked)
    return backfill_id


def until(is_so: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not is_so():
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8", errors="replace")[-4000:]
        time.sleep(0.2)


def kill_all_but(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL for the code server of a daemon, then for the run workers that it can no longer report."""
    for stat in sorted(Path("/proc").glob("[0-9]*/stat"), key=lambda path: int(path.parent.name)):
        with suppress(FileNotFoundError, ProcessLookupError):
            group = int(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[2])
            if group == process.pid and int(stat.parent.name) != process.pid:
                os.kill(int(stat.parent.name), signal.SIGKILL)


class Backfilled(NamedTuple):
    """A home whose backfill was killed twice, and its runs, the latest first."""

    home: Path
    instance: dg.DagsterInstance
    runs: Sequence[dg.DagsterRun]
    ended_after_s: float
    """From the death of a run and its code server until Dagster knew."""


@pytest.fixture(scope="module")
def backfilled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backfilled]:
    """All domains are launched. The first run is killed with its code server while the daemon lives, the next one with
    everything, as by a power cut. Nobody does anything but start the daemon again."""
    home = tmp_path_factory.mktemp("backfill") / "home"
    log = home.parent / "daemon.log"
    draw_library(home)
    state = prepare_instance_folder(home)
    environment = {**os.environ, "DAGSTER_HOME": str(state), "EMOVID_HOME": str(home)}
    with dg.DagsterInstance.from_config(str(state)) as instance:

        def runs(*statuses: dg.DagsterRunStatus) -> Sequence[dg.DagsterRun]:
            return instance.get_runs(dg.RunsFilter(statuses=statuses))

        def sources() -> int:
            return len(list(home.glob("warehouse/source_videos/*/*.parquet")))

        launch_backfill(instance, DOMAINS)
        with daemon(environment, log) as process:
            until(lambda: sources() == 1, log)
            kill_all_but(process)
            killed = time.monotonic()
            until(lambda: bool(runs(dg.DagsterRunStatus.FAILURE)), log)
            ended_after_s = time.monotonic() - killed
            # Its pools are free: the next domain begins.
            until(lambda: sources() == 2, log)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        with daemon(environment, log):
            until(lambda: len(runs(dg.DagsterRunStatus.SUCCESS)) == len(DOMAINS), log)
        yield Backfilled(home, instance, instance.get_runs(), ended_after_s)


def test_a_run_that_dies_with_its_code_server_is_known_within_half_a_minute_and_started_again(
    backfilled: Backfilled,
) -> None:
    assert backfilled.ended_after_s < 30
    first, second = reversed([run for run in backfilled.runs if run.status == dg.DagsterRunStatus.FAILURE])
    retried = {run.parent_run_id: run.status for run in backfilled.runs if run.parent_run_id}
    assert retried == dict.fromkeys((first.run_id, second.run_id), dg.DagsterRunStatus.SUCCESS)
    # What it had built was not built again.
    again = next(run for run in backfilled.runs if run.parent_run_id == first.run_id)
    assert Place("source_videos", first.tags["dagster/partition"]) not in planned_places(
        backfilled.instance, again.run_id
    )
    assert list(Home(backfilled.home).runs_at_work.glob("*.json")) == []


def test_a_backfill_that_is_killed_twice_ends_with_the_tables_of_an_undisturbed_build(
    backfilled: Backfilled, tmp_path: Path
) -> None:
    latest = {run.tags["dagster/partition"]: run.status for run in reversed(backfilled.runs)}
    assert latest == dict.fromkeys(DOMAINS, dg.DagsterRunStatus.SUCCESS)
    draw_library(tmp_path)
    assert errors_of(build(tmp_path)) == []
    for name, table in TABLES.items():
        for domain in DOMAINS if table.is_partitioned else ():
            expected, got = (
                [
                    {key: value for key, value in row.items() if not key.endswith("_at")}
                    for row in rows(one, name, domain)
                ]
                for one in (tmp_path, backfilled.home)
            )
            assert got == expected, (name, domain)


def test_a_backfill_of_all_domains_runs_once_per_domain_and_each_is_checked(backfilled: Backfilled) -> None:
    home, instance, runs, _ = backfilled
    assert sorted(run.tags["dagster/partition"] for run in runs if not run.parent_run_id) == sorted(DOMAINS)
    (backfill,) = instance.get_backfills()
    assert backfill.status not in (BulkActionStatus.FAILED, BulkActionStatus.COMPLETED_FAILED)
    evaluations = [
        event.asset_check_evaluation_data
        for run in runs
        for event in (
            record.event_log_entry.dagster_event for record in instance.get_records_for_run(run.run_id).records
        )
        if event and event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ]
    # A check belongs to the domain that was checked, not to all.
    assert {evaluation.partition for evaluation in evaluations} == set(DOMAINS)
    for domain in DOMAINS:
        (clip,) = rows(home, "clips", domain)
        assert [row["clip_id"] for row in rows(home, "captions", domain)] == [clip["clip_id"]]
        assert (home / "warehouse" / "benchmark_split" / f"domain={domain}" / "part-0.parquet").is_file()
