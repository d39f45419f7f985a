"""All three domains as a backfill that the daemon launches, as it happens from the UI."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus

from emovid_assets.core.domains import DOMAINS
from emovid_assets.orchestration.instance import prepare_instance_folder
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.assets.homes import ROOT, build, draw_gif, errors_of, rows

pytestmark = pytest.mark.integration

TIMEOUT_S = 240
WORKSPACE = str(ROOT / "workspace.yaml")
PROGRAMS = Path(sys.executable).parent


@contextmanager
def daemon(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon with its code server and run workers; all of them are gone afterwards."""
    command = [str(PROGRAMS / "dagster-daemon"), "run", "-w", WORKSPACE]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=stream, stderr=stream, start_new_session=True
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(process.pid, signal.SIGINT)
                process.wait(30)
            # Whatever the daemon has left of its group; nothing is the usual case.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def draw_library(home: Path) -> None:
    library = home / "library"
    draw_gif(library / "movie" / "film.gif", (10, 90, 200), frame_count=6, delay_ms=1000)
    draw_gif(library / "animation" / "short.gif", (10, 200, 90))
    draw_gif(library / "sticker" / "awe" / "sticker.gif")


def launch_backfill(environment: dict[str, str]) -> None:
    command = [str(PROGRAMS / "dagster"), "job", "backfill", "-w", WORKSPACE, "-j", "build_dataset", "--noprompt"]
    asked = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert asked.returncode == 0, asked.stdout + asked.stderr


def until(is_so: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not is_so():
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8", errors="replace")[-4000:]
        time.sleep(0.5)


def test_a_backfill_that_is_killed_half_way_and_launched_again_ends_with_the_same_tables(tmp_path: Path) -> None:
    undisturbed, home, log = tmp_path / "undisturbed", tmp_path / "home", tmp_path / "daemon.log"
    for folder in (undisturbed, home):
        draw_library(folder)
    assert errors_of(build(undisturbed)) == []
    state = prepare_instance_folder(home)
    environment = {**os.environ, "DAGSTER_HOME": str(state), "EMOVID_HOME": str(home)}
    with dg.DagsterInstance.from_config(str(state)) as instance:

        def unfinished() -> list[dg.DagsterRun]:
            return [run for run in instance.get_runs() if not run.is_finished]

        with daemon(environment, log) as process:
            launch_backfill(environment)
            # A domain has its sources, and two wait or have begun.
            until(lambda: any(home.glob("warehouse/source_videos/*/*.parquet")), log)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        assert unfinished()
        # Dagster cannot see that a run worker is dead; a person terminates such runs in the UI.
        for run in unfinished():
            if run.status != dg.DagsterRunStatus.QUEUED:
                instance.report_run_canceled(run)
        with daemon(environment, log):
            launch_backfill(environment)
            until(lambda: len(instance.get_runs()) >= len(DOMAINS) + 1 and not unfinished(), log)
        latest = {run.tags["dagster/partition"]: run.status for run in reversed(instance.get_runs())}
        assert latest == dict.fromkeys(DOMAINS, dg.DagsterRunStatus.SUCCESS)
    for name, table in TABLES.items():
        for domain in DOMAINS if table.is_partitioned else ():
            expected, got = (
                [
                    {key: value for key, value in row.items() if not key.endswith("_at")}
                    for row in rows(one, name, domain)
                ]
                for one in (undisturbed, home)
            )
            assert got == expected, (name, domain)


def test_a_backfill_of_all_domains_runs_once_per_domain_and_succeeds(tmp_path: Path) -> None:
    draw_library(tmp_path)
    folder = prepare_instance_folder(tmp_path)
    environment = {**os.environ, "DAGSTER_HOME": str(folder), "EMOVID_HOME": str(tmp_path)}
    log = tmp_path / "daemon.log"
    with dg.DagsterInstance.from_config(str(folder)) as instance, daemon(environment, log) as process:
        launch_backfill(environment)
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline and process.poll() is None:
            (backfill,) = instance.get_backfills()
            runs = instance.get_runs()
            if len(runs) == len(DOMAINS) and all(run.is_finished for run in runs):
                break
            time.sleep(0.5)
        told = log.read_text(encoding="utf-8", errors="replace")[-4000:]
        assert {run.tags.get("dagster/partition") for run in runs} == set(DOMAINS), told
        assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}, told
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
        (clip,) = rows(tmp_path, "clips", domain)
        assert [row["clip_id"] for row in rows(tmp_path, "captions", domain)] == [clip["clip_id"]]
        assert (tmp_path / "warehouse" / "benchmark_split" / f"domain={domain}" / "part-0.parquet").is_file()
